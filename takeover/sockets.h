/* SPDX-License-Identifier: GPL-2.0-only */
/* TCP and UDP sockets of this network namespace, and the processes that hold them. */
#ifndef TAKEOVER_SOCKETS_H
#define TAKEOVER_SOCKETS_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"

/* Bits of @states below: 1U << TCP_LISTEN and so on. */
#define TAKEOVER_SOCKETS_ALL (~0U & ~(1U << TCP_TIME_WAIT))

/* One socket. Addresses in network order, ports in the host's. An IPv4 connection of a
 * dual-stack IPv6 socket (RFC 4291 section 2.5.5.2) is one of family AF_INET here. */
struct takeover_socket {
	int family;
	int protocol;  /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t state; /* TCP_*; UDP: TCP_ESTABLISHED when connected, else TCP_CLOSE */
	bool wildcard; /* bound to 0.0.0.0 or :: */
	bool dual;     /* wildcard on :: that takes IPv4, too */
	bool scaled;   /* TCP: both ends scale their windows (RFC 7323) */
	unsigned char local[16], remote[16];
	uint16_t local_port, remote_port;
	uint32_t inode; /* 0: of no process (any more, or yet) */
	/* Bytes that wait; of a listening socket the connections in its accept queue. */
	uint32_t receive_queue;
	pid_t holder; /* a process that holds it, 0 when unknown */
	bool inside;  /* one of its holders belongs to the tree asked for */
};

struct takeover_sockets {
	struct takeover_socket *all; /* free() it */
	size_t n;
};

/* Append the sockets of @family (AF_INET, AF_INET6) and @protocol in one of @states, by
 * sock_diag (linux net/ipv4/inet_diag.c). Begin with a zeroed @sockets. */
int takeover_sockets_add(struct takeover_sockets *sockets, int family, int protocol,
			 uint32_t states);

/* All of both families and protocols but those in TIME-WAIT. */
int takeover_sockets_list(struct takeover_sockets *ret_sockets);

/* Fill in @holder and @inside of each, from /proc/PID/fd of every process of this PID
 * namespace; @root is the root of the tree, 0: everything counts as inside. Sorts
 * @sockets by inode. */
void takeover_sockets_hold(struct takeover_sockets *sockets, pid_t root);

/* Whether it is bound to @address itself. */
bool takeover_socket_is_on(const struct takeover_socket *socket,
			   const struct takeover_address *address);

/* Whether it has a peer. */
bool takeover_socket_is_connected(const struct takeover_socket *socket);

/* Whether it takes what comes for @address without being bound to it: listens, or takes
 * datagrams, on all addresses. */
bool takeover_socket_takes(const struct takeover_socket *socket,
			   const struct takeover_address *address);

#endif
