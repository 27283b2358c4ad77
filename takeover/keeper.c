// SPDX-License-Identifier: GPL-2.0-only
/* The keeper's event loop: requests, criu's death, held packets, announcements heard. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper.h"
#include "netlink.h"

#define TICK_MS	     10
#define STRAGGLER_MS 2
#define STRAGGLERS   5

int takeover_keeper_say(struct takeover_keeper *k, int ret, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(k->message, sizeof(k->message), format, ap);
	va_end(ap);
	return ret;
}

static void forget_held(struct takeover_keeper *k)
{
	while (k->held) {
		struct takeover_held *p = k->held;

		k->held = p->next;
		free(p);
	}
	k->held_tail = &k->held;
}

void takeover_keeper_release(struct takeover_keeper *k)
{
	/* In order: what waits goes first; the rules go, the chains stay; then what
	 * came in between. Deleting a chain drops what is queued (guard.h). */
	takeover_hold_release(k->hold);
	takeover_guard_open(k->guard);
	for (int i = 0; i < STRAGGLERS; i++) {
		takeover_hold_release(k->hold);
		poll(NULL, 0, i ? STRAGGLER_MS : 0);
	}
	forget_held(k);
	takeover_guard_remove(k->guard_name);
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
	*k->held_tail = p;
	k->held_tail = &p->next;
}

static void on_wire(struct takeover_keeper *k, size_t i)
{
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	ssize_t n;

	while ((n = takeover_wire_receive(k->wires[i], frame, sizeof(frame))) >= 0)
		if (takeover_announce_parse(frame, n, &k->manifest->addresses[i], mac))
			takeover_source_frame(k, i, mac);
}

static int listen_socket(const struct takeover_keeper *k)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	mkdir(TAKEOVER_RUN_DIR, 0700);
	takeover_request_path(k->criu_pid, sun.sun_path, sizeof(sun.sun_path));
	unlink(sun.sun_path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (void *)&sun, sizeof(sun)) < 0 || listen(fd, 8) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static int handle(struct takeover_keeper *k, const struct takeover_request *request)
{
	if (request->version != TAKEOVER_REQUEST_VERSION || request->verb >= TAKEOVER_VERBS)
		return takeover_keeper_say(k, -EPROTO, "request of another version of this project");
	if (request->root_pid > 0)
		k->root_pid = request->root_pid;
	if (k->state == TAKEOVER_ROLLED_BACK)
		return takeover_keeper_say(k, -ECANCELED, "this takeover was rolled back");
	return k->role == TAKEOVER_SOURCE ? takeover_source_request(k, request) :
					    takeover_destination_request(k, request);
}

static void on_request(struct takeover_keeper *k)
{
	struct timeval patience = { .tv_sec = 1 };
	struct takeover_request request;
	struct takeover_reply reply = { 0 };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == 0 &&
	    recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
		k->message[0] = '\0';
		reply.ret = handle(k, &request);
		snprintf(reply.message, sizeof(reply.message), "%s", k->message);
		send(fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	close(fd);
}

static void loop(struct takeover_keeper *k)
{
	while (k->state != TAKEOVER_DONE && k->state != TAKEOVER_ROLLED_BACK) {
		struct pollfd pfd[3 + TAKEOVER_ADDRESSES_MAX] = {
			{ .fd = k->listen_fd, .events = POLLIN },
			{ .fd = k->criu_fd, .events = POLLIN },
			{ .fd = takeover_hold_fd(k->hold), .events = POLLIN },
		};
		size_t n = k->manifest->n_addresses;
		unsigned int held;

		for (size_t i = 0; i < n; i++) {
			/* On the destination the claim itself reads what the probe drew. */
			pfd[3 + i].fd = k->role == TAKEOVER_SOURCE ? takeover_wire_fd(k->wires[i]) : -1;
			pfd[3 + i].events = POLLIN;
		}
		if (poll(pfd, 3 + n, TICK_MS) < 0 && errno != EINTR)
			break;
		if (pfd[2].revents)
			takeover_hold_read(k->hold, on_held, k, &held);
		if (pfd[0].revents)
			on_request(k);
		if (pfd[1].revents && k->criu_fd >= 0) {
			close(k->criu_fd);
			k->criu_fd = -1;
			if (k->role == TAKEOVER_SOURCE)
				takeover_source_criu_gone(k);
			else
				takeover_destination_criu_gone(k);
		}
		for (size_t i = 0; i < n; i++)
			if (pfd[3 + i].revents)
				on_wire(k, i);
		if (k->role == TAKEOVER_SOURCE)
			takeover_source_tick(k);
		else
			takeover_destination_tick(k);
	}
}

static int prepare(struct takeover_keeper *k, const char *images)
{
	char error[200];
	int ret;

	ret = takeover_config_read(&k->config, error, sizeof(error));
	if (ret == -ENOENT)
		return takeover_keeper_say(k, 0, "%s: nothing to do", error);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s", error);
	k->images_fd = open(images, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->images_fd < 0)
		return takeover_keeper_say(k, -errno, "%s: %s", images, strerror(errno));
	k->criu_fd = syscall(SYS_pidfd_open, k->criu_pid, 0);
	if (k->criu_fd < 0)
		return takeover_keeper_say(k, -errno, "cannot watch criu (pid %d): %s",
					   (int)k->criu_pid, strerror(errno));
	k->listen_fd = listen_socket(k);
	if (k->listen_fd < 0)
		return takeover_keeper_say(k, k->listen_fd, TAKEOVER_RUN_DIR ": %s",
					   strerror(-k->listen_fd));
	return k->role == TAKEOVER_SOURCE ? takeover_source_prepare(k) :
					    takeover_destination_prepare(k);
}

int takeover_keeper_main(int argc, char **argv)
{
	struct takeover_keeper k = { .criu_fd = -1, .images_fd = -1, .listen_fd = -1 };
	struct takeover_reply reply = { 0 };
	char path[108];
	int report;

	if (argc != 6)
		return 2;
	k.held_tail = &k.held;
	k.role = strcmp(argv[1], "source") == 0 ? TAKEOVER_SOURCE : TAKEOVER_DESTINATION;
	k.criu_pid = atoi(argv[2]);
	k.root_pid = atoi(argv[3]);
	report = atoi(argv[5]);
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/") < 0)
		return 1;
	reply.ret = prepare(&k, argv[4]);
	snprintf(reply.message, sizeof(reply.message), "%s", k.message);
	if (reply.ret < 0 && k.guard_name[0]) {
		if (k.role == TAKEOVER_SOURCE)
			takeover_guard_remove(k.guard_name);
		else
			takeover_destination_rollback(&k);
	}
	send(report, &reply, sizeof(reply), MSG_NOSIGNAL);
	close(report);
	if (reply.ret == 0 && k.guard)
		loop(&k);
	takeover_request_path(k.criu_pid, path, sizeof(path));
	if (k.listen_fd >= 0)
		unlink(path);
	if (k.manifest && k.guard_name[0])
		takeover_journal_close(&k);
	takeover_hold_close(k.hold);
	return reply.ret < 0;
}
