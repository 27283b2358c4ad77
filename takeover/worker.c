// SPDX-License-Identifier: GPL-2.0-only
/* The worker's event loop: requests, criu's death, held packets, announcements heard. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend.h"
#include "keeper.h"
#include "netlink.h"
#include "words.h"
#include "tasks.h"

#define TICK_MS 10
#define FIXED	5 /* descriptors to watch besides those of members, wires and askers */
#define DESCRIPTORS_MAX                                                                            \
	(FIXED + TAKEOVER_MEMBERS_MAX + TAKEOVER_ADDRESSES_MAX + TAKEOVER_ASKERS_MAX)

static void on_held(void *data, uint32_t id, const void *payload, size_t len)
{
	struct takeover_keeper *k = data;
	struct takeover_held *p;

	k->n_held++;
	if (!payload)
		return;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return;
	p->next = NULL;
	p->late = false;
	p->id = id;
	p->len = len;
	memcpy(p->packet, payload, len);
	takeover_source_held(k, p);
}

static void on_leaving(void *data, uint32_t id, const void *payload, size_t len)
{
	takeover_source_leaving(data, id, payload, len);
}

void takeover_keeper_read(struct takeover_keeper *k)
{
	unsigned int n;

	takeover_hold_read(k->hold, on_held, k, &n);
	if (k->role == TAKEOVER_SOURCE)
		takeover_hold_read(k->hold_out, on_leaving, k, &n);
}

static void on_wire(struct takeover_keeper *k, size_t i)
{
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	ssize_t n;

	while ((n = takeover_wire_receive(k->wires[i], frame, sizeof(frame))) >= 0)
		if (takeover_announce_parse(frame, n, &k->manifest->addresses[i], mac))
			takeover_source_frame(k, i, mac);
}

/* While criu lives, somebody has to tell it that there is no takeover any more. */
static bool over(const struct takeover_keeper *k)
{
	if (k->opened_at_ms != 0 || k->stuck_at_ms != 0)
		return false;
	return k->state == TAKEOVER_DONE || k->state == TAKEOVER_ABANDONED ||
	       (k->state == TAKEOVER_ROLLED_BACK && k->criu_fd < 0 && takeover_members_over(k));
}

static void settle(struct takeover_keeper *k)
{
	bool gave = !k->checkpoint &&
		    k->state == (k->role == TAKEOVER_SOURCE ? TAKEOVER_DONE : TAKEOVER_ROLLED_BACK);

	k->at_rest = !gave || takeover_backend_settle(k) != -EINPROGRESS;
}

bool takeover_keeper_ended(const struct takeover_keeper *k)
{
	return k->at_rest && over(k);
}

static void on_criu_gone(struct takeover_keeper *k)
{
	int fd = k->criu_fd;

	k->criu_fd = -1;
	k->criu_lost = false;
	k->criu_killed = fd >= 0 && takeover_task_was_killed(k->criu_pid, fd);
	if (fd >= 0)
		close(fd);
	if (k->role == TAKEOVER_SOURCE)
		takeover_source_criu_gone(k);
	else
		takeover_destination_criu_gone(k);
}

static void on_mover_gone(struct takeover_keeper *k)
{
	close(k->mover_fd);
	k->mover_fd = -1;
	if (k->role == TAKEOVER_SOURCE)
		takeover_source_mover_gone(k);
	else if (k->role == TAKEOVER_DESTINATION)
		takeover_destination_mover_gone(k);
	else
		takeover_standby_mover_gone(k);
}

/* The source looks for the freeze, which nobody tells it. */
static int patience(const struct takeover_keeper *k)
{
	bool look = k->role == TAKEOVER_SOURCE && k->state == TAKEOVER_PREPARED && !k->silent;

	return look ? 1 : TICK_MS;
}

static void tick(struct takeover_keeper *k)
{
	if (k->role == TAKEOVER_SOURCE)
		takeover_source_tick(k);
	else if (k->role == TAKEOVER_DESTINATION)
		takeover_destination_tick(k);
	else
		takeover_standby_tick(k);
}

/* criu waits for it, be it the worker's before us that has died too early. All of several trees
 * are to freeze at one moment. */
static void report(struct takeover_keeper *k)
{
	bool undone = k->state == TAKEOVER_ROLLED_BACK || k->returning;

	if (k->reported || (k->role == TAKEOVER_SOURCE && k->state == TAKEOVER_PREPARED &&
			    !undone && !takeover_members_here(k)))
		return;
	if (undone && k->report.ret == 0)
		k->report.ret = -ECANCELED;
	send(k->report_fd, &k->report, sizeof(k->report), MSG_NOSIGNAL);
	k->reported = true;
}

/* Its criu; perhaps before this worker could open it. */
static bool has_ended(const struct takeover_member *m, short revents)
{
	return m->criu_fd >= 0 ? revents != 0 : m->criu_pid > 0 && !m->criu_gone;
}

static void loop(struct takeover_keeper *k)
{
	struct takeover_askers askers = { .n = 0 };

	while (!takeover_keeper_ended(k)) {
		bool source = k->role == TAKEOVER_SOURCE;
		struct pollfd pfd[DESCRIPTORS_MAX] = {
			{ .fd = k->listen_fd, .events = POLLIN },
			{ .fd = k->criu_fd, .events = POLLIN },
			{ .fd = takeover_hold_fd(k->hold), .events = POLLIN },
			/* On the destination the claim lets out what is held. */
			{ .fd = source ? takeover_hold_fd(k->hold_out) : -1, .events = POLLIN },
			{ .fd = k->mover_fd, .events = POLLIN },
		};
		struct pollfd *wires = pfd + FIXED, *asking = wires + k->manifest->n_addresses;
		struct pollfd *members = asking + askers.n;
		size_t n = k->manifest->n_addresses;

		for (size_t i = 0; i < n; i++) {
			/* On the destination the claim itself reads what the probe drew. */
			wires[i].fd = source ? takeover_wire_fd(k->wires[i]) : -1;
			wires[i].events = POLLIN;
		}
		for (size_t i = 0; i < askers.n; i++)
			asking[i] = (struct pollfd){ .fd = askers.all[i].fd, .events = POLLIN };
		for (size_t i = 0; i < k->n_members; i++)
			members[i] =
				(struct pollfd){ .fd = k->members[i].criu_fd, .events = POLLIN };
		/* The keeper starts another worker. */
		if (poll(pfd, FIXED + n + askers.n + k->n_members, patience(k)) < 0 &&
		    errno != EINTR)
			_exit(1);
		if (pfd[2].revents || pfd[3].revents)
			takeover_keeper_read(k);
		takeover_keeper_serve(k, &askers);
		if (pfd[4].revents && k->mover_fd >= 0)
			on_mover_gone(k);
		if ((pfd[1].revents && k->criu_fd >= 0) || k->criu_lost)
			on_criu_gone(k);
		for (size_t i = 0; i < n; i++)
			if (wires[i].revents)
				on_wire(k, i);
		for (size_t i = 0; i < k->n_members; i++)
			if (has_ended(&k->members[i], members[i].revents))
				takeover_members_criu_gone(k, &k->members[i]);
		tick(k);
		takeover_keeper_release_rest(k);
		report(k);
		if (over(k))
			settle(k);
	}
}

/* Where the worker before us stopped, or from the beginning. */
static int begin(struct takeover_keeper *k)
{
	k->held_tail = &k->held;
	k->held = NULL;
	k->guard = NULL;
	takeover_members_open(k);
	k->root_fd = k->root_pid > 0 ? syscall(SYS_pidfd_open, k->root_pid, 0) : -1;
	if (k->role == TAKEOVER_SOURCE)
		takeover_words_listen(k);
	if (k->state == TAKEOVER_STARTING)
		return k->role == TAKEOVER_SOURCE	 ? takeover_source_begin(k)
		       : k->role == TAKEOVER_DESTINATION ? takeover_destination_begin(k)
							 : takeover_standby_begin(k);
	takeover_keeper_adopt_again(k);
	takeover_journal(k, "taken up");
	memset(&k->leftovers, 0, sizeof(k->leftovers));
	if (k->silent)
		takeover_quiesce_leftovers(k->manifest->addresses, k->manifest->n_addresses,
					   &k->leftovers);
	return takeover_keeper_guard_adopt(k);
}

void takeover_worker(struct takeover_keeper *k)
{
	char mark[TAKEOVER_SOCKET_LEN + 16];
	bool first = k->state == TAKEOVER_STARTING;
	int ret;

	/* Told apart from the keeper that watches over it. */
	prctl(PR_SET_NAME, "ip-takeover-wrk");
	ret = begin(k);
	k->report.ret = ret;
	snprintf(k->report.message, sizeof(k->report.message), "%s", k->message);
	if (ret < 0 && !first)
		_exit(1);
	/* Before the guard nothing has changed. */
	if (ret < 0 && k->guard_name[0]) {
		if (k->role == TAKEOVER_SOURCE) {
			takeover_keeper_unguard(k);
			unlinkat(k->images_fd, TAKEOVER_MANIFEST_NAME, 0);
		} else if (k->role == TAKEOVER_DESTINATION) {
			takeover_destination_rollback(k);
		} else {
			takeover_keeper_unguard(k);
		}
		k->state = TAKEOVER_ROLLED_BACK;
	}
	report(k);
	if (ret == 0)
		loop(k);
	while (k->stuck_at_ms != 0 && !takeover_keeper_unguard(k))
		poll(NULL, 0, TICK_MS);
	/* In this order: a journal without a socket is that of a keeper that was killed. */
	if (k->guard_name[0])
		takeover_journal_close(k);
	unlink(takeover_request_mark(k->socket, mark, sizeof(mark)));
	unlink(k->socket);
	takeover_keeper_disarm(k);
}
