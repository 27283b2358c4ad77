// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover rollback: by the keeper, or in its stead when it was killed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "announce.h"
#include "cli.h"
#include "exec_program.h"
#include "guard.h"
#include "journal.h"
#include "halt.h"
#include "locks.h"
#include "request.h"
#include "task_sockets.h"
#include "tasks.h"
#include "track_file.h"

#define DELADDR_MS 1000
#define PROBE_MS   100

static int fail(const struct takeover_address *a, const char *take, const char *from, int ret)
{
	char text[TAKEOVER_ADDRESS_STRLEN];

	fprintf(stderr, "ip-takeover: cannot %s %s %s %s: %s\n", take,
		takeover_address_format(a, text, sizeof(text)), from, a->device, strerror(-ret));
	return ret;
}

static int undo_criu(const struct takeover_address *a)
{
	takeover_tasks_end_repair(a, 1);
	takeover_locks_clear(a, 1, takeover_netns_own().inode != 0);
	return 0;
}

/* keepalived is to bring it. */
static int bring_back(const struct takeover_address *a, const char *track_file)
{
	int ret = track_file_set(a, track_file, true);

	if (ret == -ETIMEDOUT)
		fprintf(stderr,
			"ip-takeover: keepalived does not bring it back: another host may have it; "
			"give it up there (echo 1 to its track file), or end the process here\n");
	if (ret < 0)
		return fail(a, "put", "back on", ret);
	return undo_criu(a);
}

/* Without a configuration the keeper has had nothing of it, either. */
static int program(const json_t *journal, const struct takeover_address *a,
		   enum takeover_exec_verb verb)
{
	struct takeover_config config;
	char error[200];
	int ret = takeover_config_read(&config, error, sizeof(error));

	if (ret == 0)
		return cli_program(&config, a, verb, journal_field(journal, "id"));
	if (ret != -ENOENT)
		fprintf(stderr, "ip-takeover: %s\n", error);
	return ret == -ENOENT ? 0 : ret;
}

static int put_back(const json_t *journal, const struct takeover_address *a)
{
	struct takeover_wire *wire = NULL;
	bool present = false;
	int ret = takeover_wire_open(a->device, &wire) ?: takeover_address_present(a, &present);

	/* The images may have been restored elsewhere meanwhile. */
	if (ret == 0 && !present && cli_probe(wire, a, PROBE_MS) != 0) {
		fprintf(stderr, "ip-takeover: or end the process here (pid %d) to leave it there\n",
			(int)json_integer_value(json_object_get(journal, "root_pid")));
		ret = -EADDRINUSE;
		goto out;
	}
	if (ret == 0)
		ret = takeover_address_add(a);
	if (ret < 0) {
		fail(a, "put", "back on", ret);
		goto out;
	}
	ret = program(journal, a, TAKEOVER_EXEC_CLAIM);
	if (ret < 0)
		goto out;
	undo_criu(a);
	if (!journal_has_state(journal, TAKEOVER_PREPARED))
		takeover_announce(wire, a, NULL, 0);
out:
	takeover_wire_close(wire);
	return ret;
}

/* 0, or -errno: said why. */
static int change_address(const json_t *journal, const json_t *entry)
{
	const char *track_file = journal_field(entry, "track_file");
	struct takeover_address a;
	bool here;
	int ret = takeover_address_parse(journal_field(entry, "address"), &a);

	if (ret < 0)
		return ret;
	snprintf(a.device, sizeof(a.device), "%s", journal_field(entry, "device"));
	/* It has moved nothing, and no backend has done anything for it. */
	if (json_is_true(json_object_get(journal, "checkpoint")))
		return undo_criu(&a);
	if (journal_is_source(journal) && track_file[0])
		return bring_back(&a, track_file);
	if (journal_is_source(journal))
		return put_back(journal, &a);
	/* Half-restored tasks would be in the way of the next restore. The root's PID may be
	 * another's by now, sockets in repair mode are nobody else's. */
	takeover_tasks_kill(-1, &a, 1);
	if (track_file[0]) {
		ret = track_file_set(&a, track_file, false);
		return ret < 0 ? fail(&a, "take", "off", ret) : 0;
	}
	here = json_is_true(json_object_get(entry, "was_here"));
	/* One that is on every host says nothing of which has drawn it. */
	if (!here || json_is_true(json_object_get(entry, "drawn")))
		ret = program(journal, &a, TAKEOVER_EXEC_WITHDRAW);
	if (here || ret < 0)
		return ret;
	ret = takeover_address_delete(&a, DELADDR_MS);
	return ret < 0 ? fail(&a, "take", "off", ret) : 0;
}

static void settle(const json_t *addresses)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(addresses, i, entry) {
		const char *track_file = journal_field(entry, "track_file");
		struct takeover_address a;

		if (track_file[0] &&
		    takeover_address_parse(journal_field(entry, "address"), &a) == 0) {
			snprintf(a.device, sizeof(a.device), "%s", journal_field(entry, "device"));
			track_file_settle(&a, track_file);
		}
	}
}

static bool process_exists(const json_t *entry, const char *name)
{
	int pid = json_integer_value(json_object_get(entry, name));

	return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* The root of any of its trees. */
static bool any_root_exists(const json_t *journal)
{
	bool exists = process_exists(journal, "root_pid");
	const json_t *member;
	size_t i;

	json_array_foreach(json_object_get(journal, "members"), i, member)
		exists |= process_exists(member, "root_pid");
	return exists;
}

/* One of another tree than the first; its PID may be another's by now. */
static int criu_of_member(const json_t *journal)
{
	const json_t *member;
	char name[32];
	size_t i;

	json_array_foreach(json_object_get(journal, "members"), i, member) {
		int pid = json_integer_value(json_object_get(member, "criu_pid"));

		if (pid > 0 && takeover_task_state(pid) != TAKEOVER_TASK_GONE &&
		    strcmp(takeover_task_name(pid, name, sizeof(name)), "criu") == 0)
			return pid;
	}
	return 0;
}

/* That criu, and no later process of its PID. */
bool journal_has_criu(const json_t *journal)
{
	json_int_t started = json_integer_value(json_object_get(journal, "criu_started"));
	int pid = json_integer_value(json_object_get(journal, "criu_pid"));

	return started > 0 && takeover_request_started(pid) == (unsigned long long)started;
}

/* What was dumped, and is not to be stopped any more (halt.h). */
static void go_on(const json_t *journal)
{
	const json_t *member;
	size_t i;

	takeover_halt_end_tree(json_integer_value(json_object_get(journal, "root_pid")));
	json_array_foreach(json_object_get(journal, "members"), i, member)
		takeover_halt_end_tree(json_integer_value(json_object_get(member, "root_pid")));
}

/* Mark, socket and journal. 0, or 1: said why. */
static int forget(const json_t *journal)
{
	char mark[TAKEOVER_SOCKET_LEN + 16];

	remove(takeover_request_mark(journal_field(journal, "socket"), mark, sizeof(mark)));
	remove(journal_field(journal, "socket"));
	if (remove(journal_field(journal, "path")) == 0 || errno == ENOENT)
		return 0;
	fprintf(stderr, "ip-takeover: %s: %s\n", journal_field(journal, "path"), strerror(errno));
	return 1;
}

/* What of a container would be mute for ever (translated.h). */
static int open_inner(const json_t *journal)
{
	struct takeover_netns netns = takeover_journal_netns(journal, "inner");
	int back, ret = netns.inode ? takeover_netns_enter(&netns, &back) : -ENOENT;

	if (ret == -ENOENT)
		return 0;
	if (ret == 0) {
		ret = takeover_guard_remove(journal_field(journal, "guard"));
		journal_leave(back);
	}
	if (ret < 0)
		fprintf(stderr,
			"ip-takeover: guard ip-takeover-%s in the container's network cannot be "
			"removed: %s; the container is cut off\n",
			journal_field(journal, "guard"), strerror(-ret));
	return ret;
}

/* In the network namespace of its addresses; @gone: with all that the keeper had done there. */
static int undo(const json_t *journal, bool gone)
{
	json_t *addresses = json_object_get(journal, "addresses"), *j;
	bool source = journal_is_source(journal);
	char file[TAKEOVER_SOCKET_LEN + 16];
	const char *mark =
		takeover_request_mark(journal_field(journal, "socket"), file, sizeof(file));
	bool ended = journal_has_ended(journal);
	/* The service is here; or it is gone from the source, and its images have it. */
	bool keep = ended || access(mark, F_OK) == 0 || journal_has_state(journal, TAKEOVER_DONE) ||
		    (source ? journal_has_state(journal, TAKEOVER_COMMITTED) ||
				      (journal_has_state(journal, TAKEOVER_WITHDRAWN) &&
				       !any_root_exists(journal))
			    : journal_has_state(journal, TAKEOVER_RELEASED));
	int ret = 0, criu = criu_of_member(journal);
	size_t i;

	if (journal_has_criu(journal))
		criu = json_integer_value(json_object_get(journal, "criu_pid"));
	if (!ended && criu > 0) {
		fprintf(stderr, "ip-takeover: criu (pid %d) is still at work; end it first\n",
			criu);
		return 1;
	}
	if (gone)
		return forget(journal);
	if (!keep)
		json_array_foreach(addresses, i, j)
			ret |= change_address(journal, j);
	if (ret)
		return 1;
	if (!keep && source && json_integer_value(json_object_get(journal, "mover_pid")) > 0)
		go_on(journal);
	ret = takeover_guard_remove(journal_field(journal, "guard"));
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: cannot remove the guard ip-takeover-%s: %s\n",
			journal_field(journal, "guard"), strerror(-ret));
		return 1;
	}
	if (open_inner(journal) < 0)
		return 1;
	settle(addresses);
	return forget(journal);
}

/* The keeper was killed, and nobody watches: what it would have done. */
int journal_rollback(const json_t *journal)
{
	int back = -1, entered = journal_enter(journal, &back), ret;

	if (entered < 0 && entered != -ENOENT)
		return 1;
	ret = undo(journal, entered == -ENOENT);
	journal_leave(back);
	return ret;
}

/* The keeper has ended since its journal was read: by what it has left now. */
static int rollback_rest(const json_t *journal)
{
	const char *path = journal_field(journal, "path");
	char error[800];
	json_t *now;
	int ret = takeover_journal_read(path, &now, error, sizeof(error));

	if (ret == -ENOENT)
		return 0;
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return 1;
	}
	json_object_set_new(now, "path", json_string(path));
	ret = journal_rollback(now);
	json_decref(now);
	return ret;
}

static int rollback(const json_t *journal)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (!json_is_true(json_object_get(journal, "keeper")))
		return journal_rollback(journal);
	ret = takeover_request(journal_field(journal, "socket"), TAKEOVER_ROLLBACK, 0, 0, &reply);
	if (ret == -ENOENT || ret == -ECONNREFUSED)
		return rollback_rest(journal);
	ret = ret ?: reply.ret;
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n",
			reply.message[0] ? reply.message : strerror(-ret));
	return ret < 0;
}

int cli_rollback(int argc, char **argv)
{
	return journal_verb(argc, argv, rollback);
}
