// SPDX-License-Identifier: GPL-2.0-only
/* The claim: nobody else may have the addresses, and all hear that they are here. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "backend.h"
#include "conntrack.h"
#include "destination.h"
#include "doubt.h"
#include "master.h"
#include "inner.h"
#include "netlink.h"
#include "window.h"

/* Patience of the probe when the source has said that it let go: a LAN's answer takes
 * less than one, and any other owner would have been in the source's way before. */
#define PROBE_WITH_WORD_MS 5

/* Whoever else spoke for an address since the probe; waits out its patience. */
static int listen_for_owner(struct takeover_keeper *k)
{
	long patience = k->manifest->withdrawn && k->config.probe_ms > PROBE_WITH_WORD_MS
				? PROBE_WITH_WORD_MS
				: k->config.probe_ms;
	char text[TAKEOVER_ADDRESS_STRLEN];

	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		struct pollfd pfd = { .fd = takeover_wire_fd(k->wires[i]), .events = POLLIN };

		for (;;) {
			long left = k->probed_at_ms + patience - takeover_now_ms();
			unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
			ssize_t n = takeover_wire_receive(k->wires[i], frame, sizeof(frame));

			if (n == -EAGAIN && left <= 0)
				break;
			if (n == -EAGAIN) {
				poll(&pfd, 1, left);
				continue;
			}
			if (n < 0)
				return takeover_keeper_say(k, n, "cannot hear the segment: %s",
							   strerror(-n));
			if (!takeover_announce_parse(frame, n, &k->manifest->addresses[i], mac))
				continue;
			return takeover_keeper_say(
				k, -EADDRINUSE,
				"%s is in use by %02x:%02x:%02x:%02x:%02x:%02x; withdraw it there "
				"first",
				takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
				mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		}
	}
	return 0;
}

/* keepalived has announced it already, and knows better from which MAC if that is a virtual one
 * (use_vmac): then the address is on a macvlan of the device. */
static bool may_announce(struct takeover_keeper *k, size_t i)
{
	bool here = false;

	if (!takeover_backend_is(k, i, TAKEOVER_BACKEND_KEEPALIVED))
		return true;
	/* The source holds its own instance down until then. */
	if (takeover_config_present(&k->config, &k->manifest->addresses[i], &here) == 0 && here &&
	    takeover_master_is_known(k, i))
		takeover_doubt_claimed(k, i);
	here = false;
	return takeover_address_present(&k->manifest->addresses[i], &here) == 0 && here;
}

void takeover_destination_announce(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (may_announce(k, i))
			takeover_announce(
				k->wires[i], &k->manifest->addresses[i],
				(const unsigned char(*)[TAKEOVER_MAC_LEN])k->manifest->neighbours,
				k->manifest->n_neighbours);
}

/* The sockets are here, and nothing has reached them yet. */
static void adopt_connections(struct takeover_keeper *k)
{
	size_t n;
	int ret;

	if (takeover_inner_is_open())
		return;
	ret = takeover_conntrack_adopt(k->manifest->addresses, k->manifest->n_addresses, &n);

	if (ret < 0)
		takeover_keeper_add(k,
				    "cannot make the connections known to connection tracking: %s; "
				    "a packet filter may drop them",
				    strerror(-ret));
	else if (n > 0)
		takeover_event(k, "connections tracked");
}

static void unscale_windows(struct takeover_keeper *k)
{
	size_t left;
	int ret = takeover_window_unscale(k->manifest->addresses, k->manifest->n_addresses, &left);

	if (ret < 0)
		takeover_keeper_add(k, "cannot look at the connections' windows: %s",
				    strerror(-ret));
	else if (left > 0)
		takeover_keeper_add(k,
				    "%zu connections will receive slowly: their peers do not scale "
				    "windows, and CRIU cannot restore that",
				    left);
}

bool takeover_destination_all_here(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		bool present = true;

		if (takeover_config_present(&k->config, &k->manifest->addresses[i], &present) ==
			    0 &&
		    !present)
			return false;
	}
	return true;
}

/* keepalived may have moved it on. */
static int still_here(struct takeover_keeper *k)
{
	if (!takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED) ||
	    (takeover_destination_all_here(k) && takeover_master_are_known(k)))
		return 0;
	return takeover_keeper_say(k, -EADDRNOTAVAIL,
				   "keepalived has taken the address off this host again, or has "
				   "ended; see its log");
}

int takeover_destination_claim(struct takeover_keeper *k)
{
	int ret;

	if (k->state == TAKEOVER_PREPARED) {
		if (!takeover_members_wait(k))
			return -EINPROGRESS;
		takeover_event(k, "claim");
		adopt_connections(k);
		unscale_windows(k);
		ret = listen_for_owner(k) ?: still_here(k);
		if (ret < 0)
			return ret;
		k->state = TAKEOVER_READY;
		k->ready_at_ms = takeover_now_ms();
		takeover_journal(k, "nobody else");
	}
	if (k->state != TAKEOVER_READY)
		return 0;
	if (k->mover_pid > 0 && !k->decided)
		return -EINPROGRESS;
	ret = takeover_guard_unmute(k->guard);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot open the guard to ARP: %s",
					   strerror(-ret));
	takeover_destination_announce(k);
	takeover_keeper_release_out(k);
	k->claimed_at_ms = takeover_now_ms();
	k->round = 1;
	k->state = TAKEOVER_CLAIMED;
	takeover_journal(k, "claimed");
	/* Should we be killed between two answers, neither tree waits for the other. */
	if (k->n_members > 0 && takeover_keeper_mark(k) < 0)
		takeover_event(k, "not marked");
	return 0;
}
