/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRIU's own locks: what it puts before connections without --network-lock skip, and
 * leaves behind when the dumped tasks die or it is killed (criu/netfilter.c): a table
 * "inet CRIU-<id>", or two rules of iptables a connection. Those of iptables-legacy
 * cannot be seen by nf_tables and are not found here.
 */
#ifndef TAKEOVER_LOCKS_H
#define TAKEOVER_LOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"

struct takeover_lock {
	uint32_t family; /* NFPROTO_* */
	char table[64];
	char chain[32];	 /* empty: the table itself */
	uint64_t handle; /* of the rule */
};

struct takeover_locks {
	struct takeover_lock *all;
	size_t n;
};

/* The locks of connections of the @n addresses at @addresses, or all with @addresses NULL.
 * Free *@ret_locks->all with free(). 0, or the kernel's -errno; a kernel without nf_tables
 * has none. */
int takeover_locks_list(const struct takeover_address *addresses, size_t n,
			struct takeover_locks *ret_locks);

/* Remove them; one that is gone already is no error. */
int takeover_locks_remove(const struct takeover_locks *locks);

/* List and remove: how many there were, or -errno. */
int takeover_locks_clear(const struct takeover_address *addresses, size_t n);

#endif
