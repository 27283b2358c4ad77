// SPDX-License-Identifier: GPL-2.0-only
/* CRIU's own locks, found by libnftnl. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_mark.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "locks.h"
#include "netlink.h"
#include "nft_batch.h"

#define SOCCR_MARK 0xc114 /* criu soccr/soccr.h */

struct finder {
	struct nft_batch *batch;
	struct takeover_locks *locks;
	char (*tables)[64]; /* named CRIU-... */
	size_t n_tables;
	const char *table; /* the one that is looked at */
};

static int add_lock(struct finder *f, const struct takeover_lock *lock)
{
	struct takeover_lock *all = realloc(f->locks->all, (f->locks->n + 1) * sizeof(*all));

	if (!all)
		return MNL_CB_ERROR;
	f->locks->all = all;
	all[f->locks->n++] = *lock;
	return MNL_CB_OK;
}

/* A rule, expression by expression. */
struct rule {
	struct takeover_lock lock;
	uint32_t base, offset, len; /* what is in the register */
	bool meta_mark;		    /* that is */
	bool marked, drops;
};

static uint16_t port_at(const unsigned char *data)
{
	return data[0] << 8 | data[1];
}

static void compare(struct rule *r, const unsigned char *data, uint32_t len)
{
	bool v6 = r->lock.family == NFPROTO_IPV6;
	uint32_t from = v6 ? offsetof(struct ip6_hdr, ip6_src) : offsetof(struct iphdr, saddr);
	uint32_t to = v6 ? offsetof(struct ip6_hdr, ip6_dst) : offsetof(struct iphdr, daddr);
	uint32_t ip = v6 ? 16 : 4;

	if (len < r->len)
		return;
	if (r->base == NFT_PAYLOAD_NETWORK_HEADER && r->offset == from && r->len == ip) {
		memcpy(r->lock.from, data, ip);
		r->lock.ip_family = v6 ? AF_INET6 : AF_INET;
	}
	if (r->base == NFT_PAYLOAD_NETWORK_HEADER && r->offset == to && r->len == ip)
		memcpy(r->lock.to, data, ip);
	if (r->base == NFT_PAYLOAD_TRANSPORT_HEADER && r->offset == 0 && r->len >= 2)
		r->lock.from_port = port_at(data);
	if (r->base == NFT_PAYLOAD_TRANSPORT_HEADER && r->offset == 0 && r->len == 4)
		r->lock.to_port = port_at(data + 2);
	if (r->base == NFT_PAYLOAD_TRANSPORT_HEADER && r->offset == 2 && r->len == 2)
		r->lock.to_port = port_at(data);
}

static void on_cmp(struct rule *r, const struct nftnl_expr *e)
{
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), len = 0, mark = SOCCR_MARK;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);

	if (r->meta_mark)
		r->marked |= op == NFT_CMP_NEQ && len == sizeof(mark) &&
			     memcmp(data, &mark, sizeof(mark)) == 0;
	else if (op == NFT_CMP_EQ)
		compare(r, data, len);
}

/* Older versions of iptables-nft have the mark as a match of x_tables. */
static void on_match(struct rule *r, const struct nftnl_expr *e)
{
	uint32_t len = 0;
	const struct xt_mark_mtinfo1 *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len);

	if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME), "mark") == 0 && len >= sizeof(*info))
		r->marked |= info->mark == SOCCR_MARK && info->invert;
}

static int on_expr(struct nftnl_expr *e, void *data)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct rule *r = data;

	if (strcmp(name, "payload") == 0) {
		r->meta_mark = false;
		r->base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);
		r->offset = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
		r->len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
		return 0;
	}
	if (strcmp(name, "meta") == 0) {
		r->meta_mark = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY) == NFT_META_MARK;
		r->len = 0;
		return 0;
	}
	if (strcmp(name, "cmp") == 0)
		on_cmp(r, e);
	else if (strcmp(name, "match") == 0)
		on_match(r, e);
	else if (strcmp(name, "immediate") == 0)
		r->drops = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_DROP;
	r->meta_mark = false;
	r->len = 0;
	return 0;
}

/* iptables -I INPUT -p tcp -m mark ! --mark 0xc114 -s FROM --sport .. -d TO --dport .. -j DROP */
static int on_rule(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct rule rule = { 0 };
	int ret = MNL_CB_OK;

	if (!r)
		return MNL_CB_ERROR;
	if (nftnl_rule_nlmsg_parse(hdr, r) == 0) {
		rule.lock.family = nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY);
		rule.lock.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE);
		snprintf(rule.lock.table, sizeof(rule.lock.table), "%s",
			 nftnl_rule_get_str(r, NFTNL_RULE_TABLE));
		snprintf(rule.lock.chain, sizeof(rule.lock.chain), "%s",
			 nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
		nftnl_expr_foreach(r, on_expr, &rule);
		if (rule.lock.ip_family != 0 && rule.marked && rule.drops)
			ret = add_lock(data, &rule.lock);
	}
	nftnl_rule_free(r);
	return ret;
}

static int find_rules(struct finder *f, uint32_t family, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *hdr;

	if (!r)
		return -ENOMEM;
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, "filter");
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	hdr = nft_question(f->batch, buf, NFT_MSG_GETRULE, family);
	nftnl_rule_nlmsg_build_payload(hdr, r);
	nftnl_rule_free(r);
	return nft_ask(f->batch, hdr, on_rule, f);
}

/* An element is address . port . address . port, each padded to 4 bytes. */
static int on_element(struct nftnl_set_elem *e, void *data)
{
	struct takeover_lock lock = { .family = NFPROTO_INET };
	struct finder *f = data;
	uint32_t len = 0;
	const unsigned char *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	size_t ip = len / 2 - 4;

	if (len != 2 * (4 + 4) && len != 2 * (16 + 4))
		return 0;
	snprintf(lock.table, sizeof(lock.table), "%s", f->table);
	lock.ip_family = ip == 4 ? AF_INET : AF_INET6;
	memcpy(lock.from, key, ip);
	lock.from_port = port_at(key + ip);
	memcpy(lock.to, key + ip + 4, ip);
	lock.to_port = port_at(key + ip + 4 + ip);
	return add_lock(f, &lock) == MNL_CB_OK ? 0 : -1;
}

static int on_elements(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_set *s = nftnl_set_alloc();
	int ret = MNL_CB_OK;

	if (!s)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(hdr, s) == 0 &&
	    nftnl_set_elem_foreach(s, on_element, data) < 0)
		ret = MNL_CB_ERROR;
	nftnl_set_free(s);
	return ret;
}

static int find_elements(struct finder *f, const char *set)
{
	struct nftnl_set *s = nftnl_set_alloc();
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *hdr;
	int ret;

	if (!s)
		return -ENOMEM;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, f->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set);
	hdr = nft_question(f->batch, buf, NFT_MSG_GETSETELEM, NFPROTO_INET);
	nftnl_set_elems_nlmsg_build_payload(hdr, s);
	nftnl_set_free(s);
	ret = nft_ask(f->batch, hdr, on_elements, f);
	return ret == -ENOENT ? 0 : ret;
}

static int find_in_table(struct finder *f, const char *table)
{
	struct takeover_lock nothing = { .family = NFPROTO_INET };
	size_t before = f->locks->n;
	int ret;

	f->table = table;
	ret = find_elements(f, "conns4") ?: find_elements(f, "conns6");
	if (ret == 0 && f->locks->n == before) {
		snprintf(nothing.table, sizeof(nothing.table), "%s", table);
		ret = add_lock(f, &nothing) == MNL_CB_OK ? 0 : -ENOMEM;
	}
	return ret;
}

static int list(struct finder *f)
{
	int ret = nft_table_names(f->batch, NFPROTO_INET, "CRIU-", &f->tables, &f->n_tables);

	for (size_t i = 0; ret == 0 && i < f->n_tables; i++)
		ret = find_in_table(f, f->tables[i]);
	free(f->tables);
	f->tables = NULL;
	for (int i = 0; ret == 0 && i < 4; i++)
		ret = find_rules(f, i < 2 ? NFPROTO_IPV4 : NFPROTO_IPV6,
				 i % 2 ? "OUTPUT" : "INPUT");
	return ret;
}

int takeover_locks_list(struct takeover_locks *ret_locks)
{
	struct takeover_locks locks = { 0 };
	struct finder f = { .locks = &locks };
	int ret, tries = 0;

	ret = nft_batch_open(&f.batch);
	if (ret < 0)
		return ret == -EPROTONOSUPPORT ? 0 : ret;
	do {
		locks.n = 0;
		ret = list(&f);
	} while (takeover_nl_again(ret, &tries));
	nft_batch_close(f.batch);
	if (ret < 0) {
		free(locks.all);
		return ret;
	}
	*ret_locks = locks;
	return 0;
}
