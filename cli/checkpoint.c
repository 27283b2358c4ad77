// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover checkpoint: a copy of a service that goes on, complete or not at all. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_options.h"
#include "checkpoint_record.h"
#include "checkpoint_send.h"
#include "checkpoint_store.h"
#include "cli.h"
#include "criu.h"
#include "deadline.h"
#include "migrate_options.h"
#include "netlink.h"
#include "steps.h"
#include "tasks.h"

#define WAIT_MS	     1000
#define KEEPER_MS    5000
#define KEEPER_AT_MS 2

struct checkpoint {
	struct checkpoint_options o;
	struct store store;
	struct place place;
	struct criu criu;
	json_t *record;
	char name[STORE_NAME_STRLEN], service[32], why[600];
};

static int say(struct checkpoint *c, int ret, const char *why)
{
	if (!c->why[0])
		snprintf(c->why, sizeof(c->why), "%s", why);
	return ret;
}

/* By default a directory of the service's name. */
static int open_store(struct checkpoint *c)
{
	char path[sizeof(STORE_DIR) + sizeof(c->service)];
	int ret;

	if (kill(c->o.pid, 0) < 0)
		return say(c, -errno, strerror(errno));
	takeover_task_name(c->o.pid, c->service, sizeof(c->service));
	snprintf(path, sizeof(path), STORE_DIR "/%s", c->service);
	for (char *p = path + sizeof(STORE_DIR); *p; p++)
		if (*p <= ' ' || *p > '~' || *p == '/' ||
		    (*p == '.' && p == path + sizeof(STORE_DIR)))
			*p = '_';
	ret = store_open(c->o.dir ?: path, true, &c->store, c->why, sizeof(c->why));
	if (ret < 0)
		return ret;
	ret = store_lock(&c->store, 0);
	if (ret < 0)
		return say(c, ret,
			   ret == -EWOULDBLOCK
				   ? "another checkpoint of it is being taken, or it is revived"
				   : strerror(-ret));
	store_tidy(&c->store);
	ret = store_begin(&c->store, &c->place);
	return ret < 0 ? say(c, ret, strerror(-ret)) : 0;
}

/* It writes its record into the images last; or it was killed, and its rest is ours. */
static void await_keeper(struct criu *criu)
{
	long deadline = takeover_now_ms() + KEEPER_MS;
	struct timespec pause = { .tv_nsec = KEEPER_AT_MS * 1000000L };

	while (access(criu->socket, F_OK) == 0 && !criu_keeper_is_dead(criu) &&
	       takeover_now_ms() < deadline)
		nanosleep(&pause, NULL);
	criu_settle(criu);
}

/* The connections are not in it: nobody could go on with them, and criu need not touch them. */
static int dump(struct checkpoint *c)
{
	char action[PATH_MAX], pid[16];
	const char *options[MIGRATE_CRIU_OPTIONS_MAX + 10] = {
		"-t",
		pid,
		"--leave-running",
		"--tcp-close",
		"--skip-in-flight",
		"--action-script",
		action,
	};
	size_t n = 7;
	int ret = criu_action(action);

	if (ret < 0)
		return say(c, ret, "criu-action is not beside ip-takeover; install both");
	snprintf(pid, sizeof(pid), "%d", (int)c->o.pid);
	for (size_t i = 0; c->o.criu[i] && i < MIGRATE_CRIU_OPTIONS_MAX; i++)
		options[n++] = c->o.criu[i];
	ret = criu_run("dump", c->place.path, options,
		       (const char *const[]){ "IP_TAKEOVER_CHECKPOINT", "1", NULL }, &c->criu);
	if (ret < 0)
		return say(c, ret, "cannot start criu");
	place_used_by(&c->place, c->criu.pid);
	step_stop_at("checkpoint-dump");
	/* Whoever interrupts us waits: criu must not be killed while its code is in the service. */
	while (!criu_wait(&c->criu, WAIT_MS))
		;
	await_keeper(&c->criu);
	if (WIFSIGNALED(c->criu.status))
		return say(c, -ECANCELED, "criu was killed");
	if (c->criu.status != 0) {
		criu_why(&c->criu, c->why, sizeof(c->why));
		return say(c, -ECANCELED, "criu dump failed without a word; is it installed?");
	}
	return 0;
}

static int keep(struct checkpoint *c)
{
	int ret;

	if (deadline_interrupted())
		return say(c, -EINTR, "interrupted");
	step_stop_at("checkpoint-dumped");
	ret = checkpoint_record_write(c->record, c->place.fd, c->why, sizeof(c->why));
	if (ret < 0)
		return ret;
	ret = store_next(&c->store, time(NULL), c->name)
		      ?: store_keep(&c->store, &c->place, c->name);
	if (ret < 0)
		return say(c, ret, strerror(-ret));
	step_stop_at("checkpoint-kept");
	store_prune(&c->store, c->o.keep);
	return 0;
}

static double number(const struct checkpoint *c, const char *name)
{
	return json_number_value(json_object_get(c->record, name));
}

static void say_result(struct checkpoint *c, long sent_ms)
{
	char sent[300] = "";

	if (c->o.quiet)
		return;
	if (c->o.json) {
		json_object_set_new(c->record, "path",
				    json_sprintf("%s/%s", c->store.path, c->name));
		if (c->o.host && sent_ms >= 0)
			json_object_set_new(c->record, "sent",
					    json_pack("{s:s, s:I}", "to", c->o.host, "ms",
						      (json_int_t)sent_ms));
		json_dumpf(c->record, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		return;
	}
	if (c->o.host && sent_ms >= 0)
		snprintf(sent, sizeof(sent), ", sent to %.200s in %.2f s", c->o.host,
			 sent_ms / 1000.0);
	printf("checkpoint %s of %s (%d): %.0f connections, frozen %.3f s, %.1f MiB in %.2f s%s\n",
	       c->name, c->service, (int)c->o.pid, number(c, "connections"),
	       number(c, "pause_ms") / 1000, number(c, "bytes") / 1048576,
	       number(c, "duration_ms") / 1000, sent);
}

static int fail(const struct checkpoint *c, const char *what)
{
	fprintf(stderr, "ip-takeover: %s (%d) %s: %s\n", c->service[0] ? c->service : "process",
		(int)c->o.pid, what, c->why);
	return 1;
}

static int run(struct checkpoint *c)
{
	long began = takeover_now_ms();
	int ret = open_store(c);

	if (ret == 0) {
		c->record = checkpoint_describe(c->o.pid, c->o.criu);
		ret = dump(c);
		json_object_set_new(c->record, "duration_ms", json_real(takeover_now_ms() - began));
	}
	ret = ret ?: keep(c);
	if (ret < 0)
		return fail(c, "goes on without a new checkpoint");
	store_unlock(&c->store);
	began = takeover_now_ms();
	if (c->o.host)
		ret = checkpoint_send(&c->o, &c->store, c->name, c->why, sizeof(c->why));
	say_result(c, ret == 0 ? takeover_now_ms() - began : -1);
	if (ret < 0)
		return fail(c, "has a new checkpoint, which was not sent");
	return 0;
}

int cli_checkpoint(int argc, char **argv)
{
	struct checkpoint c = {
		.store.fd = -1,
		.place = { .fd = -1, .watch = -1 },
		.criu = { .pidfd = -1, .asked_fd = -1 },
	};
	int ret = checkpoint_options_read(argc, argv, &c.o);

	if (ret >= 0)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	/* Ignored, as a parent may have left it, it would let the kernel reap our children. */
	signal(SIGCHLD, SIG_DFL);
	umask(0077);
	deadline_at_signals();
	ret = run(&c);
	place_remove(&c.place);
	store_close(&c.store);
	json_decref(c.record);
	return ret;
}
