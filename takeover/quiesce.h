/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quiesce: before the freeze new SYNs wait in the guard, and what CRIU could not dump
 * drains: half-open connections, accept queues ("In-flight connection"), closing
 * connections that no process holds any more, unread datagrams.
 */
#ifndef TAKEOVER_QUIESCE_H
#define TAKEOVER_QUIESCE_H

#include <stdbool.h>

#include "address.h"
#include "sockets.h"

struct takeover_unrest {
	unsigned int handshakes; /* SYN received, not yet established */
	unsigned int accepts;	 /* established, not yet accepted */
	unsigned int closing;	 /* closed by their process, not yet by TCP */
	unsigned int datagrams;	 /* UDP sockets with unread datagrams */
	unsigned int udp;	 /* UDP sockets */
};

/* Look once for what has not drained on the @n addresses. */
int takeover_quiesce_look(const struct takeover_address *addresses, size_t n,
			  struct takeover_unrest *ret_unrest);

/* TCP connections of the addresses that no process holds, sorted for
 * takeover_quiesce_find(): CRIU does not see them, they end on this host. */
int takeover_quiesce_leftovers(const struct takeover_address *addresses, size_t n,
			       struct takeover_sockets *ret_leftovers);

/* The one that the IP packet @packet belongs to, or NULL; @in: it comes to it, else from
 * it. A SYN belongs to none. */
const struct takeover_socket *takeover_quiesce_find(const struct takeover_sockets *leftovers,
						    const unsigned char *packet, size_t len,
						    bool in);

#endif
