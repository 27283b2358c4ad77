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

#include "forwarding.h"
#include "keeper.h"
#include "netlink.h"

#define TICK_MS	     10
#define STRAGGLER_MS 10
#define DRAIN_MAX    16
#define ACCEPT_MAX   16 /* at once; then the others have their turn */
#define SILENT_MAX   16 /* connections that have not said anything yet */

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
		 k->role == TAKEOVER_SOURCE ? "source" : "destination");
	takeover_journal(k, "guard");
	p = plan(k);
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
	drain(k);
	takeover_guard_open(k->guard);
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

void takeover_keeper_unguard(struct takeover_keeper *k)
{
	if (k->guard_name[0])
		takeover_guard_remove(k->guard_name);
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
	takeover_guard_shut(k->guard);
	k->opened_at_ms = 0;
	takeover_keeper_add(k, "this host forwards, so what comes for the address is dropped here "
			       "until ip-takeover rollback, claim or a restore");
}

/* Packets that were on their way to the queue when the rules went. */
static void release_stragglers(struct takeover_keeper *k)
{
	if (k->opened_at_ms == 0)
		return;
	takeover_hold_release(k->hold);
	takeover_hold_release(k->hold_out);
	if (takeover_now_ms() - k->opened_at_ms > STRAGGLER_MS)
		takeover_keeper_unguard(k);
}

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
	p->id = id;
	p->len = len;
	memcpy(p->packet, payload, len);
	takeover_source_held(k, p);
}

static void on_leaving(void *data, uint32_t id, const void *payload, size_t len)
{
	takeover_source_leaving(data, id, payload, len);
}

static void on_wire(struct takeover_keeper *k, size_t i)
{
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	ssize_t n;

	while ((n = takeover_wire_receive(k->wires[i], frame, sizeof(frame))) >= 0)
		if (takeover_announce_parse(frame, n, &k->manifest->addresses[i], mac))
			takeover_source_frame(k, i, mac);
}

static bool of_our_role(const struct takeover_keeper *k, enum takeover_request_verb verb)
{
	return verb > TAKEOVER_RESTORE_EXIT ||
	       (verb <= TAKEOVER_DUMP_EXIT) == (k->role == TAKEOVER_SOURCE);
}

static int handle(struct takeover_keeper *k, const struct takeover_request *request)
{
	if (request->root_pid > 0)
		k->root_pid = request->root_pid;
	if (k->state == TAKEOVER_ROLLED_BACK) {
		if (request->verb == TAKEOVER_DUMP_EXIT || request->verb == TAKEOVER_RESTORE_EXIT)
			return 0;
		return -ECANCELED;
	}
	return k->role == TAKEOVER_SOURCE ? takeover_source_request(k, request)
					  : takeover_destination_request(k, request);
}

/* The journal keeps what was said last, unless it is undone; the reply only what is new. */
static void answer(struct takeover_keeper *k, const struct takeover_request *request,
		   struct takeover_reply *reply)
{
	enum takeover_state before = k->state;
	char said[sizeof(k->message)];

	memcpy(said, k->message, sizeof(said));
	k->message[0] = '\0';
	reply->ret = handle(k, request);
	snprintf(reply->message, sizeof(reply->message), "%s",
		 reply->ret == -ECANCELED ? "this takeover was rolled back" : k->message);
	/* What a rollback has undone is no longer worth a word; why it came is. */
	if (!k->message[0] && (before == TAKEOVER_ROLLED_BACK || k->state != TAKEOVER_ROLLED_BACK))
		memcpy(k->message, said, sizeof(said));
}

struct silent {
	int fd[SILENT_MAX];
	size_t n;
};

/* Whether @fd has said something, or ended: it is of no use any more. */
static bool served(struct takeover_keeper *k, int fd)
{
	struct takeover_request datagram, request;
	struct takeover_reply reply = { 0 };
	ssize_t n = recv(fd, &datagram, sizeof(datagram), MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	reply.ret = takeover_request_check(&datagram, n, &request, reply.message,
					   sizeof(reply.message));
	if (reply.ret == 0 && !of_our_role(k, request.verb)) {
		reply.ret = -EINVAL;
		snprintf(reply.message, sizeof(reply.message),
			 "request: verb: expected one of a %s, not %u",
			 k->role == TAKEOVER_SOURCE ? "dump" : "restore", request.verb);
	} else if (reply.ret == 0) {
		answer(k, &request, &reply);
	}
	send(fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	return true;
}

/* While criu lives, somebody has to tell it that there is no takeover any more. */
static bool ended(const struct takeover_keeper *k)
{
	if (k->opened_at_ms != 0)
		return false;
	return k->state == TAKEOVER_DONE || k->state == TAKEOVER_ABANDONED ||
	       (k->state == TAKEOVER_ROLLED_BACK && k->criu_fd < 0);
}

/* Whoever is silent keeps nobody else waiting; the oldest of too many has to go. */
static void on_connections(struct takeover_keeper *k, struct silent *silent)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	size_t kept = 0;

	for (size_t i = 0; i < silent->n; i++)
		if (!ended(k) && served(k, silent->fd[i]))
			close(silent->fd[i]);
		else
			silent->fd[kept++] = silent->fd[i];
	silent->n = kept;
	for (int i = 0; i < ACCEPT_MAX && !ended(k); i++) {
		int fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.uid != 0 ||
		    served(k, fd)) {
			close(fd);
			continue;
		}
		if (silent->n == SILENT_MAX) {
			close(silent->fd[0]);
			memmove(silent->fd, silent->fd + 1, --silent->n * sizeof(fd));
		}
		silent->fd[silent->n++] = fd;
	}
}

static void on_criu_gone(struct takeover_keeper *k)
{
	close(k->criu_fd);
	k->criu_fd = -1;
	if (k->role == TAKEOVER_SOURCE)
		takeover_source_criu_gone(k);
	else
		takeover_destination_criu_gone(k);
}

/* The source looks for the freeze, which nobody tells it. */
static int patience(const struct takeover_keeper *k)
{
	bool look = k->role == TAKEOVER_SOURCE && k->state == TAKEOVER_PREPARED && !k->silent;

	return look ? 1 : TICK_MS;
}

static void loop(struct takeover_keeper *k)
{
	struct silent silent = { .n = 0 };

	while (!ended(k)) {
		bool source = k->role == TAKEOVER_SOURCE;
		struct pollfd pfd[4 + TAKEOVER_ADDRESSES_MAX + SILENT_MAX] = {
			{ .fd = k->listen_fd, .events = POLLIN },
			{ .fd = k->criu_fd, .events = POLLIN },
			{ .fd = takeover_hold_fd(k->hold), .events = POLLIN },
			/* On the destination the claim lets out what is held. */
			{ .fd = source ? takeover_hold_fd(k->hold_out) : -1, .events = POLLIN },
		};
		size_t n = k->manifest->n_addresses;
		unsigned int read;

		for (size_t i = 0; i < n; i++) {
			/* On the destination the claim itself reads what the probe drew. */
			pfd[4 + i].fd = source ? takeover_wire_fd(k->wires[i]) : -1;
			pfd[4 + i].events = POLLIN;
		}
		for (size_t i = 0; i < silent.n; i++)
			pfd[4 + n + i] = (struct pollfd){ .fd = silent.fd[i], .events = POLLIN };
		/* The keeper starts another worker. */
		if (poll(pfd, 4 + n + silent.n, patience(k)) < 0 && errno != EINTR)
			_exit(1);
		if (pfd[2].revents)
			takeover_hold_read(k->hold, on_held, k, &read);
		if (pfd[3].revents)
			takeover_hold_read(k->hold_out, on_leaving, k, &read);
		on_connections(k, &silent);
		if (pfd[1].revents && k->criu_fd >= 0)
			on_criu_gone(k);
		for (size_t i = 0; i < n; i++)
			if (pfd[4 + i].revents)
				on_wire(k, i);
		if (source)
			takeover_source_tick(k);
		else
			takeover_destination_tick(k);
		release_stragglers(k);
	}
}

/* Where the worker before us stopped, or from the beginning. */
static int begin(struct takeover_keeper *k)
{
	struct takeover_guard_plan p;

	k->held_tail = &k->held;
	k->held = NULL;
	k->guard = NULL;
	k->root_fd = k->root_pid > 0 ? syscall(SYS_pidfd_open, k->root_pid, 0) : -1;
	if (k->state == TAKEOVER_STARTING)
		return k->role == TAKEOVER_SOURCE ? takeover_source_begin(k)
						  : takeover_destination_begin(k);
	takeover_journal(k, "taken up");
	memset(&k->leftovers, 0, sizeof(k->leftovers));
	if (k->silent)
		takeover_quiesce_leftovers(k->manifest->addresses, k->manifest->n_addresses,
					   &k->leftovers);
	p = plan(k);
	return takeover_guard_adopt(&p, k->guard_mode, &k->guard);
}

void takeover_worker(struct takeover_keeper *k)
{
	bool first = k->state == TAKEOVER_STARTING;
	struct takeover_reply reply = { 0 };

	/* Told apart from the keeper that watches over it. */
	prctl(PR_SET_NAME, "ip-takeover-wrk");
	reply.ret = begin(k);
	snprintf(reply.message, sizeof(reply.message), "%s", k->message);
	if (reply.ret < 0 && !first)
		_exit(1);
	/* Before the guard nothing has changed. */
	if (reply.ret < 0 && k->guard_name[0]) {
		if (k->role == TAKEOVER_SOURCE) {
			takeover_keeper_unguard(k);
			unlinkat(k->images_fd, TAKEOVER_MANIFEST_NAME, 0);
		} else {
			takeover_destination_rollback(k);
		}
		k->state = TAKEOVER_ROLLED_BACK;
	}
	if (first) {
		send(k->report_fd, &reply, sizeof(reply), MSG_NOSIGNAL);
		close(k->report_fd);
	}
	if (reply.ret == 0)
		loop(k);
	unlink(k->socket);
	if (k->guard_name[0])
		takeover_journal_close(k);
}
