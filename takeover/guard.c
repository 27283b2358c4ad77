// SPDX-License-Identifier: GPL-2.0-only
/* The guard, one transaction a change. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <linux/netfilter.h>

#include "guard.h"
#include "guard_rules.h"
#include "guard_tables.h"
#include "nft_batch.h"

struct takeover_guard {
	struct nft_batch *batch;
	enum takeover_guard_mode mode;
	char table[64];
	struct takeover_address *addresses;
	size_t n;
	uint16_t queue, queue_out;
	bool muted;
};

static void table_name(const char *name, char *buf, size_t len)
{
	snprintf(buf, len, "ip-takeover-%s", name);
}

const char *takeover_guard_mode_name(enum takeover_guard_mode mode)
{
	static const char *const names[] = { "queue", "queue through nft_compat", "drop" };

	return names[mode];
}

static uint32_t nft_family(const struct takeover_address *address)
{
	return address->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

static bool has_family(const struct takeover_guard *guard, int family)
{
	for (size_t i = 0; i < guard->n; i++)
		if (guard->addresses[i].family == family)
			return true;
	return false;
}

static int put_mute(struct nft_batch *batch, const char *table, const struct takeover_address *a)
{
	int ret;

	if (a->family == AF_INET6)
		return guard_put_rule(batch, NFPROTO_IPV6, table, "in",
				      guard_rule_solicitation_drop(a));
	ret = guard_put_rule(batch, NFPROTO_ARP, table, "in",
			     guard_rule_arp_drop(a, GUARD_ARP_TARGET));
	if (ret < 0)
		return ret;
	return guard_put_rule(batch, NFPROTO_ARP, table, "out",
			      guard_rule_arp_drop(a, GUARD_ARP_SENDER));
}

/* Hold all that comes for the address, or leaves from it. */
static int put_hold(struct takeover_guard *guard, const struct takeover_address *a, bool in)
{
	const char *chain = in ? "in" : "out";
	int ret = 0;

	/* Neighbour discovery is not the service's traffic: it goes on. */
	if (a->family == AF_INET6)
		ret = guard_put_rule(guard->batch, NFPROTO_IPV6, guard->table, chain,
				     guard_rule_neighbour_accept(a, in));
	if (ret < 0)
		return ret;
	return guard_put_rule(
		guard->batch, nft_family(a), guard->table, chain,
		guard_rule_hold(a, guard->mode, in ? guard->queue : guard->queue_out, in));
}

static int put_muted(struct takeover_guard *guard, const struct takeover_address *a)
{
	int ret = put_mute(guard->batch, guard->table, a) ?: put_hold(guard, a, true);

	if (ret == 0)
		ret = guard_put_rule(guard->batch, nft_family(a), guard->table, "out",
				     guard_rule_fin_rst_drop(a));
	/* CRIU sends what was never sent while it still makes the sockets. Lost, it would
	 * wait for a timer of three seconds; asked for, a muted neighbour for one. */
	if (ret == 0 && guard->mode != TAKEOVER_GUARD_DROP)
		ret = put_hold(guard, a, false);
	return ret;
}

static int try_set(struct takeover_guard *guard)
{
	struct nft_batch *batch = guard->batch;
	bool muted = guard->muted;
	int ret;

	ret = nft_batch_begin(batch);
	/* The muted guard stands behind one that is not: a service that comes back to its
	 * source gets what that one releases only when its sockets are there. */
	if (ret == 0 && has_family(guard, AF_INET))
		ret = guard_put_table(batch, NFPROTO_IPV4, guard->table, muted);
	if (ret == 0 && has_family(guard, AF_INET6))
		ret = guard_put_table(batch, NFPROTO_IPV6, guard->table, muted);
	if (ret == 0 && muted && has_family(guard, AF_INET))
		ret = guard_put_table(batch, NFPROTO_ARP, guard->table, 0);
	for (size_t i = 0; ret == 0 && i < guard->n; i++) {
		const struct takeover_address *a = &guard->addresses[i];

		ret = muted ? put_muted(guard, a)
			    : guard_put_rule(batch, nft_family(a), guard->table, "in",
					     guard_rule_syn_hold(a, guard->mode, guard->queue));
	}
	return ret < 0 ? ret : nft_batch_commit(batch);
}

static bool mentions(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, word) != NULL;
	if (f)
		fclose(f);
	return found;
}

/* Whether to try nft_compat first. Only a hint, the kernel decides: but a transaction
 * that it refuses costs a grace period of RCU, some 10 ms of the freeze. */
static bool without_nft_queue(struct takeover_guard *guard)
{
	struct utsname name;
	char path[128];
	bool exists = false;

	if (mentions("/proc/modules", "nft_queue ") || uname(&name) < 0)
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", name.release);
	if (mentions(path, "/nft_queue.ko"))
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
	if (mentions(path, "/nft_queue.ko"))
		return false;
	return nft_target_exists(guard->batch, nft_family(&guard->addresses[0]), "NFQUEUE",
				 GUARD_NFQUEUE_REVISION, &exists) == 0 &&
	       exists;
}

int takeover_guard_adopt(const struct takeover_guard_plan *plan, enum takeover_guard_mode mode,
			 struct takeover_guard **ret_guard)
{
	struct takeover_guard *guard = calloc(1, sizeof(*guard));
	int ret = -ENOMEM;

	if (!guard)
		return ret;
	guard->addresses = calloc(plan->n, sizeof(*plan->addresses));
	if (!guard->addresses)
		goto out;
	memcpy(guard->addresses, plan->addresses, plan->n * sizeof(*plan->addresses));
	guard->n = plan->n;
	guard->mode = mode;
	guard->queue = plan->queue;
	guard->queue_out = plan->queue_out;
	guard->muted = plan->muted;
	table_name(plan->name, guard->table, sizeof(guard->table));
	ret = nft_batch_open(&guard->batch);
out:
	if (ret < 0)
		takeover_guard_free(guard);
	else
		*ret_guard = guard;
	return ret;
}

int takeover_guard_set(const struct takeover_guard_plan *plan, struct takeover_guard **ret_guard)
{
	static const enum takeover_guard_mode orders[][3] = {
		{ TAKEOVER_GUARD_QUEUE, TAKEOVER_GUARD_QUEUE_COMPAT, TAKEOVER_GUARD_DROP },
		{ TAKEOVER_GUARD_QUEUE_COMPAT, TAKEOVER_GUARD_QUEUE, TAKEOVER_GUARD_DROP },
	};
	const enum takeover_guard_mode *order;
	struct takeover_guard *guard = NULL;
	int ret;

	ret = takeover_guard_adopt(plan, TAKEOVER_GUARD_QUEUE, &guard);
	if (ret < 0)
		return ret;
	order = orders[without_nft_queue(guard)];
	for (size_t i = 0; i < 3; i++) {
		guard->mode = order[i];
		ret = try_set(guard);
		/* An expression that this kernel has not: ENOENT or EOPNOTSUPP. */
		if (ret != -ENOENT && ret != -EOPNOTSUPP)
			break;
	}
	if (ret < 0)
		takeover_guard_free(guard);
	else
		*ret_guard = guard;
	return ret;
}

enum takeover_guard_mode takeover_guard_mode(const struct takeover_guard *guard)
{
	return guard->mode;
}

int takeover_guard_unmute(struct takeover_guard *guard)
{
	int ret;

	if (!has_family(guard, AF_INET))
		return 0;
	ret = nft_batch_begin(guard->batch)
		      ?: guard_flush_chain(guard->batch, NFPROTO_ARP, guard->table, "in")
		      ?: guard_flush_chain(guard->batch, NFPROTO_ARP, guard->table, "out");
	return ret < 0 ? ret : nft_batch_commit(guard->batch);
}

static int hold_all(struct takeover_guard *guard, bool in)
{
	int ret = nft_batch_begin(guard->batch);

	for (size_t i = 0; ret == 0 && i < guard->n; i++)
		ret = put_hold(guard, &guard->addresses[i], in);
	return ret < 0 ? ret : nft_batch_commit(guard->batch);
}

int takeover_guard_hold(struct takeover_guard *guard)
{
	return hold_all(guard, true);
}

int takeover_guard_silence(struct takeover_guard *guard)
{
	return hold_all(guard, false);
}

static int flush_ip_chain(struct takeover_guard *guard, const char *chain)
{
	int ret = 0;

	if (has_family(guard, AF_INET))
		ret = guard_flush_chain(guard->batch, NFPROTO_IPV4, guard->table, chain);
	if (ret == 0 && has_family(guard, AF_INET6))
		ret = guard_flush_chain(guard->batch, NFPROTO_IPV6, guard->table, chain);
	return ret;
}

int takeover_guard_open_out(struct takeover_guard *guard)
{
	int ret = nft_batch_begin(guard->batch) ?: flush_ip_chain(guard, "out");

	return ret < 0 ? ret : nft_batch_commit(guard->batch);
}

int takeover_guard_open(struct takeover_guard *guard)
{
	int ret = nft_batch_begin(guard->batch) ?: flush_ip_chain(guard, "in") ?:
		  flush_ip_chain(guard, "out");

	return ret < 0 ? ret : nft_batch_commit(guard->batch);
}

int takeover_guard_shut(struct takeover_guard *guard)
{
	int ret = nft_batch_begin(guard->batch) ?: flush_ip_chain(guard, "in") ?:
		  flush_ip_chain(guard, "out");

	guard->mode = TAKEOVER_GUARD_DROP;
	for (size_t i = 0; ret == 0 && i < guard->n; i++)
		ret = put_hold(guard, &guard->addresses[i], true)
			      ?: put_hold(guard, &guard->addresses[i], false);
	return ret < 0 ? ret : nft_batch_commit(guard->batch);
}

static const uint32_t all_families[] = { NFPROTO_ARP, NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_NETDEV };

int takeover_guard_remove(const char *name)
{
	struct nft_batch *batch;
	char table[64];
	bool any = false;
	int ret;

	table_name(name, table, sizeof(table));
	ret = nft_batch_open(&batch);
	if (ret < 0)
		return ret;
	ret = nft_batch_begin(batch);
	for (size_t i = 0; ret == 0 && i < sizeof(all_families) / sizeof(all_families[0]); i++) {
		bool exists = false;

		ret = nft_table_exists(batch, all_families[i], table, &exists);
		if (ret == 0 && exists)
			ret = guard_delete_table(batch, all_families[i], table);
		any = any || exists;
	}
	if (ret == 0 && any)
		ret = nft_batch_commit(batch);
	nft_batch_close(batch);
	return ret;
}

void takeover_guard_free(struct takeover_guard *guard)
{
	if (!guard)
		return;
	nft_batch_close(guard->batch);
	free(guard->addresses);
	free(guard);
}
