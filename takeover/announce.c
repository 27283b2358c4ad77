// SPDX-License-Identifier: GPL-2.0-only
/* Builders and parser of ARP and neighbour discovery frames. No I/O. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <string.h>

#include "announce.h"

const int takeover_announce_schedule[] = { 0, 20, 50, 150, 350, 1000, -1 };

static const unsigned char broadcast[TAKEOVER_MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

struct nd_frame {
	struct ether_header eth;
	struct ip6_hdr ip6;
	struct nd_neighbor_advert nd; /* solicitations have the same layout */
	unsigned char opt[8];	      /* type, length in 8 bytes, MAC */
} __attribute__((packed));

static int build_arp(unsigned char *buf, size_t len, const unsigned char *eth_to, uint16_t op,
		     const unsigned char *mac, const unsigned char *sender_ip,
		     const unsigned char *target_mac, const unsigned char *target_ip,
		     size_t *ret_len)
{
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_ARP) };
	struct ether_arp arp = {
		.arp_hrd = htons(ARPHRD_ETHER),
		.arp_pro = htons(ETHERTYPE_IP),
		.arp_hln = TAKEOVER_MAC_LEN,
		.arp_pln = 4,
		.arp_op = htons(op),
	};

	if (len < sizeof(eth) + sizeof(arp))
		return -EMSGSIZE;
	memcpy(eth.ether_dhost, eth_to, TAKEOVER_MAC_LEN);
	memcpy(eth.ether_shost, mac, TAKEOVER_MAC_LEN);
	memcpy(arp.arp_sha, mac, TAKEOVER_MAC_LEN);
	memcpy(arp.arp_spa, sender_ip, 4);
	memcpy(arp.arp_tha, target_mac, TAKEOVER_MAC_LEN);
	memcpy(arp.arp_tpa, target_ip, 4);
	memcpy(buf, &eth, sizeof(eth));
	memcpy(buf + sizeof(eth), &arp, sizeof(arp));
	*ret_len = sizeof(eth) + sizeof(arp);
	return 0;
}

/* RFC 4443 section 2.3: over the pseudo-header and the ICMPv6 message. */
static uint16_t icmp6_checksum(const struct nd_frame *frame, size_t len)
{
	const unsigned char *message = (const unsigned char *)frame + offsetof(struct nd_frame, nd);
	unsigned char pseudo[40] = { 0 };
	uint32_t sum = 0;

	memcpy(pseudo, &frame->ip6.ip6_src, 16);
	memcpy(pseudo + 16, &frame->ip6.ip6_dst, 16);
	pseudo[35] = len;
	pseudo[39] = IPPROTO_ICMPV6;
	for (size_t i = 0; i < sizeof(pseudo); i += 2)
		sum += pseudo[i] << 8 | pseudo[i + 1];
	for (size_t i = 0; i < len; i += 2)
		sum += message[i] << 8 | message[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

static int build_nd(unsigned char *buf, size_t len, struct nd_frame *frame, size_t nd_len,
		    size_t *ret_len)
{
	size_t total = offsetof(struct nd_frame, nd) + nd_len;

	if (len < total)
		return -EMSGSIZE;
	frame->eth.ether_type = htons(ETHERTYPE_IPV6);
	frame->ip6.ip6_flow = htonl(6U << 28);
	frame->ip6.ip6_plen = htons(nd_len);
	frame->ip6.ip6_nxt = IPPROTO_ICMPV6;
	frame->ip6.ip6_hlim = 255; /* RFC 4861 section 7.1: anything else is dropped */
	frame->nd.nd_na_hdr.icmp6_cksum = icmp6_checksum(frame, nd_len);
	memcpy(buf, frame, total);
	*ret_len = total;
	return 0;
}

static int build_advert(unsigned char *buf, size_t len, const struct takeover_address *address,
			const unsigned char *mac, const unsigned char *to, size_t *ret_len)
{
	static const unsigned char all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	static const unsigned char all_nodes_mac[] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct nd_frame frame = { 0 };

	memcpy(frame.eth.ether_dhost, to ? to : all_nodes_mac, TAKEOVER_MAC_LEN);
	memcpy(frame.eth.ether_shost, mac, TAKEOVER_MAC_LEN);
	memcpy(&frame.ip6.ip6_src, address->ip, 16);
	memcpy(&frame.ip6.ip6_dst, all_nodes, 16);
	frame.nd.nd_na_type = ND_NEIGHBOR_ADVERT;
	frame.nd.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&frame.nd.nd_na_target, address->ip, 16);
	frame.opt[0] = ND_OPT_TARGET_LINKADDR;
	frame.opt[1] = 1;
	memcpy(frame.opt + 2, mac, TAKEOVER_MAC_LEN);
	return build_nd(buf, len, &frame, sizeof(frame.nd) + sizeof(frame.opt), ret_len);
}

int takeover_announce_build(unsigned char *buf, size_t len, const struct takeover_address *address,
			    const unsigned char *mac, const unsigned char *to, size_t *ret_len)
{
	static const unsigned char zero[TAKEOVER_MAC_LEN];

	if (address->family == AF_INET6)
		return build_advert(buf, len, address, mac, to, ret_len);
	if (to)
		return build_arp(buf, len, to, ARPOP_REPLY, mac, address->ip, mac, address->ip,
				 ret_len);
	return build_arp(buf, len, broadcast, ARPOP_REQUEST, mac, address->ip, zero, address->ip,
			 ret_len);
}

int takeover_probe_build(unsigned char *buf, size_t len, const struct takeover_address *address,
			 const unsigned char *mac, size_t *ret_len)
{
	static const unsigned char zero[TAKEOVER_MAC_LEN];
	struct nd_frame frame = { 0 };
	unsigned char group[16] = { 0 };

	if (address->family == AF_INET)
		return build_arp(buf, len, broadcast, ARPOP_REQUEST, mac, zero, zero, address->ip,
				 ret_len);
	/* RFC 4291 section 2.7.1: ff02::1:ffXX:XXXX; RFC 2464 section 7: 33:33 + 4 bytes */
	memcpy(group, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff", 13);
	memcpy(group + 13, address->ip + 13, 3);
	memcpy(&frame.ip6.ip6_dst, group, 16);
	memcpy(frame.eth.ether_dhost, "\x33\x33", 2);
	memcpy(frame.eth.ether_dhost + 2, group + 12, 4);
	memcpy(frame.eth.ether_shost, mac, TAKEOVER_MAC_LEN);
	frame.nd.nd_na_type = ND_NEIGHBOR_SOLICIT;
	memcpy(&frame.nd.nd_na_target, address->ip, 16);
	return build_nd(buf, len, &frame, sizeof(frame.nd), ret_len);
}

static bool is_unicast(const unsigned char *mac)
{
	static const unsigned char zero[TAKEOVER_MAC_LEN];

	return !(mac[0] & 1) && memcmp(mac, zero, TAKEOVER_MAC_LEN) != 0;
}

static bool parse_arp(const unsigned char *frame, size_t len,
		      const struct takeover_address *address, unsigned char *ret_mac)
{
	struct ether_arp arp;

	if (len < sizeof(struct ether_header) + sizeof(arp))
		return false;
	memcpy(&arp, frame + sizeof(struct ether_header), sizeof(arp));
	if (arp.arp_hrd != htons(ARPHRD_ETHER) || arp.arp_pro != htons(ETHERTYPE_IP) ||
	    arp.arp_hln != TAKEOVER_MAC_LEN || arp.arp_pln != 4 ||
	    memcmp(arp.arp_spa, address->ip, 4) != 0 || !is_unicast(arp.arp_sha))
		return false;
	memcpy(ret_mac, arp.arp_sha, TAKEOVER_MAC_LEN);
	return true;
}

static bool parse_advert(const unsigned char *frame, size_t len,
			 const struct takeover_address *address, unsigned char *ret_mac)
{
	struct nd_frame nd;

	if (len < sizeof(nd))
		return false;
	memcpy(&nd, frame, sizeof(nd));
	if (nd.ip6.ip6_nxt != IPPROTO_ICMPV6 || nd.ip6.ip6_hlim != 255 ||
	    nd.nd.nd_na_type != ND_NEIGHBOR_ADVERT ||
	    memcmp(&nd.nd.nd_na_target, address->ip, 16) != 0 ||
	    nd.opt[0] != ND_OPT_TARGET_LINKADDR || nd.opt[1] != 1 || !is_unicast(nd.opt + 2))
		return false;
	memcpy(ret_mac, nd.opt + 2, TAKEOVER_MAC_LEN);
	return true;
}

bool takeover_announce_parse(const unsigned char *frame, size_t len,
			     const struct takeover_address *address, unsigned char *ret_mac)
{
	struct ether_header eth;

	if (len < sizeof(eth))
		return false;
	memcpy(&eth, frame, sizeof(eth));
	if (address->family == AF_INET)
		return eth.ether_type == htons(ETHERTYPE_ARP) &&
		       parse_arp(frame, len, address, ret_mac);
	return eth.ether_type == htons(ETHERTYPE_IPV6) &&
	       parse_advert(frame, len, address, ret_mac);
}
