/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: netfilter rules of one takeover. While it stands, what arrives for
 * a service address is queued (held) or dropped before any socket sees it, no
 * FIN or RST leaves from the address, and, when muted, the kernel neither answers
 * nor asks ARP for it. The number of rules does not depend on connections.
 */
#ifndef TAKEOVER_GUARD_H
#define TAKEOVER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

enum takeover_guard_mode {
	TAKEOVER_GUARD_QUEUE,	     /* nft `queue`, CONFIG_NFT_QUEUE */
	TAKEOVER_GUARD_QUEUE_COMPAT, /* xt target NFQUEUE through nft_compat */
	TAKEOVER_GUARD_DROP,	     /* neither works here: packets are lost, peers retransmit */
};

struct takeover_guard;

/* "queue", "queue through nft_compat", "drop". */
const char *takeover_guard_mode_name(enum takeover_guard_mode mode);

/* Set the guard for @n addresses, tables named "ip-takeover-<@name>", in one
 * transaction; packets go to NFQUEUE number @queue, which its owner has bound
 * already. Tries the modes and keeps the first that the kernel takes: `queue`
 * before nft_compat where the kernel seems to have it. With @queue_out (NULL: none)
 * the guard is muted: ARP and neighbour discovery for the addresses stop, and what
 * leaves from them is held in that queue.
 * The rules outlive this process: when the queue's owner dies, the kernel drops.
 * Free with takeover_guard_free(), which removes nothing. -EEXIST when a guard
 * of this name stands; else the kernel's errno. */
int takeover_guard_set(const char *name, const struct takeover_address *addresses, size_t n,
		       uint16_t queue, const uint16_t *queue_out,
		       struct takeover_guard **ret_guard);

/* The guard that stands already under this name and in @mode, as a process that died
 * has left it. Free with takeover_guard_free(). */
int takeover_guard_adopt(const char *name, const struct takeover_address *addresses, size_t n,
			 enum takeover_guard_mode mode, struct takeover_guard **ret_guard);

enum takeover_guard_mode takeover_guard_mode(const struct takeover_guard *guard);

/* From here on the kernel answers for the addresses (the claim). */
int takeover_guard_unmute(struct takeover_guard *guard);

/* From here on nothing at all leaves from the addresses (after the withdrawal). */
int takeover_guard_silence(struct takeover_guard *guard);

/* Let packets out again. */
int takeover_guard_open_out(struct takeover_guard *guard);

/* Let packets in and out again by deleting the rules, but not the chains: deleting
 * a base chain makes the kernel drop what any queue of this network namespace
 * holds (linux net/netfilter/nf_queue.c, nf_queue_nf_hook_drop). */
int takeover_guard_open(struct takeover_guard *guard);

/* Delete the tables of the guard named @name, whoever set them. 0 also when there
 * are none. Held packets are dropped. */
int takeover_guard_remove(const char *name);

void takeover_guard_free(struct takeover_guard *guard);

#endif
