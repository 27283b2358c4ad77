// SPDX-License-Identifier: GPL-2.0-only
/* What the source holds: most of it waits, and is relayed to the new owner in order. What
 * belongs to no process goes on to its end. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "netlink.h"
#include "source.h"
#include "translated.h"

#define LOOK_MS	 5
#define QUIET_MS 1500 /* nothing held for so long after the new owner spoke: done */

/* Which of our addresses @p is for; n_addresses: none. */
static size_t address_of(const struct takeover_keeper *k, const struct takeover_held *p)
{
	bool v6 = p->len > 0 && p->packet[0] >> 4 == 6;
	size_t i;

	for (i = 0; i < k->manifest->n_addresses; i++) {
		const struct takeover_address *a = &k->manifest->addresses[i];

		if (v6 == (a->family == AF_INET6) && p->len >= (v6 ? 40 : 20) &&
		    memcmp(p->packet + (v6 ? 24 : 16), a->ip, takeover_family_len(a->family)) == 0)
			break;
	}
	return i;
}

static void keep(struct takeover_keeper *k, struct takeover_held *p)
{
	p->next = NULL;
	*k->held_tail = p;
	k->held_tail = &p->next;
}

static bool all_known(const struct takeover_keeper *k)
{
	size_t i = 0;

	while (i < k->manifest->n_addresses && k->owner_known[i])
		i++;
	return i == k->manifest->n_addresses;
}

static bool is_tcp(const struct takeover_held *p)
{
	return p->len >= 40 && p->packet[p->packet[0] >> 4 == 6 ? 6 : 9] == IPPROTO_TCP;
}

void takeover_source_too_late(struct takeover_keeper *k)
{
	takeover_keeper_read(k);
	for (struct takeover_held *p = k->held; p; p = p->next)
		p->late = is_tcp(p);
}

/* What waits for an address whose new owner has spoken goes there, in order, as fast as the
 * wire takes it; then it is dropped here. */
void takeover_source_relay(struct takeover_keeper *k)
{
	struct takeover_held *held = k->held, *p;
	bool full = false;

	k->held = NULL;
	k->held_tail = &k->held;
	while ((p = held)) {
		size_t i = address_of(k, p);
		int ret = -ENOENT;

		held = p->next;
		if (i < k->manifest->n_addresses && (full || !k->owner_known[i])) {
			keep(k, p);
			continue;
		}
		/* The new owner knows nothing of a leftover, and would answer with an RST. */
		if (i < k->manifest->n_addresses && !p->late &&
		    !takeover_quiesce_find(&k->leftovers, p->packet, p->len, true))
			ret = takeover_wire_relay(k->wires[i], k->owner[i], p->packet, p->len);
		full = ret == -EAGAIN || ret == -ENOBUFS;
		if (full) {
			keep(k, p);
			continue;
		}
		k->n_relayed += ret == 0;
		takeover_hold_pass(k->hold, p->id, false);
		free(p);
		k->quiet_at_ms = takeover_now_ms() + QUIET_MS;
	}
	if (!k->held && !k->relay_said && all_known(k)) {
		k->relay_said = true;
		takeover_journal(k, "relayed");
	}
}

static bool goes_on(const struct takeover_keeper *k, const void *packet, size_t len, bool in)
{
	const struct takeover_socket *s;

	/* Rolled back: what was on its way to the queue. */
	if (k->opened_at_ms != 0)
		return true;
	if (!k->silent || k->state != TAKEOVER_PREPARED)
		return false;
	s = takeover_quiesce_find(&k->leftovers, packet, len, in);
	/* A handshake that ended now would be in a frozen process's accept queue. */
	return s && s->state != TCP_SYN_RECV;
}

void takeover_source_held(struct takeover_keeper *k, struct takeover_held *p)
{
	if (goes_on(k, p->packet, p->len, true)) {
		takeover_hold_pass(k->hold, p->id, true);
		free(p);
		return;
	}
	keep(k, p);
}

void takeover_source_leaving(struct takeover_keeper *k, uint32_t id, const void *packet, size_t len)
{
	takeover_hold_pass(k->hold_out, id, packet && goes_on(k, packet, len, false));
}

/* From the freeze on only timers send. A retransmission after criu has read the socket's
 * timestamp would make the peer take the restored socket's segments for old ones
 * (RFC 7323 section 5, PAWS); CRIU's own locks drop it, too. What no process holds any
 * more is not frozen: it goes on to its end. */
int takeover_source_silence(struct takeover_keeper *k)
{
	struct takeover_held *held = k->held;
	int ret;

	if (k->silent)
		return 0;
	ret = takeover_guard_silence(k->guard);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot silence the guard: %s", strerror(-ret));
	/* A socket in repair mode still sends anew what was not acknowledged. */
	ret = takeover_translated_mute(k);
	if (ret < 0)
		return ret;
	k->silent = true;
	takeover_quiesce_leftovers(k->manifest->addresses, k->manifest->n_addresses, &k->leftovers);
	k->held = NULL;
	k->held_tail = &k->held;
	while (held) {
		struct takeover_held *p = held;

		held = p->next;
		takeover_source_held(k, p);
	}
	return 0;
}

/* What a process has written and closed only this kernel can send: no image has it. It has
 * the patience of the quiesce, unless that has run out on it already. */
void takeover_source_last_words(struct takeover_keeper *k)
{
	long deadline = takeover_now_ms() + k->config.quiesce_ms;
	struct takeover_unrest unrest = { 0 };
	struct pollfd pfd[] = {
		{ .fd = takeover_hold_fd(k->hold), .events = POLLIN },
		{ .fd = takeover_hold_fd(k->hold_out), .events = POLLIN },
	};

	if (k->leftovers.n == 0 || k->unrest.closing > 0)
		return;
	while (takeover_quiesce_look(k->manifest->addresses, k->manifest->n_addresses, &unrest) ==
		       0 &&
	       unrest.closing > 0 && takeover_now_ms() < deadline) {
		long next = takeover_now_ms() + LOOK_MS;

		for (long left = LOOK_MS; left > 0; left = next - takeover_now_ms()) {
			poll(pfd, 2, left);
			takeover_keeper_read(k);
		}
	}
	if (unrest.closing > 0)
		takeover_keeper_add(k,
				    "%u connections that the service has closed have not ended "
				    "after %u ms (quiesce_ms): their peers may miss the rest",
				    unrest.closing, k->config.quiesce_ms);
}

void takeover_source_frame(struct takeover_keeper *k, size_t i, const unsigned char *mac)
{
	/* keepalived announces on whichever host it has put the address. */
	if (takeover_backend_is(k, i, TAKEOVER_BACKEND_KEEPALIVED)) {
		k->vrrp[i].answered = true;
		memcpy(k->vrrp[i].by, mac, TAKEOVER_MAC_LEN);
	} else {
		takeover_source_owner(k, i, mac);
	}
}

void takeover_source_owner(struct takeover_keeper *k, size_t i, const unsigned char *mac)
{
	bool first = true;

	/* Restored from a script of criu's, it is heard before criu ends. */
	if (k->state != TAKEOVER_COMMITTED && k->state != TAKEOVER_WITHDRAWN)
		return;
	for (size_t n = 0; n < k->manifest->n_addresses; n++)
		first = first && !k->owner_known[n];
	if (first)
		takeover_journal(k, "new owner heard");
	k->owner_known[i] = true;
	memcpy(k->owner[i], mac, TAKEOVER_MAC_LEN);
	k->quiet_at_ms = takeover_now_ms() + QUIET_MS;
}
