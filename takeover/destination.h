/* SPDX-License-Identifier: GPL-2.0-only */
/* What destination.c and destination_claim.c call in one another. */
#ifndef TAKEOVER_DESTINATION_H
#define TAKEOVER_DESTINATION_H

#include "keeper.h"

/* Claim the addresses when all trees are here, nobody else has answered, and whoever decides has
 * said so: -EINPROGRESS before. -errno with keeper->message set. */
int takeover_destination_claim(struct takeover_keeper *keeper);

/* Announce them, once. */
void takeover_destination_announce(struct takeover_keeper *keeper);

/* Somebody may have taken an address away again: then it is not ours to announce. */
bool takeover_destination_all_here(const struct takeover_keeper *keeper);

/* A rollback begins: if the address is here, speak for its instances from now on; and with every
 * tick after it, whether to go on. */
void takeover_destination_give_up(struct takeover_keeper *keeper);
bool takeover_destination_speaks_after(struct takeover_keeper *keeper);

#endif
