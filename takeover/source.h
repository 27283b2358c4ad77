/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files source*.c call in one another. */
#ifndef TAKEOVER_SOURCE_H
#define TAKEOVER_SOURCE_H

#include "keeper.h"

/* Take the addresses off, once: nothing of the service leaves any more, the kernel has
 * confirmed it, and the manifest says so. 0 or -errno with keeper->message set. */
int takeover_source_withdraw(struct takeover_keeper *keeper);

/* After a rollback that has to wait for the addresses: go on with it when they are back. */
void takeover_source_return(struct takeover_keeper *keeper);

/* Remove CRIU's own locks for the addresses. */
void takeover_source_unlock(struct takeover_keeper *keeper);

/* From now on nothing of the dumped tree leaves, once. As above. */
int takeover_source_silence(struct takeover_keeper *keeper);

/* After that, and while the addresses are still here: wait for what the service closed too
 * late for the quiesce. */
void takeover_source_last_words(struct takeover_keeper *keeper);

/* What waits for an address whose new owner has spoken goes there. */
void takeover_source_relay(struct takeover_keeper *keeper);

/* The new owner lets packets in: what is held of TCP has been sent anew, or will be. Its copy
 * could find a connection that has ended since, and draw an RST: it is not relayed. */
void takeover_source_too_late(struct takeover_keeper *keeper);

#endif
