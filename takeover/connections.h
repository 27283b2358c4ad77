/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of a service address, and the neighbours through which their peers are reached. */
#ifndef TAKEOVER_CONNECTIONS_H
#define TAKEOVER_CONNECTIONS_H

#include "address.h"
#include "announce.h"

struct takeover_connections {
	unsigned int listening;	  /* TCP sockets listening on the address itself */
	unsigned int established; /* TCP sockets with a peer, in any state but TIME-WAIT */
	/* Distinct peers, in network order; free() it. */
	unsigned char (*peers)[16];
	size_t n_peers;
};

/* By sock_diag (linux net/ipv4/inet_diag.c), one dump. */
int takeover_connections_find(const struct takeover_address *address,
			      struct takeover_connections *ret_connections);

/* The MACs, at most @max, of the neighbours or gateways on @address's device
 * that the kernel uses for the @peers: RTM_GETROUTE names the next hop, the
 * neighbour table its MAC. Peers without one are passed over. */
int takeover_neighbours_find(const struct takeover_address *address,
			     const unsigned char (*peers)[16], size_t n_peers,
			     unsigned char (*ret_macs)[TAKEOVER_MAC_LEN], size_t max,
			     size_t *ret_n);

#endif
