// SPDX-License-Identifier: GPL-2.0-only
/* Builders of the guard's rules; above each the rule as nft would write it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "guard_rules.h"
#include "nft_expr.h"

#define TCP_FLAGS_OFFSET    13
#define TCP_SYN		    0x02
#define TCP_FIN_RST	    0x05
#define TCP_FIN_SYN_RST_ACK 0x17

static int l4_is(struct nftnl_rule *rule, uint8_t protocol)
{
	return nft_expr_meta_is(rule, NFT_META_L4PROTO, &protocol, sizeof(protocol));
}

/* ip daddr ADDRESS, or ip6 daddr ADDRESS; saddr likewise */
static int add_match(struct nftnl_rule *rule, const struct takeover_address *a, bool destination)
{
	uint32_t len = takeover_family_len(a->family);
	uint32_t offset;

	if (a->family == AF_INET)
		offset =
			destination ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr);
	else
		offset = destination ? offsetof(struct ip6_hdr, ip6_dst)
				     : offsetof(struct ip6_hdr, ip6_src);
	if (nft_expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, len) < 0)
		return -ENOMEM;
	return nft_expr_cmp(rule, NFT_CMP_EQ, a->ip, len);
}

/* queue num QUEUE; or the same as "-j NFQUEUE --queue-num QUEUE"; or drop */
static int add_hold(struct nftnl_rule *rule, enum takeover_guard_mode mode, uint16_t queue)
{
	struct xt_NFQ_info_v3 *info;
	struct nftnl_expr *e;

	if (mode == TAKEOVER_GUARD_DROP)
		return nft_expr_verdict(rule, NF_DROP);
	e = nft_expr_add(rule, mode == TAKEOVER_GUARD_QUEUE ? "queue" : "target");
	if (!e)
		return -ENOMEM;
	if (mode == TAKEOVER_GUARD_QUEUE) {
		nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_NUM, queue);
		nftnl_expr_set_u16(e, NFTNL_EXPR_QUEUE_TOTAL, 1);
		return 0;
	}
	/* libnftnl frees it; x_tables wants its size rounded up to 8 (XT_ALIGN). */
	info = calloc(1, (sizeof(*info) + 7) & ~7UL);
	if (!info)
		return -ENOMEM;
	info->queuenum = queue;
	info->queues_total = 1;
	nftnl_expr_set_str(e, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(e, NFTNL_EXPR_TG_REV, GUARD_NFQUEUE_REVISION);
	nftnl_expr_set(e, NFTNL_EXPR_TG_INFO, info, (sizeof(*info) + 7) & ~7UL);
	return 0;
}

/* nft add rule ip TABLE in ip daddr ADDRESS queue num QUEUE; out: ip saddr */
struct nftnl_rule *guard_rule_hold(const struct takeover_address *a, enum takeover_guard_mode mode,
				   uint16_t queue, bool in)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, add_match(rule, a, in) ?: add_hold(rule, mode, queue));
}

/* tcp flags & MASK, compared with VALUE */
static int add_tcp_flags(struct nftnl_rule *rule, uint8_t mask, uint32_t op, uint8_t value)
{
	static const uint8_t zero;
	struct nftnl_expr *e;
	int ret;

	ret = l4_is(rule, IPPROTO_TCP)
		      ?: nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	e = ret == 0 ? nft_expr_add(rule, "bitwise") : NULL;
	if (!e)
		return -ENOMEM;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, 1);
	return nft_expr_cmp(rule, op, &value, 1);
}

/* nft add rule ip TABLE in ip daddr ADDRESS tcp flags & (fin|syn|rst|ack) == syn queue ... */
struct nftnl_rule *guard_rule_syn_hold(const struct takeover_address *a,
				       enum takeover_guard_mode mode, uint16_t queue)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, add_match(rule, a, true) ?:
			  add_tcp_flags(rule, TCP_FIN_SYN_RST_ACK, NFT_CMP_EQ, TCP_SYN) ?:
			  add_hold(rule, mode, queue));
}

/* nft add rule ip TABLE out ip saddr ADDRESS tcp flags & (fin|rst) != 0 drop */
struct nftnl_rule *guard_rule_fin_rst_drop(const struct takeover_address *a)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, add_match(rule, a, false) ?:
			  add_tcp_flags(rule, TCP_FIN_RST, NFT_CMP_NEQ, 0) ?:
			  nft_expr_verdict(rule, NF_DROP));
}

/* nft add rule arp TABLE in arp daddr ip ADDRESS drop; out: arp saddr ip */
struct nftnl_rule *guard_rule_arp_drop(const struct takeover_address *a, enum guard_arp_field field)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, nft_expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, field, 4) ?:
			  nft_expr_cmp(rule, NFT_CMP_EQ, a->ip, 4) ?: nft_expr_verdict(rule, NF_DROP));
}

static int add_icmpv6(struct nftnl_rule *rule, uint32_t op, uint8_t type)
{
	return l4_is(rule, IPPROTO_ICMPV6) ?:
	       nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1) ?:
	       nft_expr_cmp(rule, op, &type, 1);
}

/* nft add rule ip6 TABLE in ip6 daddr ADDRESS icmpv6 type >= nd-router-solicit accept
 * (RFC 4861: types 133 to 137; what lies above them is no unicast service's); out: saddr */
struct nftnl_rule *guard_rule_neighbour_accept(const struct takeover_address *a, bool in)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, add_match(rule, a, in) ?:
			  add_icmpv6(rule, NFT_CMP_GTE, ND_ROUTER_SOLICIT) ?:
			  nft_expr_verdict(rule, NF_ACCEPT));
}

/* nft add rule ip6 TABLE in icmpv6 type nd-neighbor-solicit icmpv6 target ADDRESS drop */
struct nftnl_rule *guard_rule_solicitation_drop(const struct takeover_address *a)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return NULL;
	return nft_expr_done(rule, add_icmpv6(rule, NFT_CMP_EQ, ND_NEIGHBOR_SOLICIT) ?:
			  nft_expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16) ?:
			  nft_expr_cmp(rule, NFT_CMP_EQ, a->ip, 16) ?: nft_expr_verdict(rule, NF_DROP));
}
