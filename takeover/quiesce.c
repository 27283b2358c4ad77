// SPDX-License-Identifier: GPL-2.0-only
/* What has not drained, by sock_diag. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quiesce.h"

#define HALF_OPEN (1U << TCP_SYN_RECV)
#define CLOSING	  (1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSING | 1U << TCP_LAST_ACK)

#define TH_FIN_SYN_RST_ACK 0x17
#define TH_SYN_ALONE	   0x02

static bool concerns(const struct takeover_socket *s, const struct takeover_address *addresses,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (takeover_socket_is_on(s, &addresses[i]) ||
		    takeover_socket_takes(s, &addresses[i]))
			return true;
	return false;
}

/* An IPv4 connection may be of an IPv6 socket. */
static int list(int protocol, uint32_t states, struct takeover_sockets *ret)
{
	struct takeover_sockets sockets = { 0 };
	int err = takeover_sockets_add(&sockets, AF_INET, protocol, states)
			  ?: takeover_sockets_add(&sockets, AF_INET6, protocol, states);

	if (err < 0)
		free(sockets.all);
	else
		*ret = sockets;
	return err;
}

int takeover_quiesce_look(const struct takeover_address *addresses, size_t n,
			  struct takeover_unrest *ret_unrest)
{
	struct takeover_sockets tcp = { 0 }, udp = { 0 };
	struct takeover_unrest unrest = { 0 };
	int ret;

	ret = list(IPPROTO_TCP, 1U << TCP_LISTEN | HALF_OPEN | CLOSING, &tcp)
		      ?: list(IPPROTO_UDP, TAKEOVER_SOCKETS_ALL, &udp);
	for (size_t i = 0; ret == 0 && i < tcp.n; i++) {
		const struct takeover_socket *s = &tcp.all[i];

		if (!concerns(s, addresses, n))
			continue;
		if (s->state == TCP_LISTEN)
			unrest.accepts += s->receive_queue;
		else if (s->state == TCP_SYN_RECV)
			unrest.handshakes++;
		else if (s->inode == 0)
			unrest.closing++;
	}
	for (size_t i = 0; ret == 0 && i < udp.n; i++) {
		if (!concerns(&udp.all[i], addresses, n))
			continue;
		unrest.udp++;
		unrest.datagrams += udp.all[i].receive_queue > 0;
	}
	free(tcp.all);
	free(udp.all);
	if (ret == 0)
		*ret_unrest = unrest;
	return ret;
}

/* What makes a connection, in an order of its own. */
static int compare(const void *a, const void *b)
{
	const struct takeover_socket *x = a, *y = b;
	size_t len = takeover_family_len(x->family);

	if (x->family != y->family)
		return x->family - y->family;
	if (x->remote_port != y->remote_port)
		return x->remote_port - y->remote_port;
	if (x->local_port != y->local_port)
		return x->local_port - y->local_port;
	return memcmp(x->remote, y->remote, len) ?: memcmp(x->local, y->local, len);
}

int takeover_quiesce_leftovers(const struct takeover_address *addresses, size_t n,
			       struct takeover_sockets *ret_leftovers)
{
	struct takeover_sockets sockets;
	size_t kept = 0;
	int ret;

	ret = list(IPPROTO_TCP, CLOSING | HALF_OPEN, &sockets);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < sockets.n; i++)
		if (sockets.all[i].inode == 0 && concerns(&sockets.all[i], addresses, n))
			sockets.all[kept++] = sockets.all[i];
	sockets.n = kept;
	if (kept > 0)
		qsort(sockets.all, kept, sizeof(*sockets.all), compare);
	*ret_leftovers = sockets;
	return 0;
}

/* The connection of a TCP packet (RFC 791, RFC 8200, RFC 9293), its local end ours. */
static bool connection_of(const unsigned char *p, size_t len, bool in, struct takeover_socket *ret,
			  unsigned char *ret_flags)
{
	bool v6 = len > 0 && p[0] >> 4 == 6;
	size_t header = v6 ? 40 : len > 0 ? (p[0] & 0x0f) * 4U : 0, ip_len = v6 ? 16 : 4;
	const unsigned char *source = p + (v6 ? 8 : 12), *destination = source + ip_len, *tcp;
	uint16_t from, to;

	/* Behind IPv6 extension headers, or in a later fragment, it is none. */
	if (header < 20 || len < header + 14 || p[v6 ? 6 : 9] != IPPROTO_TCP ||
	    (!v6 && ((p[6] & 0x1f) || p[7])))
		return false;
	tcp = p + header;
	from = tcp[0] << 8 | tcp[1];
	to = tcp[2] << 8 | tcp[3];
	memset(ret, 0, sizeof(*ret));
	ret->family = v6 ? AF_INET6 : AF_INET;
	memcpy(ret->local, in ? destination : source, ip_len);
	memcpy(ret->remote, in ? source : destination, ip_len);
	ret->local_port = in ? to : from;
	ret->remote_port = in ? from : to;
	*ret_flags = tcp[13];
	return true;
}

const struct takeover_socket *takeover_quiesce_find(const struct takeover_sockets *leftovers,
						    const unsigned char *packet, size_t len,
						    bool in)
{
	struct takeover_socket key;
	unsigned char flags;

	if (leftovers->n == 0 || !connection_of(packet, len, in, &key, &flags) ||
	    (flags & TH_FIN_SYN_RST_ACK) == TH_SYN_ALONE)
		return NULL;
	return bsearch(&key, leftovers->all, leftovers->n, sizeof(key), compare);
}
