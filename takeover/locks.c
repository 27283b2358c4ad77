// SPDX-License-Identifier: GPL-2.0-only
/* CRIU's own locks, found and removed by libnftnl. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
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
#include "nft_batch.h"

#define SOCCR_MARK 0xc114 /* criu soccr/soccr.h */
#define AT_ONCE	   100
#define TRIES	   3

struct finder {
	const struct takeover_address *addresses; /* NULL: any */
	size_t n;
	uint32_t family; /* what is looked at */
	const char *chain;
	bool found, failed; /* no memory */
	struct takeover_locks *locks;
};

static void add_lock(struct finder *f, const char *table, const char *chain, uint64_t handle)
{
	struct takeover_lock *all =
		realloc(f->locks->all, (f->locks->n + 1) * sizeof(struct takeover_lock));
	struct takeover_lock *lock;

	f->failed |= !all;
	if (!all)
		return;
	f->locks->all = all;
	lock = &all[f->locks->n++];
	lock->family = f->family;
	lock->handle = handle;
	snprintf(lock->table, sizeof(lock->table), "%s", table);
	snprintf(lock->chain, sizeof(lock->chain), "%s", chain);
}

static bool is_ours(const struct finder *f, int family, const void *ip)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->addresses[i].family == family &&
		    memcmp(f->addresses[i].ip, ip, takeover_family_len(family)) == 0)
			return true;
	return !f->addresses;
}

/* What a rule has loaded into its register. */
enum loaded { NOTHING, OWN_ADDRESS, MARK };

static enum loaded payload_loads(const struct finder *f, const struct nftnl_expr *e)
{
	bool v6 = f->family == NFPROTO_IPV6, in = strcmp(f->chain, "INPUT") == 0;
	uint32_t offset =
		v6 ? (in ? offsetof(struct ip6_hdr, ip6_dst) : offsetof(struct ip6_hdr, ip6_src))
		   : (in ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr));

	return nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE) == NFT_PAYLOAD_NETWORK_HEADER &&
			       nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET) == offset &&
			       nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN) == (v6 ? 16 : 4)
		       ? OWN_ADDRESS
		       : NOTHING;
}

struct rule {
	const struct finder *finder;
	enum loaded loaded;
	bool address, mark, drop;
};

static void compare(struct rule *rule, const struct nftnl_expr *e)
{
	int family = rule->finder->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), len = 0, mark = SOCCR_MARK;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);

	if (rule->loaded == OWN_ADDRESS && op == NFT_CMP_EQ && len >= takeover_family_len(family))
		rule->address = is_ours(rule->finder, family, data);
	if (rule->loaded == MARK && op == NFT_CMP_NEQ && len == sizeof(mark))
		rule->mark = memcmp(data, &mark, sizeof(mark)) == 0;
}

static int on_expr(struct nftnl_expr *e, void *data)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	enum loaded loads = NOTHING;
	struct rule *rule = data;
	uint32_t len = 0;

	if (strcmp(name, "payload") == 0)
		loads = payload_loads(rule->finder, e);
	else if (strcmp(name, "meta") == 0)
		loads = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY) == NFT_META_MARK ? MARK
										    : NOTHING;
	else if (strcmp(name, "cmp") == 0)
		compare(rule, e);
	else if (strcmp(name, "immediate") == 0)
		rule->drop = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_DROP;
	else if (strcmp(name, "match") == 0 &&
		 strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME), "mark") == 0) {
		/* Older versions of iptables-nft */
		const struct xt_mark_mtinfo1 *info = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len);

		rule->mark = len >= sizeof(*info) && info->mark == SOCCR_MARK && info->invert;
	}
	rule->loaded = loads;
	return 0;
}

/* iptables -I INPUT -p tcp -m mark ! --mark 0xc114 -s PEER --sport .. -d OURS --dport .. -j DROP */
static int on_rule(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct finder *f = data;
	struct rule rule = { .finder = f };

	if (!r)
		return MNL_CB_ERROR;
	if (nftnl_rule_nlmsg_parse(hdr, r) == 0) {
		nftnl_expr_foreach(r, on_expr, &rule);
		if (rule.address && rule.mark && rule.drop)
			add_lock(f, nftnl_rule_get_str(r, NFTNL_RULE_TABLE), f->chain,
				 nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE));
	}
	nftnl_rule_free(r);
	return MNL_CB_OK;
}

static int find_rules(struct nft_batch *batch, struct finder *f, uint32_t family, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *hdr;

	if (!r)
		return -ENOMEM;
	f->family = family;
	f->chain = chain;
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, "filter");
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	hdr = nft_question(batch, buf, NFT_MSG_GETRULE, family);
	nftnl_rule_nlmsg_build_payload(hdr, r);
	nftnl_rule_free(r);
	return nft_ask(batch, hdr, on_rule, f);
}

/* The elements are address . port . address . port, the local end in either place. */
static int on_element(struct nftnl_set_elem *e, void *data)
{
	struct finder *f = data;
	uint32_t len = 0;
	const unsigned char *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);
	size_t half = len / 2;

	if (half == 4 + 4)
		f->found |= is_ours(f, AF_INET, key) || is_ours(f, AF_INET, key + half);
	else if (half == 16 + 4)
		f->found |= is_ours(f, AF_INET6, key) || is_ours(f, AF_INET6, key + half);
	return 0;
}

static int on_elements(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (!s)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(hdr, s) == 0)
		nftnl_set_elem_foreach(s, on_element, data);
	nftnl_set_free(s);
	return MNL_CB_OK;
}

static int find_elements(struct nft_batch *batch, struct finder *f, const char *table,
			 const char *set)
{
	struct nftnl_set *s = nftnl_set_alloc();
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *hdr;
	int ret;

	if (!s)
		return -ENOMEM;
	nftnl_set_set_str(s, NFTNL_SET_TABLE, table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set);
	hdr = nft_question(batch, buf, NFT_MSG_GETSETELEM, NFPROTO_INET);
	nftnl_set_elems_nlmsg_build_payload(hdr, s);
	nftnl_set_free(s);
	ret = nft_ask(batch, hdr, on_elements, f);
	return ret == -ENOENT ? 0 : ret;
}

static int on_table(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct finder *f = data;

	if (!t)
		return MNL_CB_ERROR;
	if (nftnl_table_nlmsg_parse(hdr, t) == 0) {
		const char *name = nftnl_table_get_str(t, NFTNL_TABLE_NAME);

		if (strncmp(name, "CRIU-", 5) == 0)
			add_lock(f, name, "", 0);
	}
	nftnl_table_free(t);
	return MNL_CB_OK;
}

/* Each is of one CRIU, which has dumped one tree: one connection of ours makes it ours. */
static int find_tables(struct nft_batch *batch, struct finder *f)
{
	struct takeover_locks *locks = f->locks;
	_Alignas(struct nlmsghdr) char buf[512];
	size_t kept = 0;
	int ret;

	f->family = NFPROTO_INET;
	ret = nft_ask(batch, nft_question(batch, buf, NFT_MSG_GETTABLE, NFPROTO_INET), on_table, f);
	for (size_t i = 0; ret == 0 && i < locks->n; i++) {
		f->found = !f->addresses;
		if (!f->found)
			ret = find_elements(batch, f, locks->all[i].table, "conns4")
				      ?: find_elements(batch, f, locks->all[i].table, "conns6");
		if (f->found)
			locks->all[kept++] = locks->all[i];
	}
	locks->n = kept;
	return ret;
}

static int list(struct nft_batch *batch, struct finder *f)
{
	int ret = find_tables(batch, f);

	for (int i = 0; ret == 0 && i < 4; i++)
		ret = find_rules(batch, f, i < 2 ? NFPROTO_IPV4 : NFPROTO_IPV6,
				 i % 2 ? "OUTPUT" : "INPUT");
	return ret < 0 ? ret : f->failed ? -ENOMEM : 0;
}

int takeover_locks_list(const struct takeover_address *addresses, size_t n,
			struct takeover_locks *ret_locks)
{
	struct takeover_locks locks = { 0 };
	struct finder f = { .addresses = addresses, .n = n, .locks = &locks };
	struct nft_batch *batch;
	int ret;

	ret = nft_batch_open(&batch);
	if (ret < 0)
		return ret == -EPROTONOSUPPORT ? 0 : ret;
	ret = -EINTR;
	/* Rules that change while they are listed */
	for (int i = 0; i < TRIES && ret == -EINTR; i++) {
		locks.n = 0;
		ret = list(batch, &f);
	}
	nft_batch_close(batch);
	if (ret < 0) {
		free(locks.all);
		return ret;
	}
	*ret_locks = locks;
	return 0;
}

static int delete_table(struct nft_batch *batch, const struct takeover_lock *lock)
{
	struct nftnl_table *t = nftnl_table_alloc();

	if (!t)
		return -ENOMEM;
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, lock->table);
	nftnl_table_nlmsg_build_payload(nft_batch_message(batch, NFT_MSG_DELTABLE, lock->family, 0),
					t);
	nftnl_table_free(t);
	return 0;
}

static int delete_rule(struct nft_batch *batch, const struct takeover_lock *lock)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (!r)
		return -ENOMEM;
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, lock->family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, lock->table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, lock->chain);
	nftnl_rule_set_u64(r, NFTNL_RULE_HANDLE, lock->handle);
	nftnl_rule_nlmsg_build_payload(nft_batch_message(batch, NFT_MSG_DELRULE, lock->family, 0),
				       r);
	nftnl_rule_free(r);
	return 0;
}

/* One transaction; it fails whole when one of them is gone already. */
static int delete_some(struct nft_batch *batch, const struct takeover_lock *locks, size_t n)
{
	int ret = nft_batch_begin(batch);

	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = locks[i].chain[0] ? delete_rule(batch, &locks[i])
					: delete_table(batch, &locks[i]);
	return ret ?: nft_batch_commit(batch);
}

static int delete_each(struct nft_batch *batch, const struct takeover_lock *locks, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		ret = delete_some(batch, &locks[i], 1);
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

int takeover_locks_remove(const struct takeover_locks *locks)
{
	struct nft_batch *batch = NULL;
	int ret;

	ret = nft_batch_open(&batch);
	for (size_t i = 0; ret == 0 && i < locks->n; i += AT_ONCE) {
		size_t n = locks->n - i < AT_ONCE ? locks->n - i : AT_ONCE;

		ret = delete_some(batch, locks->all + i, n);
		if (ret == -ENOENT)
			ret = delete_each(batch, locks->all + i, n);
	}
	nft_batch_close(batch);
	return ret;
}

int takeover_locks_clear(const struct takeover_address *addresses, size_t n)
{
	struct takeover_locks locks;
	int ret = takeover_locks_list(addresses, n, &locks);

	if (ret < 0 || locks.n == 0)
		return ret;
	ret = takeover_locks_remove(&locks);
	free(locks.all);
	return ret < 0 ? ret : (int)locks.n;
}
