/* SPDX-License-Identifier: GPL-2.0-only */
/* Who answers for an address that keepalived has not brought here, asked on its segment. */
#ifndef TAKEOVER_OWNER_H
#define TAKEOVER_OWNER_H

#include "keeper.h"

/* Ask, unless that was done less than 100 ms ago. Whether it was now. */
bool takeover_owner_ask(struct takeover_keeper *keeper, size_t i);

/* The same, and read what comes: whether somebody has answered since. Not on the source, whose
 * worker reads. */
bool takeover_owner_answers(struct takeover_keeper *keeper, size_t i);

/* "aa:bb:cc:dd:ee:ff answers for it", or "nobody answers for it". Returns @buf. */
const char *takeover_owner_name(const struct takeover_keeper *keeper, size_t i, char *buf,
				size_t len);

#endif
