/* SPDX-License-Identifier: GPL-2.0-only */
/* The source's service: what of this host's addresses belongs to the dumped tree. */
#ifndef TAKEOVER_SERVICE_H
#define TAKEOVER_SERVICE_H

#include <stdbool.h>

struct takeover_address;
struct takeover_keeper;
struct takeover_socket;
struct takeover_sockets;

/* What the sockets say about one address. */
struct takeover_use {
	const struct takeover_socket *bound;   /* to it, and of the tree */
	const struct takeover_socket *reached; /* of the tree, and takes what comes for any */
	const struct takeover_socket *other;   /* bound to it, and of another process */
};

/* Of @sockets as takeover_sockets_hold() leaves them. Without its root the tree is unknown. */
struct takeover_use takeover_service_use(const struct takeover_sockets *sockets,
					 const struct takeover_address *address, bool root_known);

/* Whether the address moves with the tree. */
bool takeover_service_moves(const struct takeover_use *use);

/* The configured addresses that move: those that the tree has a TCP or UDP socket bound
 * to, and those that reach a socket of it that is bound to all, when no other process has
 * one there. With their neighbours to keeper->manifest; the tree to keeper->tasks. One
 * line about what does not move to keeper->message. -EBUSY when another process uses such
 * an address, unless the configuration says to ignore that. */
int takeover_service_find(struct takeover_keeper *keeper);

/* The tree's TCP connections on these addresses, now, to keeper->n_connections. */
void takeover_service_count(struct takeover_keeper *keeper);

/* The same refusal at the end of the dump, for a tree whose root nobody had told: whoever
 * criu has not frozen does not belong to it. */
int takeover_service_check(struct takeover_keeper *keeper);

/* Whether the service has been restored on this very host without us, so far that packets
 * may reach it: its sockets are there and out of repair mode. *@ret_connections: how many
 * of its TCP connections. */
bool takeover_service_is_back(struct takeover_keeper *keeper, unsigned int *ret_connections);

#endif
