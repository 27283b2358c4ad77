// SPDX-License-Identifier: GPL-2.0-only
/* Requests to the keeper: who may ask, what is asked, and the answer. */
#include <errno.h>
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

static int handle(struct takeover_keeper *k, const struct takeover_request *request)
{
	if (request->root_pid > 0)
		k->root_pid = request->root_pid;
	if (k->state == TAKEOVER_ROLLED_BACK && request->verb != TAKEOVER_RESTORE_RELEASE) {
		bool over = request->verb == TAKEOVER_RESTORE_EXIT ||
			    (request->verb == TAKEOVER_DUMP_EXIT &&
			     request->value == TAKEOVER_EXIT_FAILED);

		return over ? 0 : -ECANCELED;
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
		 reply->ret == -ECANCELED && !k->message[0] ? "this takeover was rolled back"
							    : k->message);
	/* What a rollback has undone is no longer worth a word; why it came is. */
	if (!k->message[0] && (before == TAKEOVER_ROLLED_BACK || k->state != TAKEOVER_ROLLED_BACK))
		memcpy(k->message, said, sizeof(said));
}

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

/* Whoever is silent keeps nobody else waiting; the oldest of too many has to go. */
void takeover_keeper_serve(struct takeover_keeper *k, struct takeover_silent *silent)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	size_t kept = 0;

	for (size_t i = 0; i < silent->n; i++)
		if (!takeover_keeper_ended(k) && served(k, silent->fd[i]))
			close(silent->fd[i]);
		else
			silent->fd[kept++] = silent->fd[i];
	silent->n = kept;
	for (int i = 0; i < ACCEPT_MAX && !takeover_keeper_ended(k); i++) {
		int fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.uid != 0 ||
		    served(k, fd)) {
			close(fd);
			continue;
		}
		if (silent->n == TAKEOVER_SILENT_MAX) {
			close(silent->fd[0]);
			memmove(silent->fd, silent->fd + 1, --silent->n * sizeof(fd));
		}
		silent->fd[silent->n++] = fd;
	}
}
