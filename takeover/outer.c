// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "guard.h"
#include "guard_tables.h"
#include "nft_batch.h"
#include "nft_expr.h"
#include "outer.h"

#define PREFIX	 "outer-"
#define PRIORITY -500

/* Offsets in the headers of Ethernet, ARP (RFC 826) and IPv6. */
enum { TO_MAC = 0, FROM_MAC = 6, ARP_OPERATION = 6, ARP_SENDER = 14, IP6_NEXT = 6, IP6_FROM = 8 };

static const unsigned char zeros[16];

/* @base,offset,len == data */
static int match(struct nftnl_rule *rule, uint32_t base, uint32_t offset, const void *data,
		 uint32_t len)
{
	return nft_expr_payload(rule, base, offset, len)
		       ?: nft_expr_cmp(rule, NFT_CMP_EQ, data, len);
}

static int match_protocol(struct nftnl_rule *rule, uint16_t protocol)
{
	uint16_t value = htons(protocol);

	return nft_expr_meta_is(rule, NFT_META_PROTOCOL, &value, sizeof(value));
}

/* arp operation reply accept */
static struct nftnl_rule *arp_answer(void)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	uint16_t reply = htons(ARPOP_REPLY);

	if (!r)
		return NULL;
	return nft_expr_done(r, match_protocol(r, ETH_P_ARP)
			       ?: match(r, NFT_PAYLOAD_NETWORK_HEADER, ARP_OPERATION, &reply, 2)
			       ?: nft_expr_verdict(r, NF_ACCEPT));
}

/* arp saddr ip 0.0.0.0 accept */
static struct nftnl_rule *arp_question(void)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (!r)
		return NULL;
	return nft_expr_done(r, match_protocol(r, ETH_P_ARP)
			       ?: match(r, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER, zeros, 4)
			       ?: nft_expr_verdict(r, NF_ACCEPT));
}

/* icmpv6 type nd-neighbor-advert accept; ip6 saddr :: icmpv6 type nd-neighbor-solicit accept */
static struct nftnl_rule *nd(uint8_t type, bool unspecified)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	uint8_t icmp = IPPROTO_ICMPV6;
	int ret;

	if (!r)
		return NULL;
	ret = match_protocol(r, ETH_P_IPV6)
		      ?: match(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_NEXT, &icmp, 1);
	if (ret == 0 && unspecified)
		ret = match(r, NFT_PAYLOAD_NETWORK_HEADER, IP6_FROM, zeros, 16);
	return nft_expr_done(r, ret ?: match(r, NFT_PAYLOAD_NETWORK_HEADER, 40, &type, 1)
			     ?: nft_expr_verdict(r, NF_ACCEPT));
}

/* ether daddr MAC drop, ether saddr MAC drop */
static struct nftnl_rule *drop(const unsigned char *mac, bool in)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (!r)
		return NULL;
	return nft_expr_done(r, match(r, NFT_PAYLOAD_LL_HEADER, in ? TO_MAC : FROM_MAC, mac, 6)
					?: nft_expr_verdict(r, NF_DROP));
}

static int put_chain(struct nft_batch *batch, const char *table, const char *name, bool in,
		     const char *device)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		return -ENOMEM;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_str(c, NFTNL_CHAIN_DEV, device);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, in ? NF_NETDEV_INGRESS : NF_NETDEV_EGRESS);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY);
	nftnl_chain_nlmsg_build_payload(
		nft_batch_message(batch, NFT_MSG_NEWCHAIN, NFPROTO_NETDEV, NLM_F_CREATE), c);
	nftnl_chain_free(c);
	return 0;
}

static int put(struct nft_batch *batch, const char *table, const char *chain,
	       struct nftnl_rule *rule)
{
	return guard_put_rule(batch, NFPROTO_NETDEV, table, chain, rule);
}

/* nft add chain netdev TABLE in0 '{ type filter hook ingress device DEVICE priority -500; }' */
static int put_one(struct nft_batch *batch, const char *table, const struct takeover_outer *o,
		   size_t i)
{
	char in[32], out[32];

	snprintf(in, sizeof(in), "in%zu", i);
	snprintf(out, sizeof(out), "out%zu", i);
	return put_chain(batch, table, in, true, o->device)
		       ?: put_chain(batch, table, out, false, o->device)
		       ?: put(batch, table, in, arp_answer())
		       ?: put(batch, table, in, nd(ND_NEIGHBOR_ADVERT, false))
		       ?: put(batch, table, in, drop(o->mac, true))
		       ?: put(batch, table, out, arp_question())
		       ?: put(batch, table, out, nd(ND_NEIGHBOR_SOLICIT, true))
		       ?: put(batch, table, out, drop(o->mac, false));
}

static void name_of(pid_t pid, char *buf, size_t len)
{
	snprintf(buf, len, PREFIX "%d", (int)pid);
}

/* Those of processes that were killed: a container that comes back would be shut off for ever. */
static void remove_unused(void)
{
	char(*names)[TAKEOVER_GUARD_NAME_LEN] = NULL;
	size_t n = 0;

	if (takeover_guard_list(&names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strncmp(names[i], PREFIX, strlen(PREFIX)) == 0 &&
		    !takeover_outer_is_used(names[i]))
			takeover_guard_remove(names[i]);
	free(names);
}

int takeover_outer_set(const struct takeover_outer *all, size_t n)
{
	char name[32], table[64];
	struct nft_batch *batch;
	int ret;

	remove_unused();
	ret = nft_batch_open(&batch);
	if (ret < 0)
		return ret;
	name_of(getpid(), name, sizeof(name));
	snprintf(table, sizeof(table), "ip-takeover-%s", name);
	ret = nft_batch_begin(batch) ?: guard_put_table(batch, NFPROTO_NETDEV, table, 0);
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = put_one(batch, table, &all[i], i);
	ret = ret ?: nft_batch_commit(batch);
	nft_batch_close(batch);
	return ret;
}

int takeover_outer_remove(void)
{
	char name[32];

	name_of(getpid(), name, sizeof(name));
	return takeover_guard_remove(name);
}

bool takeover_outer_is_used(const char *name)
{
	char path[64], comm[32] = "";
	int pid;
	FILE *f;

	if (sscanf(name, PREFIX "%d", &pid) != 1)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(comm, sizeof(comm), f))
		comm[0] = '\0';
	fclose(f);
	return strncmp(comm, "ip-takeover", 11) == 0;
}
