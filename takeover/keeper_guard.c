// SPDX-License-Identifier: GPL-2.0-only
/* The keeper's guard: set, opened in order, taken away, or left to drop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "forwarding.h"
#include "keeper.h"
#include "netlink.h"
#include "translated.h"

#define STRAGGLER_MS 10
#define DRAIN_MAX    16
#define STUCK_MS     1000

static void forget_held(struct takeover_keeper *k)
{
	while (k->held) {
		struct takeover_held *p = k->held;

		k->held = p->next;
		free(p);
	}
	k->held_tail = &k->held;
}

static struct takeover_guard_plan plan(const struct takeover_keeper *k)
{
	return (struct takeover_guard_plan){
		.name = k->guard_name,
		.addresses = k->manifest->addresses,
		.n = k->manifest->n_addresses,
		.queue = takeover_hold_queue(k->hold),
		.queue_out = takeover_hold_queue(k->hold_out),
		.muted = k->role == TAKEOVER_DESTINATION,
	};
}

int takeover_keeper_guard(struct takeover_keeper *k)
{
	struct takeover_guard_plan p;
	int ret;

	snprintf(k->guard_name, sizeof(k->guard_name), "%.8s-%s", k->manifest->id,
		 takeover_role_name(k->role));
	takeover_journal(k, "guard");
	p = plan(k);
	flock(k->lock_fd, LOCK_SH);
	ret = takeover_guard_set(&p, &k->guard);
	if (ret == -EEXIST) {
		takeover_guard_remove(k->guard_name);
		ret = takeover_guard_set(&p, &k->guard);
	}
	if (ret < 0)
		return takeover_keeper_say(k, ret,
					   "cannot add nftables table ip-takeover-%s, the guard: "
					   "%s; see nft list ruleset",
					   k->guard_name, strerror(-ret));
	k->guard_mode = takeover_guard_mode(k->guard);
	if (k->guard_mode == TAKEOVER_GUARD_DROP)
		takeover_keeper_add(k, "this kernel can queue neither by nft nor by NFQUEUE: "
				       "packets are dropped, peers will wait for their own "
				       "retransmission timers");
	return 0;
}

int takeover_keeper_guard_adopt(struct takeover_keeper *k)
{
	struct takeover_guard_plan p = plan(k);

	return takeover_guard_adopt(&p, k->guard_mode, &k->guard);
}

/* Release until nothing more has come meanwhile, or so often. */
static void drain(struct takeover_keeper *k)
{
	for (int i = 0; i < DRAIN_MAX; i++) {
		unsigned int n = 0;

		takeover_hold_release(k->hold);
		takeover_hold_read(k->hold, NULL, NULL, &n);
		k->n_held += n;
		if (n == 0)
			break;
	}
}

void takeover_keeper_release(struct takeover_keeper *k)
{
	/* What waits goes first; the rules go when next to nothing waits, since what comes
	 * after them overtakes it, and a segment that is overtaken by a younger timestamp is
	 * lost (RFC 7323 section 5, PAWS). The chains stay: deleting one drops what is
	 * queued (guard.h). */
	takeover_translated_release(k);
	drain(k);
	k->unopened = takeover_guard_open(k->guard) < 0;
	takeover_hold_release(k->hold);
	forget_held(k);
	k->opened_at_ms = takeover_now_ms();
}

void takeover_keeper_release_out(struct takeover_keeper *k)
{
	/* Nothing runs yet that could send more. */
	takeover_hold_release(k->hold_out);
	takeover_guard_open_out(k->guard);
	takeover_hold_release(k->hold_out);
}

bool takeover_keeper_unguard(struct takeover_keeper *k)
{
	long now = takeover_now_ms();
	int ret = k->guard_name[0] && !k->guard_stays ? takeover_guard_remove(k->guard_name) : 0;
	int inner = takeover_translated_release(k);

	ret = ret ?: inner;
	flock(k->lock_fd, LOCK_UN);
	if (ret < 0 && k->stuck_at_ms == 0) {
		k->stuck_at_ms = now;
		takeover_event(k, "guard not removed");
	}
	if (ret < 0 && now - k->stuck_at_ms < STUCK_MS)
		return false;
	if (ret < 0) {
		k->guard_stays = true;
		takeover_keeper_add(
			k,
			"cannot remove the guard, nftables tables ip-takeover-%s%s: %s%s; "
			"try ip-takeover clean",
			k->guard_name, inner < 0 ? " in the container's network" : "",
			strerror(-ret),
			k->unopened || inner < 0 ? ", and it cuts the service off" : "");
	}
	k->opened_at_ms = k->stuck_at_ms = 0;
	return true;
}

/* Deleting a chain makes the kernel drop what other guards hold, too (guard.h). */
bool takeover_keeper_unguard_gently(struct takeover_keeper *k)
{
	/* In vain, it gives up our share: who waits for one another would wait for ever. */
	if (flock(k->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	return takeover_keeper_unguard(k);
}

void takeover_keeper_leave_shut(struct takeover_keeper *k)
{
	takeover_guard_shut(k->guard);
	flock(k->lock_fd, LOCK_UN);
	k->opened_at_ms = 0;
}

void takeover_keeper_shut(struct takeover_keeper *k)
{
	bool forwards = false;

	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		forwards |= takeover_forwards(&k->manifest->addresses[i]);
	if (!forwards) {
		takeover_keeper_unguard(k);
		return;
	}
	takeover_keeper_leave_shut(k);
	takeover_keeper_add(k, "this host forwards, so what comes for the address is dropped here "
			       "until ip-takeover rollback, claim or a restore");
}

void takeover_keeper_release_rest(struct takeover_keeper *k)
{
	if (k->opened_at_ms == 0) {
		if (k->stuck_at_ms != 0)
			takeover_keeper_unguard(k);
		return;
	}
	if (k->unopened)
		k->unopened = takeover_guard_open(k->guard) < 0;
	takeover_hold_release(k->hold);
	takeover_hold_release(k->hold_out);
	if (takeover_now_ms() - k->opened_at_ms > STRAGGLER_MS)
		takeover_keeper_unguard_gently(k);
}
