// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket that connects in repair mode chooses a shift for its window as if it were to send
 * a SYN, and CRIU overwrites that only if the connection had one (linux net/ipv4/tcp_output.c,
 * tcp_connect_init; criu soccr/soccr.c). Otherwise a peer that does not scale would be told of
 * 81920 bytes as 5. With a shift of 0 in both directions nothing is scaled.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sockets.h"
#include "task_sockets.h"
#include "window.h"

static void unscale(int fd)
{
	struct tcp_repair_opt unscaled = { .opt_code = TCPOPT_WINDOW };
	socklen_t len = sizeof(struct tcp_info);
	struct tcp_info info;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    !(info.tcpi_options & TCPI_OPT_WSCALE))
		setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &unscaled, sizeof(unscaled));
}

/* Those that are yet to receive. */
static int count(const struct takeover_address *addresses, size_t n, size_t *ret_n)
{
	const uint32_t states = 1U << TCP_ESTABLISHED | 1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2;
	struct takeover_sockets sockets = { 0 };
	size_t unscaled = 0;
	int ret;

	ret = takeover_sockets_add(&sockets, AF_INET, IPPROTO_TCP, states)
		      ?: takeover_sockets_add(&sockets, AF_INET6, IPPROTO_TCP, states);
	for (size_t i = 0; i < sockets.n; i++)
		for (size_t a = 0; a < n; a++)
			unscaled += !sockets.all[i].scaled &&
				    takeover_socket_is_on(&sockets.all[i], &addresses[a]);
	free(sockets.all);
	*ret_n = unscaled;
	return ret;
}

int takeover_window_unscale(const struct takeover_address *addresses, size_t n, size_t *ret_left)
{
	int ret = count(addresses, n, ret_left);

	/* To go through all descriptors takes time: only if need be. */
	if (ret < 0 || *ret_left == 0)
		return ret;
	takeover_tasks_each_in_repair(addresses, n, unscale);
	return count(addresses, n, ret_left);
}

/* A socket that connects in repair mode has no SYN-ACK to learn its MSS from and falls back
 * to 536; CRIU sets the limit, but the kernel computes anew only when the route's MTU changes
 * (linux net/ipv4/tcp_output.c, tcp_current_mss), or with the IP options: those of the
 * socket, none, are set again (net/ipv4/ip_sockglue.c). IPv6 sockets have both. */
static void enlarge_segments(int fd)
{
	char options[40];
	socklen_t len = sizeof(options);

	if (getsockopt(fd, IPPROTO_IP, IP_OPTIONS, options, &len) == 0 && len == 0)
		setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0);
}

void takeover_window_enlarge_segments(const struct takeover_address *addresses, size_t n)
{
	takeover_tasks_each_connected(addresses, n, enlarge_segments);
}
