/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that waited, and that the kernel has dropped all the same: when anybody deletes a base
 * chain, as CRIU does with its own lock before a thaw (criu/netfilter.c, nftables_network_unlock),
 * the kernel drops what all queues of the network namespace hold (linux net/netfilter/nf_queue.c,
 * nf_queue_nf_hook_drop). The keeper has copies.
 */
#ifndef TAKEOVER_LOST_H
#define TAKEOVER_LOST_H

#include <stdint.h>

#include "keeper.h"

/* How many packets wait in queue @queue, by the text @text of
 * /proc/net/netfilter/nfnetlink_queue. -ENOENT: no such queue. */
long takeover_lost_waiting(const char *text, uint16_t queue);

/* On a source whose service stays here, before the release: what the kernel has dropped comes
 * for the service once more, in order, for as long as its address is on this host. Returns how
 * many packets. */
unsigned int takeover_lost_again(struct takeover_keeper *keeper);

#endif
