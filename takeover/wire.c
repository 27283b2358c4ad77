// SPDX-License-Identifier: GPL-2.0-only
/* The packet socket: announcements and probes out, others' ARP and ND in, relay. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_packet.h>

#include "announce.h"

struct takeover_wire {
	int fd;
	int ifindex;
	char device[IF_NAMESIZE];
	unsigned char mac[TAKEOVER_MAC_LEN];
};

/* ARP, or IPv6 whose next header is ICMPv6 and whose type is an advertisement. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 256),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

int takeover_wire_open(const char *device, struct takeover_wire **ret_wire)
{
	struct takeover_wire *wire = calloc(1, sizeof(*wire));
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = { 0 };
	int ret = 0;

	if (!wire)
		return -ENOMEM;
	strncpy(wire->device, device, sizeof(wire->device) - 1);
	/* Protocol 0: nothing comes in before the filter is there. */
	wire->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	wire->ifindex = if_nametoindex(device);
	strncpy(ifr.ifr_name, device, sizeof(ifr.ifr_name) - 1);
	if (wire->fd < 0 || wire->ifindex == 0 || ioctl(wire->fd, SIOCGIFHWADDR, &ifr) < 0) {
		ret = -errno;
		goto out;
	}
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
		ret = -EOPNOTSUPP;
		goto out;
	}
	memcpy(wire->mac, ifr.ifr_hwaddr.sa_data, TAKEOVER_MAC_LEN);
	sll.sll_ifindex = wire->ifindex;
	if (attach_filter(wire->fd) < 0 || bind(wire->fd, (void *)&sll, sizeof(sll)) < 0)
		ret = -errno;
out:
	if (ret < 0)
		takeover_wire_close(wire);
	else
		*ret_wire = wire;
	return ret;
}

int takeover_wire_fd(const struct takeover_wire *wire)
{
	return wire->fd;
}

const unsigned char *takeover_wire_mac(const struct takeover_wire *wire)
{
	return wire->mac;
}

int takeover_wire_send(struct takeover_wire *wire, const unsigned char *frame, size_t len)
{
	ssize_t n = send(wire->fd, frame, len, 0);

	return n < 0 ? -errno : n == (ssize_t)len ? 0 : -EIO;
}

int takeover_wire_relay(struct takeover_wire *wire, const unsigned char *mac, const void *packet,
			size_t len)
{
	unsigned char frame[65536];
	struct ether_header eth = { 0 };

	if (len == 0 || len > sizeof(frame) - sizeof(eth))
		return -EMSGSIZE;
	memcpy(eth.ether_dhost, mac, TAKEOVER_MAC_LEN);
	memcpy(eth.ether_shost, wire->mac, TAKEOVER_MAC_LEN);
	eth.ether_type =
		htons(*(const unsigned char *)packet >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), packet, len);
	return takeover_wire_send(wire, frame, sizeof(eth) + len);
}

ssize_t takeover_wire_receive(struct takeover_wire *wire, unsigned char *buf, size_t len)
{
	for (;;) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(wire->fd, buf, len, 0, (void *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* What this host sends comes by here too. */
		if (from.sll_pkttype != PACKET_OUTGOING)
			return n;
	}
}

void takeover_wire_close(struct takeover_wire *wire)
{
	if (!wire)
		return;
	if (wire->fd >= 0)
		close(wire->fd);
	free(wire);
}

int takeover_announce(struct takeover_wire *wire, const struct takeover_address *address,
		      const unsigned char (*macs)[TAKEOVER_MAC_LEN], size_t n)
{
	unsigned char frame[TAKEOVER_ANNOUNCE_MAX];
	size_t len;
	int ret;

	ret = takeover_announce_build(frame, sizeof(frame), address, wire->mac, NULL, &len);
	if (ret == 0)
		ret = takeover_wire_send(wire, frame, len);
	for (size_t i = 0; i < n; i++) {
		int err = takeover_announce_build(frame, sizeof(frame), address, wire->mac, macs[i],
						  &len);

		if (err == 0)
			err = takeover_wire_send(wire, frame, len);
		ret = ret < 0 ? ret : err;
	}
	return ret;
}
