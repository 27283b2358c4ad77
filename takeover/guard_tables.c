// SPDX-License-Identifier: GPL-2.0-only
/* The guard's tables with their chains, by libnftnl. */
#include <errno.h>
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter/nf_tables.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>

#include "guard_tables.h"
#include "nft_batch.h"

#define PRIORITY_RAW -300

struct chain {
	const char *name;
	uint32_t hook;
	int32_t priority;
};

static const struct chain ip_chains[] = {
	{ "in", NF_INET_PRE_ROUTING, PRIORITY_RAW },
	{ "out", NF_INET_LOCAL_OUT, PRIORITY_RAW },
};

/* The hooks of the arp family have numbers of their own. */
static const struct chain arp_chains[] = {
	{ "in", NF_ARP_IN, 0 },
	{ "out", NF_ARP_OUT, 0 },
};

#define N_CHAINS 2

static int put_table(struct nft_batch *batch, uint16_t type, uint32_t family, const char *table)
{
	uint16_t flags = type == NFT_MSG_NEWTABLE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nftnl_table *t = nftnl_table_alloc();

	if (!t)
		return -ENOMEM;
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, table);
	nftnl_table_nlmsg_build_payload(nft_batch_message(batch, type, family, flags), t);
	nftnl_table_free(t);
	return 0;
}

static int put_chain(struct nft_batch *batch, uint32_t family, const char *table,
		     const struct chain *chain)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		return -ENOMEM;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, chain->hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chain->priority);
	nftnl_chain_nlmsg_build_payload(
		nft_batch_message(batch, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE), c);
	nftnl_chain_free(c);
	return 0;
}

int guard_put_rule(struct nft_batch *batch, uint32_t family, const char *table, const char *chain,
		   struct nftnl_rule *rule)
{
	if (!rule)
		return -ENOMEM;
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_nlmsg_build_payload(
		nft_batch_message(batch, NFT_MSG_NEWRULE, family, NLM_F_CREATE | NLM_F_APPEND),
		rule);
	nftnl_rule_free(rule);
	return 0;
}

int guard_flush_chain(struct nft_batch *batch, uint32_t family, const char *table,
		      const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -ENOMEM;
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_nlmsg_build_payload(nft_batch_message(batch, NFT_MSG_DELRULE, family, 0), rule);
	nftnl_rule_free(rule);
	return 0;
}

int guard_put_table(struct nft_batch *batch, uint32_t family, const char *table, int later)
{
	const struct chain *chains = family == NFPROTO_ARP ? arp_chains : ip_chains;
	int ret = put_table(batch, NFT_MSG_NEWTABLE, family, table);

	/* Those of netdev have a device each. */
	if (family == NFPROTO_NETDEV)
		return ret;
	for (size_t i = 0; ret == 0 && i < N_CHAINS; i++) {
		struct chain chain = chains[i];

		chain.priority += later;
		ret = put_chain(batch, family, table, &chain);
	}
	return ret;
}

int guard_delete_table(struct nft_batch *batch, uint32_t family, const char *table)
{
	return put_table(batch, NFT_MSG_DELTABLE, family, table);
}
