// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel has dropped from our queue is sent to this host itself, by a raw socket. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lost.h"

#define QUEUES "/proc/net/netfilter/nfnetlink_queue"

long takeover_lost_waiting(const char *text, uint16_t queue)
{
	unsigned int number, total;

	/* linux net/netfilter/nfnetlink_queue.c, seq_show: number, whose, how many wait. */
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (sscanf(text, "%u %*d %u", &number, &total) == 2 && number == queue)
			return total;
	return -ENOENT;
}

static long waiting(uint16_t queue)
{
	char text[TAKEOVER_HOLD_QUEUES * 2 * 80];
	FILE *f = fopen(QUEUES, "re");
	size_t n;

	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return takeover_lost_waiting(text, queue);
}

/* Whether it was sent. To an address of this host the packet comes by the loopback device, and
 * counts as one that came by the device that has the address (linux net/ipv4/route.c,
 * ip_route_output_key_hash_rcu; net/ipv6/ip6_input.c, ip6_rcv_core). */
static bool send_here(const struct takeover_held *p, int fd, int fd6)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (p->len >= sizeof(struct iphdr) && p->packet[0] >> 4 == 4) {
		memcpy(&sin.sin_addr, p->packet + offsetof(struct iphdr, daddr), 4);
		return sendto(fd, p->packet, p->len, MSG_DONTWAIT, (void *)&sin, sizeof(sin)) >= 0;
	}
	if (p->len >= sizeof(struct ip6_hdr) && p->packet[0] >> 4 == 6) {
		memcpy(&sin6.sin6_addr, p->packet + offsetof(struct ip6_hdr, ip6_dst), 16);
		return sendto(fd6, p->packet, p->len, MSG_DONTWAIT, (void *)&sin6, sizeof(sin6)) >=
		       0;
	}
	return false;
}

static bool all_here(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		bool present = false;

		if (takeover_config_present(&k->config, &k->manifest->addresses[i], &present) < 0 ||
		    !present)
			return false;
	}
	return true;
}

unsigned int takeover_lost_again(struct takeover_keeper *k)
{
	unsigned int held = 0, n = 0;
	struct takeover_held *p;
	long left, lost;
	int fd, fd6;

	takeover_keeper_read(k);
	for (p = k->held; p; p = p->next)
		held++;
	left = held > 0 ? waiting(takeover_hold_queue(k->hold)) : 0;
	lost = left < 0 ? 0 : (long)held - left;
	if (lost <= 0 || !all_here(k))
		return 0;
	/* With IPPROTO_RAW the header is ours (raw(7)). */
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	fd6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	/* All at once: those that waited longest. */
	for (p = k->held; p && lost > 0; p = p->next, lost--)
		n += send_here(p, fd, fd6);
	if (fd >= 0)
		close(fd);
	if (fd6 >= 0)
		close(fd6);
	return n;
}
