// SPDX-License-Identifier: GPL-2.0-only
/* The keeper that stands by (ip-takeover prepare): keepalived may bring the addresses here long
 * before their service is. Its guard holds what comes, until a restore's keeper takes over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "netlink.h"
#include "segment.h"
#include "sockets.h"
#include "stand_in.h"

#define SPEAK_MS 300

static int add(struct takeover_keeper *k, const char *text)
{
	struct takeover_manifest *m = k->manifest;
	const struct takeover_address *own;
	struct takeover_address a;

	if (takeover_address_parse(text, &a) < 0)
		return takeover_keeper_say(k, -EINVAL, "%s: not an address that a host can own",
					   text);
	own = takeover_config_find(&k->config, &a);
	if (!own)
		return takeover_keeper_say(k, -EPERM,
					   "%s is not in this host's configuration; add it "
					   "to " TAKEOVER_CONFIG_PATH,
					   text);
	if (takeover_config_backend(&k->config, own)->kind != TAKEOVER_BACKEND_KEEPALIVED)
		return takeover_keeper_say(k, -EINVAL,
					   "%s: its backend is not keepalived, and needs no host "
					   "that stands by",
					   text);
	for (size_t i = 0; i < m->n_addresses; i++)
		if (takeover_address_equal(&m->addresses[i], own))
			return 0;
	m->addresses[m->n_addresses++] = *own;
	return 0;
}

/* Its guard would cut off a service that runs here. */
static int check_idle(struct takeover_keeper *k)
{
	struct takeover_sockets sockets;
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = takeover_sockets_list(&sockets);

	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list sockets: %s", strerror(-ret));
	for (size_t i = 0; ret == 0 && i < k->manifest->n_addresses; i++) {
		const struct takeover_address *a = &k->manifest->addresses[i];

		for (size_t s = 0; ret == 0 && s < sockets.n; s++)
			if (takeover_socket_is_on(&sockets.all[s], a))
				ret = takeover_keeper_say(
					k, -EBUSY,
					"%s: port %u is in use there on this host; prepare the one "
					"that the service will move to",
					takeover_address_ip(a, text, sizeof(text)),
					sockets.all[s].local_port);
	}
	free(sockets.all);
	return ret;
}

int takeover_standby_open(struct takeover_keeper *k, const char *names)
{
	char *copy = strdup(names), *rest = copy, *name;
	int ret;

	k->manifest = calloc(1, sizeof(*k->manifest));
	if (!k->manifest || !copy)
		return takeover_keeper_say(k, -ENOMEM, "no memory");
	ret = takeover_manifest_init(k->manifest);
	while (ret == 0 && (name = strsep(&rest, ",")))
		ret = add(k, name);
	free(copy);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		const char *device = k->manifest->addresses[i].device;

		ret = takeover_wire_open(device, &k->wires[i]);
		if (ret < 0)
			return takeover_keeper_say(k, ret, "%s: cannot listen: %s", device,
						   ret == -EPERM ? "no permission (CAP_NET_RAW)"
								 : strerror(-ret));
	}
	return check_idle(k) ?: takeover_backend_prepare(k) ?: takeover_keeper_hold(k, false);
}

/* Whatever an earlier takeover has left in the track files: now the addresses may come; all, or
 * none, since without us nothing guards them. */
static int take_part(struct takeover_keeper *k)
{
	bool was[TAKEOVER_ADDRESSES_MAX];

	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		const char *file = k->vrrp[i].track_file;
		int ret;

		was[i] = takeover_vrrp_is_faulted(file);
		ret = takeover_vrrp_fault(file, false);
		if (ret == 0)
			continue;
		while (i-- > 0)
			takeover_vrrp_fault(k->vrrp[i].track_file, was[i]);
		return takeover_keeper_say(k, ret, "cannot write %s: %s", file, strerror(-ret));
	}
	return 0;
}

int takeover_standby_begin(struct takeover_keeper *k)
{
	int ret = takeover_others(k, false) ?: takeover_keeper_guard(k);

	if (ret == 0) {
		ret = takeover_guard_hold(k->guard) ?: takeover_guard_silence(k->guard);
		if (ret < 0)
			takeover_keeper_say(k, ret, "cannot hold by the guard: %s", strerror(-ret));
	}
	ret = ret ?: takeover_others(k, true) ?: take_part(k);
	if (ret < 0)
		return ret;
	k->state = TAKEOVER_PREPARED;
	takeover_journal(k, "prepared");
	return 0;
}

/* Without its service the address must not be here when the guard goes. */
static void leave(struct takeover_keeper *k, const char *why)
{
	takeover_keeper_say(k, 0, "%s", why);
	takeover_standby_rollback(k);
}

void takeover_standby_rollback(struct takeover_keeper *k)
{
	takeover_journal(k, "rollback");
	takeover_stand_in_allow(0);
	/* The address that stays needs its guard. */
	if (takeover_backend_let_go(k) == 0)
		takeover_keeper_shut(k);
	else
		takeover_keeper_leave_shut(k);
	k->state = TAKEOVER_ROLLED_BACK;
	takeover_journal(k, "rolled back");
}

int takeover_standby_request(struct takeover_keeper *k, const struct takeover_request *request)
{
	switch (request->verb) {
	case TAKEOVER_YIELD:
		if (k->state == TAKEOVER_DONE || !request->value)
			break;
		takeover_stand_in_allow(0);
		/* Its guard stands behind ours. */
		takeover_keeper_release(k);
		k->state = TAKEOVER_DONE;
		takeover_journal(k, "a restore goes on with it");
		break;
	case TAKEOVER_ROLLBACK:
		leave(k, "ended by hand");
		break;
	default:
		return takeover_keeper_say(k, -EINVAL, "not a request for a keeper that stands by");
	}
	return 0;
}

void takeover_standby_mover_gone(struct takeover_keeper *k)
{
	if (k->state == TAKEOVER_PREPARED)
		leave(k, "the connection to the source has ended");
}

static bool all_here(const struct takeover_keeper *k)
{
	bool here = true;

	for (size_t i = 0; here && i < k->manifest->n_addresses; i++)
		takeover_config_present(&k->config, &k->manifest->addresses[i], &here);
	return here;
}

/* For a source that has asked for us, and until its addresses are here. */
static void stand_in(struct takeover_keeper *k)
{
	bool asked = false;

	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		asked |= k->owner_known[i];
	if (k->state != TAKEOVER_PREPARED || (takeover_stand_in_speaks() && all_here(k)))
		asked = false;
	takeover_stand_in_allow(asked ? SPEAK_MS : 0);
}

/* A source that asks is about to withdraw: it may count on us for as long as it holds. */
static void hear(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	long until = takeover_now_ms() + k->config.hold_seconds * 1000L;
	unsigned char from[TAKEOVER_MAC_LEN];
	enum takeover_word_state state;
	uint64_t nonce;

	while (k->state == TAKEOVER_PREPARED &&
	       takeover_segment_hear(takeover_segment_fd(k, i), a, &state, &nonce, from)) {
		if (state == TAKEOVER_WORD_WHO) {
			k->owner_known[i] = true;
			memcpy(k->owner[i], from, sizeof(from));
			if (k->deadline_ms < until)
				k->deadline_ms = until;
			stand_in(k);
			takeover_segment_say(takeover_segment_fd(k, i), k->wires[i], a,
					     TAKEOVER_WORD_PREPARED, nonce, from);
		}
		if (state == TAKEOVER_WORD_TAKE_BACK && k->owner_known[i] &&
		    memcmp(k->owner[i], from, sizeof(from)) == 0)
			leave(k, "the source has taken it back");
	}
}

void takeover_standby_tick(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		hear(k, i);
	if (k->state == TAKEOVER_PREPARED && takeover_now_ms() > k->deadline_ms)
		leave(k, "nobody has restored the service here in time");
	stand_in(k);
}
