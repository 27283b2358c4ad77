/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRIU's own locks: what it puts before connections without --network-lock skip, and
 * leaves behind when the dumped tasks die or it is killed (criu/netfilter.c): a table
 * "inet CRIU-<id>" with two elements a connection, or two rules of iptables. Those of
 * iptables-legacy cannot be seen by nf_tables and are not found here.
 */
#ifndef TAKEOVER_LOCKS_H
#define TAKEOVER_LOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

/* What drops the packets of one connection in one direction. */
struct takeover_lock {
	uint32_t family; /* NFPROTO_* of the table */
	char table[64];
	char chain[32];	 /* INPUT or OUTPUT; empty: the table locks by elements */
	uint64_t handle; /* of the rule */
	/* The packets' addresses in network order, ports in the host's, 0: not known.
	 * ip_family 0: a table that locks nothing. */
	int ip_family;
	unsigned char from[16], to[16];
	uint16_t from_port, to_port;
};

struct takeover_locks {
	struct takeover_lock *all; /* free() it; those of one table in a row */
	size_t n;
};

/* All locks of this network namespace. 0, or the kernel's -errno; a kernel without
 * nf_tables has none. */
int takeover_locks_list(struct takeover_locks *ret_locks);

/* Forget those that are not of connections of the @n @addresses. A table is of one CRIU,
 * which has dumped one tree: one connection of ours makes it ours. */
void takeover_locks_keep(struct takeover_locks *locks, const struct takeover_address *addresses,
			 size_t n);

/* Remove rules, and tables as a whole, of which one lock remains in @locks; what is gone
 * already is no error. */
int takeover_locks_remove(struct takeover_locks *locks);

/* All three: how many rules and tables there were for @addresses, or -errno. @whole: CRIU has
 * locked a network namespace as a whole, with tables that name no connection. */
int takeover_locks_clear(const struct takeover_address *addresses, size_t n, bool whole);

#endif
