// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "keeper.h"
#include "netlink.h"
#include "report_migrate.h"
#include "steps.h"

#define EVENT_MS 200
#define LOOK_MS	 2

static bool has(const json_t *journal, const char *event)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(journal, "events"), i, e) {
		const char *what = json_string_value(json_object_get(e, "what"));

		if (what && strcmp(what, event) == 0)
			return true;
	}
	return false;
}

/* The journal of the keeper at @socket: where it is, and whose. */
static bool find_journal(const char *socket, char *ret_path, size_t len)
{
	json_t *journals = cli_journals(), *j;
	bool found = false;
	size_t i;

	json_array_foreach(journals, i, j) {
		if (strcmp(journal_field(j, "socket"), socket) != 0)
			continue;
		snprintf(ret_path, len, "%s", journal_field(j, "path"));
		found = true;
	}
	json_decref(journals);
	return found;
}

/* It is about to write @event into it. */
static json_t *read_journal(const char *socket, const char *event)
{
	long deadline = takeover_now_ms() + EVENT_MS;
	json_t *journal = NULL;
	char path[600], error[800];

	if (!find_journal(socket, path, sizeof(path)))
		return NULL;
	for (;;) {
		json_decref(journal);
		if (takeover_journal_read(path, &journal, error, sizeof(error)) < 0)
			return NULL;
		if (has(journal, event) || takeover_now_ms() >= deadline)
			return journal;
		poll(NULL, 0, LOOK_MS);
	}
}

json_t *report_here(const char *socket, const char *event, char ret_id[REPORT_ID_STRLEN])
{
	json_t *journal = read_journal(socket, event), *side;
	char error[300];

	if (!journal)
		return NULL;
	snprintf(ret_id, REPORT_ID_STRLEN, "%s", journal_field(journal, "id"));
	json_object_set_new(journal, "steps", migrate_steps_taken());
	side = report_side(journal, error, sizeof(error));
	json_decref(journal);
	return side;
}

/* No keeper has begun: the steps of this process, up to now. */
static json_t *report_alone(unsigned int connections, char ret_id[REPORT_ID_STRLEN])
{
	struct takeover_manifest *fresh = calloc(1, sizeof(*fresh));
	json_t *steps = migrate_steps_taken(), *side = NULL;

	if (fresh && takeover_manifest_init(fresh) == 0) {
		snprintf(ret_id, REPORT_ID_STRLEN, "%s", fresh->id);
		json_array_append_new(steps,
				      json_pack("{s:I, s:s}", "at_ns", (json_int_t)clock_now_ns(),
						"what", REPORT_FAILED));
		side = json_pack("{s:s, s:s, s:I, s:I, s:I, s:[], s:O}", "host", "", "boot", "",
				 "held", (json_int_t)0, "relayed", (json_int_t)0, "connections",
				 (json_int_t)connections, "events", "steps", steps);
	}
	json_decref(steps);
	free(fresh);
	return side;
}

static void add_images(json_t *record, const struct images_stats *i)
{
	json_object_set_new(record, "images",
			    json_pack("{s:I, s:I, s:I, s:I, s:I}", "stored", (json_int_t)i->stored,
				      "referred", (json_int_t)i->referred, "zeros",
				      (json_int_t)i->zeros, "raw", (json_int_t)i->raw, "files",
				      (json_int_t)i->files));
}

/* A text that may be anything: the name of a process, what criu has said. */
static json_t *printable(const char *text)
{
	char buf[REPORT_TEXT_MAX * 4];

	snprintf(buf, sizeof(buf), "%s", text);
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return json_string(buf);
}

int report_migrated(const char *socket, const struct migrated *m)
{
	char id[REPORT_ID_STRLEN], host[REPORT_TEXT_MAX] = "", error[400];
	json_t *ours, *theirs, *record;
	int ret;

	ours = socket ? report_here(socket, m->theirs ? "relayed" : "rolled back", id) : NULL;
	if (!ours && m->failed)
		ours = report_alone(m->connections, id);
	if (!ours)
		return -ENOENT;
	theirs = m->theirs ? report_side(m->theirs, error, sizeof(error)) : NULL;
	gethostname(host, sizeof(host) - 1);
	record = json_pack("{s:i, s:s, s:o, s:i, s:o, s:o, s:o, s:o, s:o*}", "report",
			   REPORT_FORMAT, "id", id, "name", printable(m->name), "pid", (int)m->pid,
			   "from", printable(host), "to", printable(m->to), "result",
			   printable(m->result), "source", ours, "destination", theirs);
	if (!record)
		return -ENOMEM;
	if (m->clock->round_trip_ns > 0)
		json_object_set_new(record, "clock",
				    json_pack("{s:I, s:I}", "offset_ns",
					      (json_int_t)m->clock->offset_ns, "round_trip_ns",
					      (json_int_t)m->clock->round_trip_ns));
	if (m->images)
		add_images(record, m->images);
	ret = report_save(record);
	json_decref(record);
	return ret;
}
