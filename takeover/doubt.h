/* SPDX-License-Identifier: GPL-2.0-only */
/* A destination that is ready, and never hears whether the source has committed: in doubt. It
 * stays frozen, asks the segment, and then does what its configuration says. */
#ifndef TAKEOVER_DOUBT_H
#define TAKEOVER_DOUBT_H

#include "keeper.h"

/* On the source, from time to time: hear what is said on the segment, and answer. */
void takeover_doubt_answer(struct takeover_keeper *keeper);

/* On the destination, with keepalived: tell the source's keeper that address @i is ours, and
 * whether the service runs. */
void takeover_doubt_claimed(const struct takeover_keeper *keeper, size_t i);

/* On the destination: nobody is there any more who could say it. */
void takeover_doubt_begin(struct takeover_keeper *keeper);

/* On the destination, from time to time while it is ready and nothing is decided. */
void takeover_doubt_ask(struct takeover_keeper *keeper);

#endif
