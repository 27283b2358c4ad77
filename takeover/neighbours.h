/* SPDX-License-Identifier: GPL-2.0-only */
/* The neighbours through which the peers of a service address are reached. */
#ifndef TAKEOVER_NEIGHBOURS_H
#define TAKEOVER_NEIGHBOURS_H

#include "address.h"
#include "announce.h"

/* The MACs, at most @max, of the neighbours or gateways on @address's device
 * that the kernel uses for the @peers: RTM_GETROUTE names the next hop, the
 * neighbour table its MAC. Peers without one are passed over. */
int takeover_neighbours_find(const struct takeover_address *address,
			     const unsigned char (*peers)[16], size_t n_peers,
			     unsigned char (*ret_macs)[TAKEOVER_MAC_LEN], size_t max,
			     size_t *ret_n);

#endif
