/* SPDX-License-Identifier: GPL-2.0-only */
/* An address with all that its administrator has set on it: broadcast address, label,
 * lifetimes, metric and whatever else, to be put back as it was. */
#ifndef TAKEOVER_KEPT_H
#define TAKEOVER_KEPT_H

#include "address.h"

struct takeover_kept;

/* @address as it stands on its device; NULL when it does not. Free it with free(). */
int takeover_kept_find(const struct takeover_address *address, struct takeover_kept **ret_kept);

/* Put it back, silently. 0 also when it is there already. */
int takeover_kept_add(const struct takeover_kept *kept);

#endif
