// SPDX-License-Identifier: GPL-2.0-only
/* The journal: /run/ip-takeover/<id>-<role>.json, by jansson, replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inner.h"
#include "keeper.h"

const char *takeover_state_name(enum takeover_state state)
{
	static const char *const names[TAKEOVER_STATES] = {
		"starting", "prepared", "withdrawn", "committed",   "ready",
		"claimed",  "released", "done",	     "rolled back", "abandoned",
	};

	return names[state];
}

const char *takeover_role_name(enum takeover_role role)
{
	static const char *const names[] = { "source", "destination", "standby" };

	return names[role];
}

/* The host, and its boot: two records of one boot have one clock. */
static void read_line(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "re");

	buf[0] = '\0';
	if (f && !fgets(buf, len, f))
		buf[0] = '\0';
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* The PIDs of what moves beside the root, and of its criu. */
static void add_members(json_t *json, const struct takeover_keeper *k)
{
	json_t *list = json_array();

	for (size_t i = 0; i < k->n_members; i++)
		json_array_append_new(list, json_pack("{s:i, s:i}", "root_pid",
						      (int)k->members[i].root_pid, "criu_pid",
						      (int)k->members[i].criu_pid));
	if (k->n_members > 0)
		json_object_set(json, "members", list);
	json_decref(list);
}

/* Where the takeover is, when that is not the host's own. */
static void add_netns(json_t *json, const char *name, const struct takeover_netns *netns)
{
	if (netns->inode)
		json_object_set_new(json, name,
				    json_pack("{s:I, s:I, s:s}", "inode", (json_int_t)netns->inode,
					      "cookie", (json_int_t)netns->cookie, "path",
					      netns->path));
}

static json_t *to_json(const struct takeover_keeper *k)
{
	json_t *addresses = json_array(), *events = json_array(), *json;
	char text[TAKEOVER_ADDRESS_STRLEN], host[64], boot[64];

	read_line("/proc/sys/kernel/hostname", host, sizeof(host));
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		const struct takeover_address *a = &k->manifest->addresses[i];

		json_array_append_new(addresses,
				      json_pack("{s:s, s:s, s:b, s:b, s:s}", "address",
						takeover_address_format(a, text, sizeof(text)),
						"device", a->device, "was_here", k->was_here[i],
						"drawn", k->execs[i].drawn && !k->execs[i].had,
						"track_file", k->vrrp[i].track_file));
	}
	for (size_t i = 0; i < k->n_events; i++)
		json_array_append_new(events, json_pack("{s:I, s:s}", "at_ns",
							(json_int_t)k->events[i].at_ns, "what",
							k->events[i].what));
	json = json_pack(
		"{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:I, "
		"s:I, s:i, s:o, "
		"s:o, s:o, s:b}",
		"id", k->manifest->id, "epoch", (json_int_t)k->manifest->epoch, "role",
		takeover_role_name(k->role), "host", host, "boot", boot, "state",
		takeover_state_name(k->state), "message", k->message, "mover_pid",
		(int)k->mover_pid, "criu_pid", (int)k->criu_pid, "root_pid", (int)k->root_pid,
		"keeper_pid", (int)getpid(), "socket", k->socket, "guard", k->guard_name, "mode",
		takeover_guard_mode_name(k->guard_mode), "held", (json_int_t)k->n_held, "relayed",
		(json_int_t)k->n_relayed, "connections", (int)k->n_connections, "addresses",
		addresses, "quiesce",
		json_pack("{s:I, s:i, s:i, s:i, s:i}", "ms", (json_int_t)k->quiesced_ms,
			  "handshakes", (int)k->unrest.handshakes, "accepts",
			  (int)k->unrest.accepts, "closing", (int)k->unrest.closing, "datagrams",
			  (int)k->unrest.datagrams),
		"events", events, "checkpoint", k->checkpoint);
	if (json) {
		add_members(json, k);
		add_netns(json, "netns", &k->netns);
		if (takeover_inner_is_open())
			add_netns(json, "inner", takeover_inner_netns());
		json_object_set_new(json, "criu_started",
				    json_integer((json_int_t)k->criu_started));
	}
	return json;
}

static void journal_path(const struct takeover_keeper *k, char *buf, size_t len)
{
	snprintf(buf, len, TAKEOVER_RUN_DIR "/%s-%s.json", k->manifest->id,
		 takeover_role_name(k->role));
}

void takeover_event(struct takeover_keeper *k, const char *what)
{
	struct takeover_event *e = &k->events[k->n_events];
	struct timespec ts;

	if (k->n_events == TAKEOVER_EVENTS_MAX)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	e->at_ns = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	snprintf(e->what, sizeof(e->what), "%s", what);
	k->n_events++;
}

void takeover_journal(struct takeover_keeper *k, const char *event)
{
	char path[PATH_MAX], temporary[PATH_MAX + 8];
	json_t *json;

	takeover_event(k, event);
	json = to_json(k);
	journal_path(k, path, sizeof(path));
	snprintf(temporary, sizeof(temporary), "%s.tmp", path);
	if (json && json_dump_file(json, temporary, JSON_INDENT(1)) == 0)
		rename(temporary, path);
	json_decref(json);
}

/* The same images, restored here again while we looked for an owner: it has our journal's name. */
static bool is_anothers(const struct takeover_keeper *k, const char *path)
{
	char error[200];
	json_t *journal;
	bool another;

	if (takeover_journal_read(path, &journal, error, sizeof(error)) < 0)
		return false;
	another = strcmp(json_string_value(json_object_get(journal, "socket")), k->socket) != 0;
	json_decref(journal);
	return another;
}

void takeover_journal_close(struct takeover_keeper *k)
{
	const char *record;
	char path[PATH_MAX];
	json_t *json;
	int fd;

	journal_path(k, path, sizeof(path));
	if (is_anothers(k, path))
		return;
	takeover_journal(k, takeover_state_name(k->state));
	/* As criu leaves stats-dump and stats-restore there. The images may be gone; what
	 * bears the name already, be it a link or a pipe, is not ours to write to. */
	record = k->role == TAKEOVER_SOURCE ? "ip-takeover-dump.json" : "ip-takeover-restore.json";
	unlinkat(k->images_fd, record, 0);
	fd = openat(k->images_fd, record, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	json = to_json(k);
	if (fd >= 0) {
		bool whole = json_dumpfd(json, fd, JSON_INDENT(1)) == 0;

		if (close(fd) < 0 || !whole)
			unlinkat(k->images_fd, record, 0);
	}
	json_decref(json);
	/* A failure stays readable for `ip-takeover status`; success leaves nothing, nor does a
	 * copy, which takes nothing away. */
	if ((k->state == TAKEOVER_DONE || k->checkpoint) && !k->guard_stays)
		unlink(path);
}
