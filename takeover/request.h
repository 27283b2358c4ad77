/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the keeper: what a CRIU stage asks for, over a unix socket in
 * /run/ip-takeover that only root can use. One datagram each way (SOCK_SEQPACKET).
 */
#ifndef TAKEOVER_REQUEST_H
#define TAKEOVER_REQUEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAKEOVER_RUN_DIR	 "/run/ip-takeover"
#define TAKEOVER_REQUEST_VERSION 1

enum takeover_request_verb {
	TAKEOVER_DUMP_PREPARED,	   /* is the source's guard up? */
	TAKEOVER_DUMP_WITHDRAW,	   /* post-dump */
	TAKEOVER_DUMP_EXIT,	   /* value: enum takeover_exit */
	TAKEOVER_RESTORE_PREPARED, /* is the address here, guarded? */
	TAKEOVER_RESTORE_CLAIM,	   /* post-restore */
	TAKEOVER_RESTORE_RELEASE,  /* sockets out of repair */
	TAKEOVER_RESTORE_EXIT,	   /* value: CRIU's exit code */
	TAKEOVER_ROLLBACK,
	TAKEOVER_YIELD, /* another takeover of the address begins here; value: 0 only asks */
	/* Of the mover, who drives both hosts (ip-takeover migrate) */
	TAKEOVER_AWAIT_HANDOVER, /* answered when the source has withdrawn: the images are whole */
	TAKEOVER_AWAIT_READY,	 /* answered when the destination's tasks are there, still frozen */
	TAKEOVER_COMMIT,  /* source: the tasks may die. destination: they may run; value: 1 of a
			   * person, when in doubt */
	TAKEOVER_ABORT,	  /* neither */
	TAKEOVER_MOVED,	  /* source: they run there; by its word, heard on the segment or not */
	TAKEOVER_DUMP_BY, /* a runtime's criu, value: its PID, begins the dump that the source is
			   * prepared for (armed.h) */
	/* Of a tree's criu that moves beside the keeper's own (members.h); value: its PID */
	TAKEOVER_MEMBER_BEGINS,	     /* pre-dump, pre-restore */
	TAKEOVER_MEMBER_WAITS,	     /* post-dump, post-restore: for the decision */
	TAKEOVER_MEMBER_LEFT_REPAIR, /* its sockets have */
	TAKEOVER_VERBS,
};

/* What criu's end says about the dumped tasks. */
enum takeover_exit {
	TAKEOVER_EXIT_FAILED,	     /* no dump: they live on */
	TAKEOVER_EXIT_TASKS_DIE,     /* criu keeps their connections in repair mode */
	TAKEOVER_EXIT_NO_CONNECTION, /* it keeps none: they live on, or never had one */
};

struct takeover_request {
	uint32_t version;
	uint32_t verb;
	int32_t value;
	int32_t root_pid; /* the dumped tree's root, 0 when not known */
};

struct takeover_reply {
	int32_t ret;	   /* 0, -errno, or 1: nothing to do here */
	char message[508]; /* one line, empty when there is nothing to say */
};

/* Ask the keeper at @socket. Its reply is in @ret_reply when 0 is returned. -ENOENT when
 * there is no keeper, -ECONNREFUSED when it has died, -ETIMEDOUT after 30 s. */
int takeover_request(const char *socket, enum takeover_request_verb verb, int value, pid_t root_pid,
		     struct takeover_reply *ret_reply);

/* The same for a request that is answered when it is decided, without such a limit. */
int takeover_request_wait(const char *socket, enum takeover_request_verb verb, int value,
			  pid_t root_pid, struct takeover_reply *ret_reply);

/* Ask, and wait for the reply by poll(): the descriptor, or as above. */
int takeover_request_send(const char *socket, enum takeover_request_verb verb);

/* 0; -EAGAIN: not yet; -ECONNREFUSED: the keeper or its worker has died: ask again. */
int takeover_request_receive(int fd, struct takeover_reply *ret_reply);

/* Whether the @n bytes at @datagram are a request. -EPROTO when its length, version or verb
 * is that of another version of this project, -EINVAL when a field is out of range; @error
 * says which and what was expected. */
int takeover_request_check(const void *datagram, size_t n, struct takeover_request *ret_request,
			   char *error, size_t len);

/* What the keeper says to whoever asks later. */
#define TAKEOVER_WAS_ROLLED_BACK "this takeover was rolled back"

/* What is said of it to criu. */
#define TAKEOVER_KEEPER_IS_GONE "the keeper is gone, and has decided nothing"

#define TAKEOVER_SOCKET_LEN 108 /* sun_path of unix(7) */

/* When @pid was started, in clock ticks since the boot: proc_pid_stat(5), field 22; 0 when
 * there is no such process. */
unsigned long long takeover_request_started(pid_t pid);

/* The socket of the keeper of the criu process @criu_pid, which lives. Its name tells it
 * from those of earlier processes of that PID, by the time of its start. */
const char *takeover_request_path(pid_t criu_pid, char *buf, size_t len);

/* Beside @socket: a file that says that the source has committed; of several trees (members.h)
 * also that the destination has. The keeper makes it before it says so to anybody, for those who
 * find it dead. Returns @buf. */
const char *takeover_request_mark(const char *socket, char *buf, size_t len);

/* Start a keeper, "ip-takeover keeper ...", found beside the file @self or where
 * make install puts it, and wait until it has done the
 * first step of its role or refused. The keeper is no child of the caller.
 * @role: "source", "checkpoint" or "destination". @mover: the process that drives both hosts, or 0.
 * @netns: the path of the network namespace in which the addresses are, as "/proc/1234/ns/net";
 * NULL: that of the root on the source, else the caller's.
 */
int takeover_keeper_start(const char *self, const char *role, pid_t criu_pid, pid_t root_pid,
			  const char *images, pid_t mover, const char *netns,
			  struct takeover_reply *ret_reply);

#endif
