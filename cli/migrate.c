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
#include "criu.h"
#include "deadline.h"
#include "facts.h"
#include "facts_fields.h"
#include "facts_read.h"
#include "images_send.h"
#include "judge.h"
#include "keep_images.h"
#include "migrate.h"
#include "migrate_options.h"
#include "migrate_result.h"
#include "netlink.h"
#include "place.h"
#include "preflight.h"
#include "progress.h"
#include "report_migrate.h"
#include "rsh.h"
#include "steps.h"
#include "task_sockets.h"
#include "tasks.h"

#define ANSWER_S    30
#define HELLO_S	    15
#define SEND_MS	    10000
#define ABORTED_S   5
#define CRIU_END_MS 30000
#define PASSES	    3
#define FEW_BYTES   (4 << 20) /* a pass that sent no more has caught up */

struct migrate {
	struct migrate_options o;
	const char *host, *rsh, *program;
	const char *const *criu_options;
	pid_t root;
	int root_fd;   /* its pidfd: a PID may be used again */
	char name[32]; /* of the process */
	char here[64], there[64];
	json_t *facts;
	unsigned int connections;
	uint64_t memory;
	int timeout_s;	 /* for an answer */
	bool only_asked; /* --check, --dry-run */
	long freeze_until_ms;
	bool committed;
	int64_t frozen_ns;
	int keep_fd;
	struct rsh remote;
	struct channel *channel;
	struct place place;
	struct images_sender *images;
	struct criu criu;
	struct clock_offset clock;
	json_t *theirs; /* the destination's part of the record */
	char why[700];
};

static int smaller(long a, long b)
{
	return a < b ? a : b;
}

static int say(struct migrate *m, int ret, const char *why)
{
	if (m->why[0])
		return ret;
	if (deadline_interrupted() && !m->committed)
		snprintf(m->why, sizeof(m->why), "interrupted");
	else if (deadline_passed() && m->freeze_until_ms > 0 && !m->committed)
		snprintf(m->why, sizeof(m->why), "not done within %u s (--max-freeze)",
			 m->o.max_freeze_s);
	else if (deadline_passed() && !m->committed)
		snprintf(m->why, sizeof(m->why), "not ready to freeze it within %u s (--timeout)",
			 m->o.timeout_s);
	else
		snprintf(m->why, sizeof(m->why), "%s", why);
	return ret;
}

/* The next word from the destination, which must be @word. */
static int expect(struct migrate *m, const char *word, struct channel_message *message)
{
	long deadline = takeover_now_ms() + m->timeout_s * 1000L;
	struct pollfd pfd = { .fd = channel_fd(m->channel), .events = POLLIN };
	int ret;

	while ((ret = channel_receive(m->channel, message)) == 0) {
		long left = deadline - takeover_now_ms();

		if (left <= 0)
			return say(m, -ETIMEDOUT, "the other host does not answer");
		if (deadline_interrupted() && !m->committed && !m->why[0])
			return say(m, -EINTR, "");
		poll(&pfd, 1, left);
	}
	if (ret == -EPIPE)
		return say(m, ret, rsh_why(&m->remote));
	if (ret < 0)
		return say(m, ret, channel_error(m->channel));
	if (message->type == CHANNEL_JSON && strcmp(migrate_word(message), word) == 0)
		return 0;
	return say(m, -EREMOTEIO,
		   message->type == CHANNEL_JSON && strcmp(migrate_word(message), "failed") == 0
			   ? migrate_field(message, "why")
			   : "the other host said something that makes no sense now");
}

static int take_hello(struct migrate *m, const struct channel_message *message)
{
	json_int_t protocol = json_integer_value(json_object_get(message->json, "protocol"));
	const char *host;
	char why[200];

	if (facts_text(message->json, "host", sizeof(m->there) - 1, false, &host))
		snprintf(m->there, sizeof(m->there), "%s", host);
	if (protocol == MIGRATE_PROTOCOL)
		return 0;
	snprintf(
		why, sizeof(why),
		"ip-takeover %.40s there speaks protocol %lld of migrate, this one %d; install the "
		"same version on both hosts",
		migrate_field(message, "version"), (long long)protocol, MIGRATE_PROTOCOL);
	return say(m, -EPROTO, why);
}

static int compare_clocks(struct migrate *m)
{
	struct channel_message message;
	int ret = 0;

	for (int i = 0; i < CLOCK_QUESTIONS && ret == 0; i++) {
		int64_t asked_ns = clock_now_ns();

		ret = clock_ask(m->channel);
		ret = ret < 0 && ret != -EPIPE ? say(m, ret, strerror(-ret))
					       : expect(m, "clock", &message);
		if (ret == 0)
			clock_take(&m->clock, asked_ns, message.json, clock_now_ns());
	}
	return ret;
}

static int greet(struct migrate *m)
{
	struct channel_message message;
	int ret;

	m->timeout_s = smaller(m->o.timeout_s, HELLO_S);

	migrate_step(STEP_GREET);
	ret = migrate_say(
		m->channel, "hello",
		json_pack("{s:s, s:i}", "version", TAKEOVER_VERSION, "protocol", MIGRATE_PROTOCOL));

	if (ret < 0 && ret != -EPIPE)
		return say(m, ret, strerror(-ret));
	ret = expect(m, "hello", &message) ?: take_hello(m, &message) ?: compare_clocks(m);
	m->timeout_s = smaller(m->o.timeout_s, ANSWER_S);
	return ret;
}

/* What the other host has found goes to @c, what can be copied there to *@ret_paths. */
static int ask(struct migrate *m, struct checks *c, char **ret_paths, size_t *ret_n,
	       size_t *ret_len)
{
	struct channel_message message;
	int ret = migrate_say(m->channel, "facts", json_pack("{s:O}", "facts", m->facts));

	if (ret == -EMSGSIZE)
		return say(m, ret, "more files and processes than one message can name");
	ret = expect(m, "findings", &message);
	if (ret < 0)
		return ret;
	preflight_read(message.json, c);
	*ret_paths = preflight_differing(message.json, m->facts, ret_n, ret_len);
	return *ret_paths ? 0 : say(m, -ENOMEM, "no memory");
}

static int synchronize(struct migrate *m, const char *paths, size_t n, size_t len)
{
	char error[400];
	int ret;

	progress_say("copying to %s: %zu file%s", m->there, n, n == 1 ? "" : "s");
	for (const char *path = paths; m->o.verbose && path < paths + len; path += strlen(path) + 1)
		progress_say("copying to %s: %s", m->there, path);
	ret = preflight_sync(m->rsh, m->host, paths, len, m->o.timeout_s * 1000, error,
			     sizeof(error));
	return ret < 0 ? say(m, ret, error) : 0;
}

static void say_what_would_be(const struct migrate *m)
{
	const json_t *address;
	size_t i;

	json_array_foreach(json_object_get(m->facts, "addresses"), i, address)
		progress_say("would move %s with it",
			     json_string_value(json_object_get(address, "address")) ?: "");
	progress_say("would move %s (%d) %s -> %s: %u connections, %.0f MiB of memory", m->name,
		     (int)m->root, m->here, m->there, m->connections, m->memory / 1048576.0);
}

/* Both hosts say what is in the way, before anything is touched. */
static int preflight(struct migrate *m)
{
	struct checks *here = calloc(1, sizeof(*here)), *there = calloc(1, sizeof(*there));
	bool all = m->o.verbose || m->o.check, ok;
	size_t n = 0, len = 0;
	char *paths = NULL;
	int ret = here && there ? 0 : say(m, -ENOMEM, "no memory");

	migrate_step(STEP_PREFLIGHT);
	if (ret == 0) {
		judge_here(m->facts, m->o.max_freeze_s, here);
		progress_findings(m->here, here, all);
		ret = ask(m, there, &paths, &n, &len);
	}
	if (ret == 0 && m->o.sync && n > 0 && !m->o.check && !m->o.dry_run && check_ok(here)) {
		ret = synchronize(m, paths, n, len);
		free(paths);
		paths = NULL;
		memset(there, 0, sizeof(*there));
		if (ret == 0)
			ret = ask(m, there, &paths, &n, &len);
	}
	if (ret == 0) {
		progress_findings(m->there, there, all);
		ok = check_ok(here) && check_ok(there);
		if (m->o.dry_run && m->o.sync && n > 0)
			progress_say("would copy %zu file%s to %s", n, n == 1 ? "" : "s", m->there);
		if (ok && m->o.dry_run)
			say_what_would_be(m);
		if (!ok)
			ret = say(m, -EPERM, "preflight found what is in the way");
		else if (m->only_asked)
			ret = -ECANCELED;
	}
	free(paths);
	free(here);
	free(there);
	return ret;
}

/* Every task of the tree. */
static int tree(const struct migrate *m, pid_t **ret_pids, size_t *ret_n)
{
	size_t n = 0, all;
	int ret = takeover_tasks_all(ret_pids, &all);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < all; i++)
		if (takeover_task_descends((*ret_pids)[i], m->root))
			(*ret_pids)[n++] = (*ret_pids)[i];
	*ret_n = n;
	return 0;
}

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
	ret = tree(m, &pids, &n);
	if (ret < 0)
		return say(m, ret, strerror(-ret));
	for (size_t i = 0; i < n; i++)
		bytes += memory_of(pids[i]);
	expected = bytes - (64 << 20);
	ret = place_make(bytes, &m->place);
	if (ret < 0) {
		free(pids);
		return say(m, ret, "no room for the images here");
	}
	ret = migrate_say(m->channel, "begin", json_pack("{s:I}", "bytes", (json_int_t)bytes))
		      ?: expect(m, "waiting", &message)
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
		return say(m, ret, rsh_why(&m->remote));
	return ret < 0 ? say(m, ret, m->images ? images_send_error(m->images) : strerror(-ret)) : 0;
}

static int criu_failed(struct migrate *m)
{
	char why[600];

	criu_why(&m->criu, why, sizeof(why));
	return say(m, -ECANCELED,
		   why[0] ? why : "criu dump failed without a word; is it installed?");
}

/* Until the addresses are withdrawn and the images whole. */
static int dump(struct migrate *m)
{
	struct takeover_reply reply = { 0 };
	const char *more[MIGRATE_CRIU_OPTIONS_MAX + 3] = { "-t", NULL };
	struct pollfd root = { .fd = m->root_fd, .events = POLLIN };
	char pid[16];
	int ret;

	if (poll(&root, 1, 0) != 0)
		return say(m, -ESRCH, "it has ended meanwhile");
	m->freeze_until_ms = takeover_now_ms() + m->o.max_freeze_s * 1000L;
	deadline_set(m->o.max_freeze_s, channel_fd(m->channel));
	snprintf(pid, sizeof(pid), "%d", (int)m->root);
	more[1] = pid;
	for (size_t i = 0; m->criu_options[i] && i < MIGRATE_CRIU_OPTIONS_MAX; i++)
		more[2 + i] = m->criu_options[i];
	migrate_step(STEP_DUMP);
	ret = criu_start("dump", m->place.path, more, &m->criu);
	if (ret < 0)
		return say(m, ret, "cannot start criu");
	place_used_by(&m->place, m->criu.pid);
	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = m->criu.pidfd, .events = POLLIN },
			{ .fd = m->criu.asked_fd, .events = POLLIN },
		};

		ret = images_send_follow(m->images);
		if (ret < 0)
			return say(m, ret, images_send_error(m->images));
		ret = criu_ask(&m->criu, TAKEOVER_AWAIT_HANDOVER, &reply);
		if (ret == 0 && reply.ret == 0)
			break;
		if (criu_ended(&m->criu))
			return criu_failed(m);
		if (deadline_passed())
			return say(m, -ETIMEDOUT, "");
		poll(pfd, 2, 1);
	}
	migrate_step(STEP_IMAGES);
	ret = images_send_rest(m->images);
	return ret < 0 ? say(m, ret, images_send_error(m->images)) : 0;
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
		return ret == -EPIPE ? say(m, ret, rsh_why(&m->remote))
				     : say(m, -EREMOTEIO, "the other host has failed meanwhile");
	ret = criu_tell(&m->criu, TAKEOVER_COMMIT, &reply);
	if (ret < 0 && reply.ret == 0)
		ret = find_out(m);
	if (ret < 0)
		return say(m, ret, reply.message[0] ? reply.message : "the keeper here was killed");
	m->committed = true;
	migrate_step(STEP_COMMITTED);
	migrate_say(m->channel, "commit", NULL);
	m->frozen_ns =
		migrate_event_ns(m->criu.pid, (const char *const[]){ "frozen", "withdraw", NULL });
	return 0;
}

static int hand_over(struct migrate *m)
{
	struct channel_message message;
	int ret;

	migrate_step(STEP_RESTORE);
	/* From "ready" on the connection is needed for an answer, be it no. */
	deadline_forget();
	m->timeout_s = smaller(m->timeout_s, (m->freeze_until_ms - takeover_now_ms() + 999) / 1000);
	ret = migrate_say(
		m->channel, "restore",
		json_pack("{s:o}", "options", migrate_options_give_criu(m->criu_options)));
	if (ret < 0)
		return say(m, ret, rsh_why(&m->remote));
	ret = expect(m, "ready", &message) ?: commit(m);
	m->timeout_s = smaller(m->o.timeout_s, ANSWER_S);
	return ret;
}

/* Nothing is committed: the service goes on here. */
static void take_back(struct migrate *m)
{
	struct channel_message message;

	if (m->criu.pid > 0) {
		criu_abort(&m->criu, CRIU_END_MS);
		criu_settle(&m->criu);
	}
	m->timeout_s = m->criu.pid > 0 ? ABORTED_S : 1;
	if (m->channel && migrate_say(m->channel, "abort", NULL) == 0)
		expect(m, "aborted", &message);
}

static void say_result(struct migrate *m, const json_t *runs)
{
	double frozen = migrate_frozen_s(m->frozen_ns, runs);
	char text[40] = "";

	if (frozen >= 0)
		snprintf(text, sizeof(text), "frozen %.2f s, ", frozen);
	progress_say("moved %s (%d) %s -> %s: %u connections, %s%.0f MiB of memory", m->name,
		     (int)m->root, m->here, m->there, m->connections, text, m->memory / 1048576.0);
	progress_event("result", json_pack("{s:b, s:s, s:i, s:s, s:s, s:i, s:f, s:I}", "moved", 1,
					   "name", m->name, "pid", (int)m->root, "from", m->here,
					   "to", m->there, "connections", (int)m->connections,
					   "frozen_s", frozen, "memory", (json_int_t)m->memory));
}

static int say_failure(struct migrate *m, const char *what)
{
	struct pollfd root = { .fd = m->root_fd, .events = POLLIN };

	if (!m->committed && poll(&root, 1, 0) != 0)
		what = "has ended";
	progress_event("result", json_pack("{s:b, s:s, s:i, s:s}", "moved", 0, "name", m->name,
					   "pid", (int)m->root, "why", m->why));
	progress_error("%s (%d) %s: %s", m->name, (int)m->root, what, m->why);
	return 1;
}

static void save_report(const struct migrate *m, const char *result)
{
	struct images_stats images = { 0 };
	struct migrated migrated = {
		.name = m->name,
		.to = m->host,
		.result = result,
		.pid = m->root,
		.clock = &m->clock,
		.theirs = m->theirs,
	};

	if (m->images) {
		images = images_send_stats(m->images);
		migrated.images = &images;
	}
	if (m->criu.pid > 0)
		report_migrated(m->criu.socket, &migrated);
}

static int move(struct migrate *m)
{
	char result[sizeof(m->why) + 16];
	struct channel_message message;
	int ret;

	migrate_step(STEP_CONNECT);
	ret = rsh_start(&m->remote, m->rsh, m->host, m->program, &m->channel);
	if (ret < 0) {
		say(m, ret, "cannot start the remote shell");
		return say_failure(m, "was not moved, and runs here");
	}
	deadline_set(m->o.timeout_s, channel_fd(m->channel));
	channel_set_patience(m->channel, SEND_MS);
	ret = greet(m) ?: preflight(m);
	if (ret == -ECANCELED && !m->why[0]) {
		progress_event("result", json_pack("{s:b, s:b}", "moved", 0, "ok", 1));
		return 0;
	}
	ret = ret ?: send_ahead(m) ?: dump(m) ?: hand_over(m);
	if (ret == -EINPROGRESS) {
		say(m, ret, "its keeper does not answer");
		return say_failure(m, "may be committed; see ip-takeover status on both hosts");
	}
	if (ret < 0) {
		take_back(m);
		snprintf(result, sizeof(result), "not moved: %s", m->why);
		save_report(m, result);
		return say_failure(m, "was not moved, and runs here");
	}
	/* From here on only the destination's copy counts. */
	if (!criu_wait(&m->criu, CRIU_END_MS))
		progress_error("criu has not ended; its keeper ends the tasks");
	ret = expect(m, "runs", &message);
	if (ret == 0 && criu_ended(&m->criu))
		criu_settle(&m->criu);
	if (ret < 0 && !criu_owner_is_heard(&m->criu, m->timeout_s * 1000)) {
		char what[PATH_MAX + 150];

		place_keep(&m->place);
		snprintf(what, sizeof(what),
			 "is committed to the other host, which has not said that it runs; see "
			 "ip-takeover status there. Its images stay in %s",
			 m->place.path);
		return say_failure(m, what);
	}
	migrate_step(STEP_DONE);
	m->theirs = ret == 0 ? json_incref(json_object_get(message.json, "record")) : NULL;
	save_report(m, "moved");
	say_result(m, ret == 0 ? message.json : NULL);
	return 0;
}

/* What is known of the service before anybody else is asked. */
static int look(struct migrate *m)
{
	struct facts *facts;
	char error[400];
	int ret;

	takeover_task_name(m->root, m->name, sizeof(m->name));
	gethostname(m->here, sizeof(m->here) - 1);
	snprintf(m->there, sizeof(m->there), "%s", m->host);
	m->root_fd = syscall(SYS_pidfd_open, m->root, 0);
	ret = facts_collect(&m->root, 1, &m->facts, error, sizeof(error));
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
		progress_event("result", json_pack("{s:b, s:s}", "moved", 0, "why", error));
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
	};
	int ret = migrate_options_read(argc, argv, &m.o);

	if (ret >= 0)
		return ret;
	if (m.o.resume)
		return migrate_resume(m.o.resume, m.o.rsh, m.o.host, m.o.program);
	m.host = m.o.host;
	m.timeout_s = smaller(m.o.timeout_s, ANSWER_S);
	m.rsh = m.o.rsh;
	m.program = m.o.program;
	m.root = m.o.pid;
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
	channel_close(m.channel);
	rsh_end(&m.remote);
	keep(&m);
	place_remove(&m.place);
	json_decref(m.facts);
	if (m.root_fd >= 0)
		close(m.root_fd);
	return ret;
}
