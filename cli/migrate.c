// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover migrate: the source's end, from the command line to the commit. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "deadline.h"
#include "facts.h"
#include "facts_read.h"
#include "keep_images.h"
#include "migrate_result.h"
#include "mover.h"
#include "netlink.h"
#include "progress.h"
#include "steps.h"

#define SEND_MS	    10000
#define ABORTED_S   5
#define CRIU_END_MS 30000
#define PASSES	    3
#define FEW_BYTES   (4 << 20) /* a pass that sent no more has caught up */

static uint64_t expected;

static void show_ahead(struct images_sender *images)
{
	progress_bytes(images_send_stats(images).stored, expected);
}

static uint64_t memory_of(pid_t pid)
{
	char path[64], line[128];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && kib == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %lu", &kib);
	if (f)
		fclose(f);
	return (uint64_t)kib << 10;
}

/* The memory goes ahead while the service runs. */
static int send_ahead(struct migrate *m)
{
	struct channel_message message;
	uint64_t bytes = 64 << 20;
	pid_t *pids;
	size_t n;
	int ret;

	migrate_step(STEP_AHEAD);
	ret = mover_tasks(m, &pids, &n);
	if (ret < 0)
		return mover_say(m, ret, strerror(-ret));
	for (size_t i = 0; i < n; i++)
		bytes += memory_of(pids[i]);
	bytes += mover_container_bytes(m);
	expected = bytes - (64 << 20);
	ret = place_make(bytes, &m->place);
	if (ret < 0) {
		free(pids);
		return mover_say(m, ret, "no room for the images here");
	}
	ret = migrate_say(m->channel, "begin", json_pack("{s:I}", "bytes", (json_int_t)bytes))
		      ?: mover_expect(m, "waiting", &message)
		      ?: images_send_open(m->channel, m->place.fd, bytes, &m->images);
	if (ret == 0)
		images_send_watch(m->images, show_ahead);
	for (int i = 0; ret == 0 && i < PASSES; i++) {
		uint64_t before = images_send_stats(m->images).stored;

		ret = images_send_memory(m->images, pids, n);
		if (images_send_stats(m->images).stored - before <= FEW_BYTES)
			break;
	}
	free(pids);
	if (ret == -EPIPE)
		return mover_say(m, ret, rsh_why(&m->remote));
	return ret < 0 ? mover_say(m, ret,
				   m->images ? images_send_error(m->images) : strerror(-ret))
		       : 0;
}

static int criu_failed(struct migrate *m)
{
	char why[600];

	if (m->container.runtime && m->criu.pidfd < 0 && m->criu.status == 0)
		return mover_container_lost(m);
	members_why(&m->members, &m->criu, why, sizeof(why));
	if (!why[0] && place_is_full(&m->place))
		snprintf(why, sizeof(why), "no space left for criu's images in %s", m->place.path);
	return mover_say(m, -ECANCELED,
			 why[0] ? why : "criu dump failed without a word; is it installed?");
}

/* Until the addresses are withdrawn and the images whole. */
static int dump(struct migrate *m)
{
	struct takeover_reply reply = { 0 };
	const char *more[MIGRATE_CRIU_OPTIONS_MAX + 3] = { "-t", NULL };
	pid_t ended;
	char pid[16];
	int ret;

	if (mover_ended(m, &ended) > 0)
		return mover_say(m, -ESRCH, "it has ended meanwhile");
	m->freeze_until_ms = takeover_now_ms() + m->o.max_freeze_s * 1000L;
	deadline_set(m->o.max_freeze_s, channel_fd(m->channel));
	snprintf(pid, sizeof(pid), "%d", (int)m->root);
	more[1] = pid;
	for (size_t i = 0; m->criu_options[i] && i < MIGRATE_CRIU_OPTIONS_MAX; i++)
		more[2 + i] = m->criu_options[i];
	migrate_step(STEP_DUMP);
	ret = m->container.runtime ? mover_container_start(m)
				   : criu_start("dump", m->place.path, more,
						(const char *const[]){ TAKEOVER_TREES_ENV,
								       m->members.list, NULL },
						&m->criu);
	if (ret < 0)
		return criu_ended(&m->criu) && m->criu.status
			       ? criu_failed(m)
			       : mover_say(m, ret, "cannot start criu");
	place_used_by(&m->place, m->criu.pid);
	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = m->criu.pidfd, .events = POLLIN },
			{ .fd = m->criu.asked_fd, .events = POLLIN },
		};

		ret = members_start(&m->members, &m->criu, &m->place, m->criu_options);
		if (ret < 0)
			return mover_say(m, ret, "cannot start criu");
		ret = m->container.runtime ? mover_container_follow(m)
					   : images_send_follow(m->images);
		if (ret < 0)
			return mover_say(m, ret, images_send_error(m->images));
		ret = criu_ask(&m->criu, TAKEOVER_AWAIT_HANDOVER, &reply);
		if (ret == 0 && reply.ret == 0)
			break;
		if (criu_ended(&m->criu) || members_failed(&m->members))
			return criu_failed(m);
		if (deadline_passed())
			return mover_say(m, -ETIMEDOUT, "");
		poll(pfd, 2, 1);
	}
	migrate_step(STEP_IMAGES);
	if (m->container.runtime) {
		mover_container_follow(m);
		ret = mover_container_save(m);
		if (ret < 0)
			return ret;
	}
	ret = images_send_rest(m->images);
	if (ret < 0)
		return mover_say(m, ret, images_send_error(m->images));
	if (m->container.runtime && m->container.runtime->sent)
		m->container.runtime->sent(&m->container, m->images_fd);
	return 0;
}

/* The keeper has not answered: it was killed, after it had committed or before; or it is not
 * dead, and may not commit any more. -EINPROGRESS: it may. */
static int find_out(struct migrate *m)
{
	struct takeover_reply reply = { 0 };
	char mark[TAKEOVER_SOCKET_LEN + 16];
	int ret;

	takeover_request_mark(m->criu.socket, mark, sizeof(mark));
	if (!criu_keeper_is_dead(&m->criu)) {
		ret = criu_tell(&m->criu, TAKEOVER_ABORT, &reply);
		if (ret == 0)
			return -ECANCELED;
		if (reply.ret != 0)
			return reply.ret == -EBUSY ? 0 : reply.ret;
	}
	if (access(mark, F_OK) == 0)
		return 0;
	return criu_keeper_is_dead(&m->criu) || access(m->criu.socket, F_OK) < 0 ? -ECANCELED
										 : -EINPROGRESS;
}

/* The decision. Committed is what the keeper has written down; the destination hears it only
 * then. Without an answer from the keeper nobody may run there. */
static int commit(struct migrate *m)
{
	struct takeover_reply reply = { 0 };
	struct channel_message message;
	int ret;

	migrate_step(STEP_COMMIT);
	/* Better now than in doubt. */
	ret = channel_receive(m->channel, &message);
	if (ret != 0)
		return ret == -EPIPE
			       ? mover_say(m, ret, rsh_why(&m->remote))
			       : mover_say(m, -EREMOTEIO, "the other host has failed meanwhile");
	ret = criu_tell(&m->criu, TAKEOVER_COMMIT, &reply);
	if (ret < 0 && reply.ret == 0)
		ret = find_out(m);
	if (ret < 0)
		return mover_say(m, ret,
				 reply.message[0] ? reply.message : "the keeper here was killed");
	m->committed = true;
	migrate_step(STEP_COMMITTED);
	migrate_say(m->channel, "commit", NULL);
	m->frozen_ns = migrate_event_ns(m->criu.socket,
					(const char *const[]){ "frozen", "withdraw", NULL });
	return 0;
}

static int hand_over(struct migrate *m)
{
	struct channel_message message;
	int ret;

	migrate_step(STEP_RESTORE);
	/* From "ready" on the connection is needed for an answer, be it no. */
	deadline_forget();
	m->timeout_s =
		mover_smaller(m->timeout_s, (m->freeze_until_ms - takeover_now_ms() + 999) / 1000);
	ret = migrate_say(m->channel, "restore",
			  json_pack("{s:o, s:o}", "options",
				    migrate_options_give_criu(m->criu_options), "trees",
				    members_give(&m->members)));
	if (ret < 0)
		return mover_say(m, ret, rsh_why(&m->remote));
	ret = mover_expect(m, "ready", &message) ?: commit(m);
	m->timeout_s = mover_smaller(m->o.timeout_s, MOVER_ANSWER_S);
	return ret;
}

/* Nothing is committed: the service goes on here. */
static void take_back(struct migrate *m)
{
	struct channel_message message;

	if (m->criu.pid > 0) {
		criu_abort(&m->criu, CRIU_END_MS);
		members_wait(&m->members, CRIU_END_MS);
	}
	m->timeout_s = m->criu.pid > 0 ? ABORTED_S : 1;
	if (m->channel && migrate_say(m->channel, "abort", NULL) == 0)
		mover_expect(m, "aborted", &message);
	/* What keepalived has moved comes back when the other host has let go of it. */
	if (m->criu.pid > 0)
		criu_settle(&m->criu);
}

static int not_moved(struct migrate *m)
{
	char result[sizeof(m->why) + 16];

	snprintf(result, sizeof(result), "not moved: %s", m->why);
	mover_save_report(m, result);
	return mover_say_failure(m, "was not moved, and runs here");
}

static int move(struct migrate *m)
{
	char id[TAKEOVER_ID_STRLEN];
	struct takeover_reply reply = { 0 };
	struct channel_message message;
	int ret;

	migrate_step(STEP_CONNECT);
	ret = rsh_start(&m->remote, m->rsh, m->host, m->program, "receive", &m->channel);
	if (ret < 0) {
		mover_say(m, ret, "cannot start the remote shell");
		return not_moved(m);
	}
	deadline_set(m->o.timeout_s, channel_fd(m->channel));
	channel_set_patience(m->channel, SEND_MS);
	ret = mover_greet(m) ?: mover_preflight(m);
	if (ret == -ECANCELED && !m->why[0]) {
		progress_event("result", json_pack("{s:b, s:b}", "moved", 0, "ok", 1));
		return 0;
	}
	ret = ret ?: send_ahead(m) ?: dump(m) ?: hand_over(m);
	if (ret == -EINPROGRESS) {
		mover_say(m, ret, "its keeper does not answer");
		return mover_say_failure(m,
					 "may be committed; see ip-takeover status on both hosts");
	}
	if (ret < 0) {
		take_back(m);
		return not_moved(m);
	}
	/* From here on only the destination's copy counts. */
	criu_takeover(&m->criu, id);
	if (!criu_wait(&m->criu, CRIU_END_MS) || !members_wait(&m->members, CRIU_END_MS))
		progress_error("criu has not ended; its keeper ends the tasks");
	ret = mover_expect(m, "runs", &message);
	/* When it says that it has failed, what was heard of it before counts no more. */
	if (ret == -EREMOTEIO || (ret < 0 && !mover_again(m, id))) {
		char what[PATH_MAX + 600];

		place_keep(&m->place);
		mover_save_report(m, "committed; the other host has not said that it runs");
		snprintf(what, sizeof(what),
			 "is committed to the other host, which has not said that it runs; see "
			 "ip-takeover status there, or tell it: ip-takeover migrate --resume %s "
			 "--to %s. Its images stay in %s",
			 id, m->host, m->place.path);
		return mover_say_failure(m, what);
	}
	m->runs_there = true;
	m->said_runs = ret == 0;
	migrate_step(STEP_DONE);
	/* Not each one hears the other host. */
	criu_tell(&m->criu, TAKEOVER_MOVED, &reply);
	/* What a keeper that was killed has left. */
	if (criu_ended(&m->criu))
		criu_settle(&m->criu);
	m->theirs = ret == 0 ? json_incref(json_object_get(message.json, "record")) : NULL;
	mover_save_report(m, "moved");
	mover_say_result(m, ret == 0 ? message.json : NULL);
	return 0;
}

/* What is known of the service before anybody else is asked. */
static int look(struct migrate *m)
{
	struct facts *facts;
	char error[400];
	int ret;

	if (m->o.container) {
		ret = mover_container_find(m, error, sizeof(error));
		if (ret < 0) {
			progress_event("result", json_pack("{s:b, s:o}", "moved", 0, "why",
							   migrate_text(error)));
			progress_error("%s", error);
			return ret;
		}
	}
	m->root = m->o.pids[0];
	members_init(&m->members, m->o.pids, m->o.n_pids);
	mover_name(m);
	if (m->o.container)
		mover_container_name(m);
	gethostname(m->here, sizeof(m->here) - 1);
	snprintf(m->there, sizeof(m->there), "%s", m->host);
	for (size_t i = 0; i < m->o.n_pids; i++)
		m->root_fds[i] = syscall(SYS_pidfd_open, m->o.pids[i], 0);
	ret = facts_collect(m->o.pids, m->o.n_pids, &m->facts, error, sizeof(error));
	if (ret == 0 && m->container.spec)
		json_object_set(m->facts, "container", m->container.spec);
	if (ret == 0) {
		ret = facts_read(m->facts, &facts, error, sizeof(error));
		if (ret == 0) {
			m->connections = facts->connections;
			m->memory = facts->memory;
			facts_free(facts);
		}
	}
	if (ret == 0 && m->o.keep_images)
		ret = keep_images_open(m->o.keep_images, &m->keep_fd, error, sizeof(error));
	if (ret < 0) {
		progress_event("result",
			       json_pack("{s:b, s:o}", "moved", 0, "why", migrate_text(error)));
		progress_error("%s", error);
	}
	return ret;
}

static void keep(struct migrate *m)
{
	int ret = m->keep_fd >= 0 && m->place.fd >= 0 ? keep_images(&m->place, m->keep_fd) : 0;

	if (ret < 0)
		progress_error("--keep-images %s: %s", m->o.keep_images, strerror(-ret));
	if (m->keep_fd >= 0)
		close(m->keep_fd);
}

int cli_migrate(int argc, char **argv)
{
	struct migrate m = {
		.place.fd = -1,
		.place.watch = -1,
		.criu = { .pidfd = -1, .asked_fd = -1 },
		.keep_fd = -1,
		.images_fd = -1,
		.more_fd = -1,
	};
	int ret = migrate_options_read(argc, argv, &m.o);

	if (ret >= 0)
		return ret;
	if (m.o.resume)
		return migrate_resume(m.o.resume, m.o.rsh, m.o.host, m.o.program);
	m.host = m.o.host;
	m.timeout_s = mover_smaller(m.o.timeout_s, MOVER_ANSWER_S);
	m.rsh = m.o.rsh;
	m.program = m.o.program;
	m.criu_options = m.o.criu;
	m.only_asked = m.o.check || m.o.dry_run;
	signal(SIGPIPE, SIG_IGN);
	/* Ignored, as a parent may have left it, it would let the kernel reap our children. */
	signal(SIGCHLD, SIG_DFL);
	deadline_at_signals();
	progress_open(&m.o);
	migrate_on_step(progress_step);
	ret = look(&m) < 0 ? 1 : move(&m);
	deadline_forget();
	json_decref(m.theirs);
	images_send_close(m.images);
	mover_container_end(&m);
	channel_close(m.channel);
	rsh_end(&m.remote);
	keep(&m);
	place_remove(&m.place);
	json_decref(m.facts);
	for (size_t i = 0; i < m.o.n_pids; i++)
		close(m.root_fds[i]);
	return ret;
}
