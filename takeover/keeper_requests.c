// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the keeper: who may ask, what is asked, and the answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper.h"

#define ACCEPT_MAX 16 /* at once; then the others have their turn */

static bool of_our_role(const struct takeover_keeper *k, enum takeover_request_verb verb)
{
	return verb > TAKEOVER_RESTORE_EXIT ||
	       (verb <= TAKEOVER_DUMP_EXIT) == (k->role == TAKEOVER_SOURCE);
}

int takeover_keeper_mark(const struct takeover_keeper *k)
{
	char path[TAKEOVER_SOCKET_LEN + 16];
	int fd = open(takeover_request_mark(k->socket, path, sizeof(path)),
		      O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int handle(struct takeover_keeper *k, const struct takeover_request *request)
{
	if (request->verb >= TAKEOVER_MEMBER_BEGINS)
		return takeover_members_request(k, request);
	if (request->root_pid > 0)
		k->root_pid = request->root_pid;
	if ((k->state == TAKEOVER_ROLLED_BACK || k->returning) &&
	    request->verb != TAKEOVER_RESTORE_RELEASE) {
		bool over = request->verb == TAKEOVER_RESTORE_EXIT ||
			    (request->verb == TAKEOVER_DUMP_EXIT &&
			     request->value == TAKEOVER_EXIT_FAILED);

		return over ? 0 : -ECANCELED;
	}
	switch (k->role) {
	case TAKEOVER_SOURCE:
		return takeover_source_request(k, request);
	case TAKEOVER_DESTINATION:
		return takeover_destination_request(k, request);
	default:
		return takeover_standby_request(k, request);
	}
}

/* The journal keeps what was said last, unless it is undone; the reply only what is new. */
static void answer(struct takeover_keeper *k, const struct takeover_request *request,
		   struct takeover_reply *reply)
{
	enum takeover_state before = k->state;
	char said[sizeof(k->message)];
	bool doubt = k->in_doubt;

	memcpy(said, k->message, sizeof(said));
	k->message[0] = '\0';
	reply->ret = handle(k, request);
	snprintf(reply->message, sizeof(reply->message), "%s",
		 reply->ret == -ECANCELED && !k->message[0] ? TAKEOVER_WAS_ROLLED_BACK
							    : k->message);
	/* What a rollback has undone is no longer worth a word; why it came is. */
	if (!k->message[0] && doubt == k->in_doubt &&
	    (before == TAKEOVER_ROLLED_BACK || k->state != TAKEOVER_ROLLED_BACK))
		memcpy(k->message, said, sizeof(said));
}

static bool has_gone(int fd)
{
	char c;

	return recv(fd, &c, sizeof(c), MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* What is asked now, or was before: whether the connection is of no use any more. */
static bool served(struct takeover_keeper *k, struct takeover_asker *asker)
{
	struct takeover_reply reply = { 0 };
	struct takeover_request datagram;
	ssize_t n;

	if (asker->asked && has_gone(asker->fd))
		return true;
	if (!asker->asked) {
		n = recv(asker->fd, &datagram, sizeof(datagram), MSG_TRUNC | MSG_DONTWAIT);
		if (n < 0)
			return errno != EAGAIN && errno != EINTR;
		reply.ret = takeover_request_check(&datagram, n, &asker->request, reply.message,
						   sizeof(reply.message));
		asker->asked = true;
		/* Whoever does not wait for the decision has made another one by now. */
		if (reply.ret == 0 && asker->request.verb == TAKEOVER_COMMIT && has_gone(asker->fd))
			return true;
	}
	if (reply.ret == 0 && !of_our_role(k, asker->request.verb)) {
		reply.ret = -EINVAL;
		snprintf(reply.message, sizeof(reply.message),
			 "request: verb: expected one of a %s, not %u",
			 k->role == TAKEOVER_SOURCE ? "dump" : "restore", asker->request.verb);
	} else if (reply.ret == 0) {
		answer(k, &asker->request, &reply);
	}
	if (reply.ret == -EINPROGRESS)
		return false;
	send(asker->fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	return true;
}

static void drop(struct takeover_askers *askers, size_t i)
{
	close(askers->all[i].fd);
	askers->n--;
	memmove(&askers->all[i], &askers->all[i + 1], (askers->n - i) * sizeof(askers->all[0]));
}

/* Of too many the oldest that has said nothing goes. */
static void make_room(struct takeover_askers *askers)
{
	size_t oldest = 0;

	while (oldest < askers->n - 1 && askers->all[oldest].asked)
		oldest++;
	drop(askers, oldest);
}

static void serve_all(struct takeover_keeper *k, struct takeover_askers *askers)
{
	for (size_t i = 0; i < askers->n && !takeover_keeper_ended(k);)
		if (served(k, &askers->all[i]))
			drop(askers, i);
		else
			i++;
}

/* Whoever is silent keeps nobody else waiting. */
void takeover_keeper_serve(struct takeover_keeper *k, struct takeover_askers *askers)
{
	enum takeover_state before = k->state;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	serve_all(k, askers);
	for (int i = 0; i < ACCEPT_MAX && !takeover_keeper_ended(k); i++) {
		struct takeover_asker asker = { .fd = accept4(k->listen_fd, NULL, NULL,
							      SOCK_CLOEXEC) };

		if (asker.fd < 0)
			break;
		if (getsockopt(asker.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
		    cred.uid != 0 || served(k, &asker)) {
			close(asker.fd);
			continue;
		}
		if (askers->n == TAKEOVER_ASKERS_MAX)
			make_room(askers);
		askers->all[askers->n++] = asker;
	}
	/* One's request may be what another waits for. */
	do {
		bool again = k->state != before || k->news;

		before = k->state;
		k->news = false;
		if (again || k->decided)
			serve_all(k, askers);
	} while (k->state != before || k->news);
}
