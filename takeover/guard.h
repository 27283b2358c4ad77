/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: netfilter rules of one takeover. While it stands, what arrives for
 * a service address is queued (held) or dropped before any socket sees it, and what
 * leaves from it likewise; when muted, the kernel neither answers nor asks ARP for it.
 * The number of rules does not depend on connections.
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

#define TAKEOVER_GUARD_NAME_LEN 32

struct takeover_guard;

/* "queue", "queue through nft_compat", "drop". */
const char *takeover_guard_mode_name(enum takeover_guard_mode mode);

/* What a guard is set for; the queues have been bound by their owner already. */
struct takeover_guard_plan {
	const char *name; /* the tables are named "ip-takeover-<name>" */
	const struct takeover_address *addresses;
	size_t n;
	uint16_t queue, queue_out; /* NFQUEUE numbers: what comes in, what goes out */
	/* A muted guard stands as a whole from the beginning; any other begins with new
	 * connections alone: SYNs are held, all else passes. */
	bool muted;
};

/* Set the guard in one transaction. Tries the modes and keeps the first that the kernel
 * takes: `queue` before nft_compat where the kernel seems to have it.
 * The rules outlive this process: when the queue's owner dies, the kernel drops.
 * Free with takeover_guard_free(), which removes nothing. -EEXIST when a guard
 * of this name stands; else the kernel's errno. */
int takeover_guard_set(const struct takeover_guard_plan *plan, struct takeover_guard **ret_guard);

/* The guard that stands already under this name and in @mode, as a process that died
 * has left it. Free with takeover_guard_free(). */
int takeover_guard_adopt(const struct takeover_guard_plan *plan, enum takeover_guard_mode mode,
			 struct takeover_guard **ret_guard);

/* From here on everything that comes for the addresses is held, not only SYNs. */
int takeover_guard_hold(struct takeover_guard *guard);

enum takeover_guard_mode takeover_guard_mode(const struct takeover_guard *guard);

/* From here on the kernel answers for the addresses (the claim). */
int takeover_guard_unmute(struct takeover_guard *guard);

/* From here on what leaves from the addresses is held in the other queue (dropped where
 * the kernel cannot queue). */
int takeover_guard_silence(struct takeover_guard *guard);

/* Let packets out again. */
int takeover_guard_open_out(struct takeover_guard *guard);

/* Let packets in and out again by deleting the rules, but not the chains: deleting
 * a base chain makes the kernel drop what any queue of this network namespace
 * holds (linux net/netfilter/nf_queue.c, nf_queue_nf_hook_drop). */
int takeover_guard_open(struct takeover_guard *guard);

/* From here on nothing is held any more: all is dropped, and no queue is needed. For a guard
 * that is to stand when its keeper has ended: another's queue may have the same number. */
int takeover_guard_shut(struct takeover_guard *guard);

/* Delete the tables of the guard named @name, whoever set them. 0 also when there
 * are none. Held packets are dropped. */
int takeover_guard_remove(const char *name);

/* The names of all guards that stand; free() them. */
int takeover_guard_list(char (**ret_names)[TAKEOVER_GUARD_NAME_LEN], size_t *ret_n);

void takeover_guard_free(struct takeover_guard *guard);

#endif
