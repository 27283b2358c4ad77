// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover revive: a service whose host has died goes on from its newest checkpoint, with its
 * connections closed. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "announce.h"
#include "checkpoint_options.h"
#include "cli.h"
#include "criu.h"
#include "journal.h"
#include "migrate_options.h"
#include "netlink.h"
#include "revive.h"
#include "task_sockets.h"

#define WAIT_MS	   1000
#define DELADDR_MS 1000
#define EXIT_IDLE  3 /* nothing is to be done: it is here, or comes, or its address is not here */

static int fail(const struct revival *r, const char *why)
{
	fprintf(stderr, "ip-takeover: %s is not revived: %s\n",
		r->record ? json_string_value(json_object_get(r->record, "name")) : "the service",
		why);
	return 1;
}

/* Those that are not here. All are taken off again when one cannot be had. */
static int claim(struct revival *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->n && ret == 0; i++) {
		struct takeover_wire *wire = NULL;

		if (r->present[i])
			continue;
		ret = takeover_wire_open(r->addresses[i]->device, &wire)
			      ?: takeover_address_add(r->addresses[i]);
		if (ret == 0) {
			journal_make_way(r->addresses[i]);
			ret = takeover_announce(wire, r->addresses[i], NULL, 0);
		}
		if (wire)
			takeover_wire_close(wire);
	}
	return ret;
}

static void unclaim(const struct revival *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!r->present[i])
			takeover_address_delete(r->addresses[i], DELADDR_MS);
}

/* A criu that was killed leaves its tasks waiting for ever. Nobody had the PID before. */
static void end_half(const struct revival *r)
{
	int fd = syscall(SYS_pidfd_open, json_integer_value(json_object_get(r->record, "pid")), 0);

	if (fd < 0)
		return;
	takeover_tasks_kill(fd, NULL, 0);
	close(fd);
}

/* No keeper: nothing moves, and its old connections are to end. */
static int restore(const struct revival *r, const char *const *more, struct criu *criu)
{
	const char *options[2 * MIGRATE_CRIU_OPTIONS_MAX + 4] = { "-d", "--tcp-close" };
	char path[PATH_MAX], why[600];
	size_t n = 2;
	int ret;

	ret = migrate_options_take_criu(json_object_get(r->record, "options"), options + n, why,
					sizeof(why));
	if (ret < 0)
		return fail(r, why);
	while (options[n])
		n++;
	for (size_t i = 0; more[i] && i < MIGRATE_CRIU_OPTIONS_MAX; i++)
		options[n++] = more[i];
	snprintf(path, sizeof(path), "%s/%s", r->store.path, r->name);
	ret = criu_run("restore", path, options, NULL, criu);
	if (ret < 0)
		return fail(r, strerror(-ret));
	while (!criu_wait(criu, WAIT_MS))
		;
	if (criu->status == 0)
		return 0;
	if (WIFSIGNALED(criu->status)) {
		end_half(r);
		return fail(r, "criu was killed");
	}
	criu_why(criu, why, sizeof(why));
	return fail(r, why[0] ? why : "criu failed without a word; is it installed?");
}

static void say_result(const struct checkpoint_options *o, const struct revival *r, long ms)
{
	const char *name = json_string_value(json_object_get(r->record, "name"));
	const char *host = json_string_value(json_object_get(r->record, "host"));
	int pid = json_integer_value(json_object_get(r->record, "pid"));

	if (o->json) {
		json_t *json = json_pack("{s:b, s:s, s:i, s:s, s:s, s:f, s:I}", "revived", 1,
					 "name", name, "pid", pid, "checkpoint", r->name, "host",
					 host, "age_s", revive_age(r), "ms", (json_int_t)ms);

		json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		json_decref(json);
	} else if (!o->quiet) {
		printf("revived %s (%d) of %s, as it was %.0f s ago: checkpoint %s, restored in "
		       "%.2f s\n",
		       name, pid, host, revive_age(r), r->name, ms / 1000.0);
	}
}

int cli_revive(int argc, char **argv)
{
	struct revival r = { .store.fd = -1, .dirfd = -1 };
	struct checkpoint_options o;
	struct criu criu;
	long began;
	int ret = checkpoint_options_read(argc, argv, &o);

	if (ret >= 0)
		return ret;
	signal(SIGCHLD, SIG_DFL);
	umask(0077);
	ret = revive_open(&r, o.dir) ?: revive_choose(&r, o.max_age) ?: revive_check(&r, o.claim);
	if (ret < 0) {
		fail(&r, r.why);
		ret = ret == -EEXIST || ret == -EBUSY || ret == -EADDRNOTAVAIL ? EXIT_IDLE : 1;
		goto out;
	}
	/* What begins now is not left half. */
	for (size_t i = 0; i < 3; i++)
		signal((const int[]){ SIGINT, SIGTERM, SIGHUP }[i], SIG_IGN);
	ret = claim(&r);
	if (ret < 0)
		fail(&r, strerror(-ret));
	began = takeover_now_ms();
	ret = ret < 0 ? 1 : restore(&r, o.criu, &criu);
	if (ret != 0)
		unclaim(&r);
	else
		say_result(&o, &r, takeover_now_ms() - began);
out:
	revive_close(&r);
	return ret;
}
