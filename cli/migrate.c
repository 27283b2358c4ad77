// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover migrate: the source's end, from the command line to the commit. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "criu.h"
#include "images_send.h"
#include "migrate.h"
#include "netlink.h"
#include "place.h"
#include "rsh.h"
#include "steps.h"
#include "task_sockets.h"
#include "tasks.h"

#define TIMEOUT_S   30
#define ABORTED_S   5
#define CRIU_END_MS 30000
#define PASSES	    3
#define FEW_BYTES   (4 << 20) /* a pass that sent no more has caught up */

struct migrate {
	const char *host, *rsh, *program;
	const char *const *criu_options;
	pid_t root;
	char name[32]; /* of the process */
	int timeout_s;
	struct rsh remote;
	struct channel *channel;
	struct place place;
	struct images_sender *images;
	struct criu criu;
	char why[700];
};

static int say(struct migrate *m, int ret, const char *why)
{
	if (!m->why[0])
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

static int greet(struct migrate *m)
{
	struct channel_message message;
	int ret;

	migrate_step(STEP_GREET);
	ret = migrate_say(
		m->channel, "hello",
		json_pack("{s:s, s:i}", "version", TAKEOVER_VERSION, "protocol", MIGRATE_PROTOCOL));

	return ret < 0 && ret != -EPIPE ? say(m, ret, strerror(-ret))
					: expect(m, "hello", &message);
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
	ret = place_make(bytes, &m->place);
	if (ret < 0) {
		free(pids);
		return say(m, ret, "no room for the images here");
	}
	ret = migrate_say(m->channel, "begin", json_pack("{s:I}", "bytes", (json_int_t)bytes))
		      ?: expect(m, "waiting", &message)
		      ?: images_send_open(m->channel, m->place.fd, bytes, &m->images);
	for (int i = 0; ret == 0 && i < PASSES; i++) {
		uint64_t before = images_send_stats(m->images).stored;

		ret = images_send_memory(m->images, pids, n);
		if (images_send_stats(m->images).stored - before <= FEW_BYTES)
			break;
	}
	free(pids);
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
	const char *more[16] = { "-t", NULL };
	char pid[16];
	int ret;

	snprintf(pid, sizeof(pid), "%d", (int)m->root);
	more[1] = pid;
	for (size_t i = 0; m->criu_options[i] && i < 12; i++)
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
	migrate_step(STEP_COMMITTED);
	migrate_say(m->channel, "commit", NULL);
	return 0;
}

static int hand_over(struct migrate *m)
{
	struct channel_message message;
	int ret;

	migrate_step(STEP_RESTORE);
	ret = migrate_say(m->channel, "restore", NULL);
	if (ret < 0)
		return say(m, ret, rsh_why(&m->remote));
	return expect(m, "ready", &message) ?: commit(m);
}

/* Nothing is committed: the service goes on here. */
static void take_back(struct migrate *m)
{
	struct takeover_reply reply;
	struct channel_message message;

	if (m->criu.pid > 0) {
		criu_tell(&m->criu, TAKEOVER_ABORT, &reply);
		if (!criu_wait(&m->criu, CRIU_END_MS))
			kill(m->criu.pid, SIGKILL);
		criu_wait(&m->criu, CRIU_END_MS);
		criu_settle(&m->criu);
	}
	m->timeout_s = ABORTED_S;
	if (m->channel && migrate_say(m->channel, "abort", NULL) == 0)
		expect(m, "aborted", &message);
}

static int move(struct migrate *m)
{
	struct channel_message message;
	int ret;

	migrate_step(STEP_CONNECT);
	ret = rsh_start(&m->remote, m->rsh, m->host, m->program, &m->channel);
	if (ret < 0)
		return say(m, ret, "cannot start the remote shell");
	channel_set_patience(m->channel, m->timeout_s * 1000);
	ret = greet(m) ?: send_ahead(m) ?: dump(m) ?: hand_over(m);
	if (ret == -EINPROGRESS) {
		fprintf(stderr,
			"ip-takeover: the keeper of %s does not answer, and may have committed: "
			"see "
			"ip-takeover status on both hosts\n",
			m->name);
		return 1;
	}
	if (ret < 0) {
		take_back(m);
		fprintf(stderr, "ip-takeover: %s was not moved, and runs here: %s\n", m->name,
			m->why);
		return 1;
	}
	/* From here on only the destination's copy counts. */
	if (!criu_wait(&m->criu, CRIU_END_MS))
		fprintf(stderr, "ip-takeover: criu has not ended; its keeper ends the tasks\n");
	ret = expect(m, "runs", &message);
	if (ret == 0 && criu_ended(&m->criu))
		criu_settle(&m->criu);
	if (ret < 0) {
		fprintf(stderr,
			"ip-takeover: %s is committed to %s, which has not said that it runs: %s; "
			"see ip-takeover status there\n",
			m->name, m->host, m->why);
		return 1;
	}
	migrate_step(STEP_DONE);
	printf("moved %s to %s\n", m->name, m->host);
	return 0;
}

static int usage(FILE *f, int code)
{
	fprintf(f,
		"usage: ip-takeover migrate --pid PID --to HOST [OPTION...] [-- CRIU-OPTION...]\n"
		"  --pid PID         the process, with its descendants\n"
		"  --to HOST         where to, as ssh has it\n"
		"  --timeout SECONDS at most so long without an answer (30)\n"
		"  --rsh COMMAND     instead of ssh\n"
		"  --remote-program PATH  ip-takeover there\n");
	return code;
}

int cli_migrate(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "to", required_argument, NULL, 't' },
		{ "timeout", required_argument, NULL, 'T' },
		{ "rsh", required_argument, NULL, 'e' },
		{ "remote-program", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct migrate m = {
		.rsh = "ssh",
		.program = "ip-takeover",
		.timeout_s = TIMEOUT_S,
		.place.fd = -1,
		.place.watch = -1,
		.criu = { .pidfd = -1, .asked_fd = -1 },
	};
	int c, ret;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (c) {
		case 'p':
			m.root = atoi(optarg);
			break;
		case 't':
			m.host = optarg;
			break;
		case 'e':
			m.rsh = optarg;
			break;
		case 'T':
			m.timeout_s = atoi(optarg);
			if (m.timeout_s <= 0 || m.timeout_s > 3600)
				return usage(stderr, 2);
			break;
		case 'r':
			m.program = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	if (m.root <= 1 || !m.host)
		return usage(stderr, 2);
	m.criu_options = (const char *const *)argv + optind;
	signal(SIGPIPE, SIG_IGN);
	takeover_task_name(m.root, m.name, sizeof(m.name));
	ret = move(&m);
	images_send_close(m.images);
	channel_close(m.channel);
	rsh_end(&m.remote);
	place_remove(&m.place);
	return ret;
}
