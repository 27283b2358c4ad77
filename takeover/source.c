// SPDX-License-Identifier: GPL-2.0-only
/* The keeper on the source: guard, withdraw, commit, hold for the new owner. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conntrack.h"
#include "keeper.h"
#include "locks.h"
#include "netlink.h"
#include "service.h"
#include "tasks.h"

#define DELADDR_MS 1000
#define BACK_MS	   500
#define DYING_MS   5
#define QUIET_MS   1500 /* nothing held for so long after the new owner spoke: done */

int takeover_source_open(struct takeover_keeper *k)
{
	int ret;

	k->manifest = calloc(1, sizeof(*k->manifest));
	if (!k->manifest)
		return takeover_keeper_say(k, -ENOMEM, "no memory");
	ret = takeover_manifest_init(k->manifest) ?: takeover_service_find(k);
	if (ret < 0)
		return ret;
	if (k->manifest->n_addresses == 0)
		return takeover_keeper_say(k, 1,
					   "no configured service address on this host has a "
					   "socket of this service: nothing to take over");
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		ret = takeover_wire_open(k->manifest->addresses[i].device, &k->wires[i]);
		if (ret < 0)
			return takeover_keeper_say(
				k, ret, "%s: cannot listen for announcements: %s",
				k->manifest->addresses[i].device,
				ret == -EPERM ? "no permission (CAP_NET_RAW); run criu as root"
					      : strerror(-ret));
		ret = takeover_kept_find(&k->manifest->addresses[i], &k->kept[i]);
		if (ret < 0)
			return takeover_keeper_say(k, ret, "cannot list addresses: %s",
						   strerror(-ret));
	}
	ret = takeover_routes_find(k->manifest->addresses, k->manifest->n_addresses, &k->routes);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list routes: %s", strerror(-ret));
	return takeover_keeper_hold(k, true);
}

static int look(struct takeover_keeper *k)
{
	int ret =
		takeover_quiesce_look(k->manifest->addresses, k->manifest->n_addresses, &k->unrest);

	return ret < 0 ? takeover_keeper_say(k, ret, "cannot list sockets: %s", strerror(-ret)) : 0;
}

/* New connections wait already. Let the others get so far that criu can dump them, or end;
 * then hold all, and let the service read its datagrams. */
static int quiesce(struct takeover_keeper *k)
{
	long begin = takeover_now_ms(), deadline = begin + k->config.quiesce_ms;
	struct takeover_unrest *u = &k->unrest;
	int ret;

	takeover_event(k, "quiesce");
	while ((ret = look(k)) == 0 && u->handshakes + u->accepts + u->closing > 0 &&
	       takeover_now_ms() < deadline)
		poll(NULL, 0, 1);
	if (ret < 0)
		return ret;
	ret = takeover_guard_hold(k->guard);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot hold by the guard: %s", strerror(-ret));
	while (u->accepts + u->datagrams > 0 && takeover_now_ms() < deadline) {
		poll(NULL, 0, 1);
		ret = look(k);
		if (ret < 0)
			return ret;
	}
	k->quiesced_ms = takeover_now_ms() - begin;
	if (u->handshakes + u->accepts + u->closing + u->datagrams > 0)
		takeover_keeper_add(
			k,
			"not quiet after %u ms (quiesce_ms): %u handshakes, %u connections "
			"not accepted (criu refuses those: In-flight connection), %u "
			"closing ones, %u sockets with unread datagrams",
			k->config.quiesce_ms, u->handshakes, u->accepts, u->closing, u->datagrams);
	return 0;
}

int takeover_source_begin(struct takeover_keeper *k)
{
	int ret;

	ret = takeover_others(k, true);
	if (ret < 0)
		return ret;
	ret = takeover_manifest_write(k->images_fd, k->manifest);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot write %s into the image directory: %s",
					   TAKEOVER_MANIFEST_NAME, strerror(-ret));
	ret = takeover_keeper_guard(k) ?: quiesce(k);
	if (ret < 0)
		return ret;
	k->state = TAKEOVER_PREPARED;
	takeover_journal(k, "prepared");
	return 0;
}

/* From the freeze on only timers send. A retransmission after criu has read the socket's
 * timestamp would make the peer take the restored socket's segments for old ones
 * (RFC 7323 section 5, PAWS); CRIU's own locks drop it, too. What no process holds any
 * more is not frozen: it goes on to its end. */
static int silence(struct takeover_keeper *k)
{
	struct takeover_held *held = k->held;
	int ret;

	if (k->silent)
		return 0;
	ret = takeover_guard_silence(k->guard);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot silence the guard: %s", strerror(-ret));
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

static void advise(struct takeover_keeper *k)
{
	struct takeover_locks locks = { 0 };

	if (takeover_locks_list(&locks) < 0)
		return;
	takeover_locks_keep(&locks, k->manifest->addresses, k->manifest->n_addresses);
	if (locks.n > 0)
		takeover_keeper_add(k, "criu has locked the connections, too; the guard is enough: "
				       "--network-lock skip spares the time");
	free(locks.all);
}

/* CRIU leaves its locks when it is killed and when the tasks die; they would lock the
 * service out when it comes back. */
static void unlock(struct takeover_keeper *k)
{
	int ret = takeover_locks_clear(k->manifest->addresses, k->manifest->n_addresses);

	if (ret < 0)
		takeover_keeper_add(k, "cannot remove CRIU's own locks: %s; see ip-takeover clean",
				    strerror(-ret));
	if (ret > 0)
		takeover_event(k, "CRIU's locks removed");
}

/* A host that loses a service keeps its ways out. */
static void detach_routes(struct takeover_keeper *k)
{
	char text[200];
	int ret;

	if (!k->routes)
		return;
	k->routes_detached = true;
	ret = takeover_routes_detach(k->routes);
	takeover_routes_format(k->routes, text, sizeof(text));
	if (ret < 0)
		takeover_keeper_add(k, "%s: cannot take their source address off: %s", text,
				    strerror(-ret));
	else if (text[0])
		takeover_keeper_add(k,
				    "routes that lose their source address with it: %s; set "
				    "another one",
				    text);
}

static void restore_routes(struct takeover_keeper *k)
{
	char text[200];
	int ret;

	if (!k->routes_detached)
		return;
	k->routes_detached = false;
	ret = takeover_routes_restore(k->routes);
	if (ret < 0)
		takeover_keeper_add(k, "cannot put back the source address of %s: %s",
				    takeover_routes_format(k->routes, text, sizeof(text)),
				    strerror(-ret));
}

static int withdraw(struct takeover_keeper *k)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret;

	if (k->state != TAKEOVER_PREPARED)
		return 0;
	takeover_journal(k, "withdraw");
	ret = takeover_service_check(k) ?: silence(k);
	if (ret < 0)
		return ret;
	detach_routes(k);
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		const struct takeover_address *a = &k->manifest->addresses[i];
		bool present = false;

		ret = takeover_address_present(a, &present);
		k->withdrew[i] |= present;
		if (ret == 0)
			ret = takeover_address_delete(a, DELADDR_MS);
		if (ret < 0)
			return takeover_keeper_say(k, ret, "cannot withdraw %s from %s: %s",
						   takeover_address_format(a, text, sizeof(text)),
						   a->device, strerror(-ret));
	}
	k->manifest->withdrawn = true;
	ret = takeover_manifest_write(k->images_fd, k->manifest);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot write %s into the image directory: %s",
					   TAKEOVER_MANIFEST_NAME, strerror(-ret));
	k->state = TAKEOVER_WITHDRAWN;
	advise(k);
	takeover_journal(k, "withdrawn");
	return 0;
}

/* One address, if it was we who took it off: whoever else did may have put it on another
 * host. */
static void put_back(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool present = false;
	int ret;

	ret = takeover_address_present(a, &present);
	if (!k->withdrew[i]) {
		if (ret == 0 && !present)
			takeover_keeper_add(k,
					    "%s was taken off %s by somebody else, and stays off; "
					    "to have it back: ip-takeover claim",
					    takeover_address_ip(a, text, sizeof(text)), a->device);
		return;
	}
	if (ret == 0 && !present)
		ret = k->kept[i] ? takeover_kept_add(k->kept[i]) : takeover_address_add(a);
	if (ret < 0)
		takeover_keeper_add(k, "cannot put %s back on %s: %s",
				    takeover_address_format(a, text, sizeof(text)), a->device,
				    strerror(-ret));
	else if (!present)
		takeover_announce(k->wires[i], a,
				  (const unsigned char(*)[TAKEOVER_MAC_LEN])k->manifest->neighbours,
				  k->manifest->n_neighbours);
}

void takeover_source_rollback(struct takeover_keeper *k)
{
	takeover_journal(k, "rollback");
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		put_back(k, i);
	restore_routes(k);
	/* criu does both itself, unless it was killed. */
	takeover_tasks_end_repair(k->manifest->addresses, k->manifest->n_addresses);
	if (k->criu_fd < 0)
		unlock(k);
	takeover_keeper_release(k);
	/* The images are of no use any more: their connections go on here. */
	unlinkat(k->images_fd, TAKEOVER_MANIFEST_NAME, 0);
	k->state = TAKEOVER_ROLLED_BACK;
	takeover_journal(k, "rolled back");
}

static void commit(struct takeover_keeper *k)
{
	k->state = TAKEOVER_COMMITTED;
	k->deadline_ms = takeover_now_ms() + k->config.hold_seconds * 1000L;
	takeover_journal(k, "committed");
}

/* Nobody has the service: without an address here its peers hear nothing, least of all
 * an RST. */
static void abandon(struct takeover_keeper *k, const char *why)
{
	/* An address that stays needs its guard: the kernel would answer for it. */
	if (withdraw(k) == 0) {
		takeover_keeper_say(k, 0, "%s", why);
		takeover_keeper_shut(k);
	}
	unlock(k);
	k->state = TAKEOVER_ABANDONED;
	takeover_journal(k, "abandoned");
}

/* The service is on this host again: what waits is for it. */
static void back(struct takeover_keeper *k)
{
	unlock(k);
	takeover_keeper_release(k);
	k->state = TAKEOVER_DONE;
	takeover_journal(k, "back on this host");
}

static void rollback_after(struct takeover_keeper *k, const char *why)
{
	takeover_keeper_say(k, 0, "%s", why);
	takeover_source_rollback(k);
}

/* The dumped tree's root; before criu has named it, whoever had a socket. */
static enum takeover_task service_state(const struct takeover_keeper *k)
{
	enum takeover_task most = TAKEOVER_TASK_GONE;

	if (k->root_pid > 0)
		return takeover_task_state(k->root_pid);
	for (size_t i = 0; i < k->n_tasks; i++) {
		enum takeover_task state = takeover_task_state(k->tasks[i]);

		if (state > most)
			most = state;
	}
	return most;
}

/* The process has died, and criu is done with it. */
static void died(struct takeover_keeper *k)
{
	if (k->state == TAKEOVER_PREPARED)
		abandon(k, "the process died before its dump was complete; to start it anew here: "
			   "ip-takeover claim");
	else
		commit(k);
}

int takeover_source_request(struct takeover_keeper *k, const struct takeover_request *request)
{
	int ret = 0;

	switch (request->verb) {
	case TAKEOVER_DUMP_PREPARED:
		break;
	case TAKEOVER_DUMP_WITHDRAW:
		ret = withdraw(k);
		if (ret < 0)
			takeover_source_rollback(k);
		break;
	case TAKEOVER_DUMP_EXIT:
		/* Withdrawn now if no script has done it. Without a connection that tells,
		 * criu's end will show what becomes of the tasks. */
		if (request->value == TAKEOVER_EXIT_TASKS_DIE ||
		    (request->value == TAKEOVER_EXIT_NO_CONNECTION && k->n_connections == 0))
			ret = withdraw(k);
		else if (service_state(k) == TAKEOVER_TASK_GONE)
			died(k);
		else
			rollback_after(k, request->value == TAKEOVER_EXIT_FAILED
						  ? "criu could not dump it, see criu's log"
						  : "criu left it running");
		break;
	case TAKEOVER_YIELD:
		/* Restored here: its guard stands behind ours. */
		if (k->state != TAKEOVER_COMMITTED)
			return -EBUSY;
		if (request->value)
			back(k);
		break;
	case TAKEOVER_ROLLBACK:
		if (k->state == TAKEOVER_COMMITTED)
			return takeover_keeper_say(k, -EBUSY,
						   "the dumped process is dead; restore its "
						   "images here to have it back");
		if (k->state == TAKEOVER_WITHDRAWN)
			return takeover_keeper_say(k, -EBUSY,
						   "criu is about to end the process; kill "
						   "criu (pid %d) to roll back",
						   (int)k->criu_pid);
		takeover_source_rollback(k);
		break;
	default:
		ret = takeover_keeper_say(k, -EINVAL, "not a request for the source");
	}
	return ret;
}

void takeover_source_criu_gone(struct takeover_keeper *k)
{
	enum takeover_task state = service_state(k);

	/* Killed before it had removed its own */
	if (k->state == TAKEOVER_ROLLED_BACK) {
		unlock(k);
		return;
	}
	/* A task that takes its SIGKILL at this moment has neither mark. */
	if (state == TAKEOVER_TASK_RUNS) {
		poll(NULL, 0, DYING_MS);
		state = service_state(k);
	}
	if (state == TAKEOVER_TASK_RUNS ||
	    (state == TAKEOVER_TASK_STOPPED && k->state == TAKEOVER_PREPARED)) {
		rollback_after(k, "criu ended and left it running");
		return;
	}
	died(k);
}

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

/* What waits for an address whose new owner has spoken goes there, in order; then it is
 * dropped here. */
static void relay(struct takeover_keeper *k)
{
	struct takeover_held *held = k->held, *p;

	k->held = NULL;
	k->held_tail = &k->held;
	while ((p = held)) {
		size_t i = address_of(k, p);

		held = p->next;
		if (i < k->manifest->n_addresses && !k->owner_known[i]) {
			p->next = NULL;
			*k->held_tail = p;
			k->held_tail = &p->next;
			continue;
		}
		/* The new owner knows nothing of a leftover, and would answer with an RST. */
		if (i < k->manifest->n_addresses &&
		    !takeover_quiesce_find(&k->leftovers, p->packet, p->len, true) &&
		    takeover_wire_relay(k->wires[i], k->owner[i], p->packet, p->len) == 0)
			k->n_relayed++;
		takeover_hold_pass(k->hold, p->id, false);
		free(p);
		k->quiet_at_ms = takeover_now_ms() + QUIET_MS;
	}
}

static bool goes_on(const struct takeover_keeper *k, const void *packet, size_t len, bool in)
{
	const struct takeover_socket *s;

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
	p->next = NULL;
	*k->held_tail = p;
	k->held_tail = &p->next;
}

void takeover_source_leaving(struct takeover_keeper *k, uint32_t id, const void *packet, size_t len)
{
	takeover_hold_pass(k->hold_out, id, packet && goes_on(k, packet, len, false));
}

void takeover_source_frame(struct takeover_keeper *k, size_t i, const unsigned char *mac)
{
	bool first = true;

	if (k->state != TAKEOVER_COMMITTED)
		return;
	for (size_t n = 0; n < k->manifest->n_addresses; n++)
		first = first && !k->owner_known[n];
	if (first)
		takeover_journal(k, "new owner heard");
	k->owner_known[i] = true;
	memcpy(k->owner[i], mac, TAKEOVER_MAC_LEN);
	k->quiet_at_ms = takeover_now_ms() + QUIET_MS;
}

static bool back_here(struct takeover_keeper *k)
{
	unsigned int connections = 0;

	if (!takeover_service_is_back(k, &connections)) {
		k->back_since_ms = 0;
		return false;
	}
	/* Listening sockets come first: wait for the others, unless they ended before the dump. */
	if (k->back_since_ms == 0)
		k->back_since_ms = takeover_now_ms();
	return connections >= k->n_connections || takeover_now_ms() - k->back_since_ms > BACK_MS;
}

void takeover_source_tick(struct takeover_keeper *k)
{
	long now = takeover_now_ms();
	bool all = true;

	if (k->state == TAKEOVER_PREPARED && !k->silent && k->criu_fd >= 0 &&
	    takeover_tasks_traced(k->tasks, k->n_tasks, k->criu_pid) && silence(k) == 0)
		takeover_event(k, "frozen");
	if (k->state != TAKEOVER_COMMITTED)
		return;
	relay(k);
	if (back_here(k)) {
		back(k);
		return;
	}
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		all = all && k->owner_known[i];
	if (all && now > k->quiet_at_ms) {
		unlock(k);
		if (takeover_conntrack_forget(k->manifest->addresses, k->manifest->n_addresses) < 0)
			takeover_event(k, "connections still tracked");
		takeover_keeper_unguard(k);
		k->state = TAKEOVER_DONE;
	} else if (!all && now > k->deadline_ms) {
		char why[96];

		snprintf(why, sizeof(why),
			 "no new owner within %u s; restore the images where you like",
			 k->config.hold_seconds);
		abandon(k, why);
	}
}
