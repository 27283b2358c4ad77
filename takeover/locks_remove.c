// SPDX-License-Identifier: GPL-2.0-only
/* CRIU's own locks: which are ours, and their end. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>

#include "locks.h"
#include "nft_batch.h"

#define AT_ONCE 100

static bool same_table(const struct takeover_lock *a, const struct takeover_lock *b)
{
	return !a->chain[0] && !b->chain[0] && strcmp(a->table, b->table) == 0;
}

static bool is_of(const struct takeover_lock *lock, const struct takeover_address *a)
{
	size_t len = takeover_family_len(a->family);
	bool from = memcmp(lock->from, a->ip, len) == 0, to = memcmp(lock->to, a->ip, len) == 0;

	if (lock->ip_family != a->family)
		return false;
	/* Of a rule the local end is known. */
	if (lock->chain[0])
		return strcmp(lock->chain, "INPUT") == 0 ? to : from;
	return from || to;
}

/* "policy drop", for a namespace that CRIU has to itself (criu/netfilter.c,
 * nftables_network_lock_internal()): there are no elements. */
static bool is_of_all(const struct takeover_lock *lock)
{
	return !lock->chain[0] && lock->ip_family == 0;
}

static void keep(struct takeover_locks *locks, const struct takeover_address *addresses, size_t n,
		 bool whole)
{
	size_t kept = 0, end;

	for (size_t i = 0; i < locks->n; i = end) {
		bool ours = whole && is_of_all(&locks->all[i]);

		for (end = i;
		     end == i || (end < locks->n && same_table(&locks->all[i], &locks->all[end]));
		     end++)
			for (size_t k = 0; k < n; k++)
				ours |= is_of(&locks->all[end], &addresses[k]);
		for (size_t k = i; ours && k < end; k++)
			locks->all[kept++] = locks->all[k];
	}
	locks->n = kept;
}

void takeover_locks_keep(struct takeover_locks *locks, const struct takeover_address *addresses,
			 size_t n)
{
	keep(locks, addresses, n, false);
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

int takeover_locks_remove(struct takeover_locks *locks)
{
	struct nft_batch *batch = NULL;
	size_t kept = 0;
	int ret;

	for (size_t i = 0; i < locks->n; i++)
		if (kept == 0 || !same_table(&locks->all[kept - 1], &locks->all[i]))
			locks->all[kept++] = locks->all[i];
	locks->n = kept;
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

int takeover_locks_clear(const struct takeover_address *addresses, size_t n, bool whole)
{
	struct takeover_locks locks = { 0 };
	int ret = takeover_locks_list(&locks);

	if (ret < 0)
		return ret;
	keep(&locks, addresses, n, whole);
	ret = locks.n > 0 ? takeover_locks_remove(&locks) : 0;
	free(locks.all);
	return ret < 0 ? ret : (int)locks.n;
}
