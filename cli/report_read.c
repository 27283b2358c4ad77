// SPDX-License-Identifier: GPL-2.0-only
/* From what both hosts wrote down to phases on one axis. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "facts_fields.h"
#include "manifest.h"
#include "report.h"

#define NS_PER_MS  1e6
#define NS_PER_DAY (86400 * 1000000000LL)

/* A mark: 's' or 'd', a step of that host's command; 'S' or 'D', an event of its keeper. Of
 * those parted by a bar the first that is there. */
static const struct {
	const char *what, *begin, *end;
	bool criu;
} all_phases[] = {
	{ "connect", "s connect", "s preflight|s ahead|s failed", false },
	{ "preflight", "s preflight", "s ahead|s failed", false },
	{ "memory ahead", "s ahead", "s dump|s failed", false },
	{ "criu starts", "s dump", "S started|s failed", true },
	{ "guard, quiesce", "S started", "S prepared", false },
	{ "criu starts", "S prepared", "S hold", true }, /* by a runtime, which comes later */
	{ "criu seizes", "S hold|S prepared", "S frozen", true },
	{ "criu dumps", "S frozen", "S withdraw|S dumped", true },
	{ "criu thaws", "S dumped", "S released", true },
	{ "withdraw", "S withdraw", "S withdrawn", false },
	{ "rest of the images", "s images", "s restore", false },
	{ "hand over", "s restore", "d restoring", false },
	{ "criu starts", "d restoring", "D started", true },
	{ "guard, address", "D started", "D prepared", false },
	{ "criu restores", "D prepared", "D claim", true },
	{ "look for owners", "D claim", "D nobody else", false },
	{ "commit", "s commit", "s committed", false },
	{ "await the commit", "D nobody else", "D committed", false },
	{ "announce", "D committed|D nobody else", "D claimed", false },
	{ "criu resumes", "D claimed", "D release", true },
	{ "let packets in", "D release", "D released", false },
	{ "relay", "S new owner heard", "S relayed", false },
	{ "undo", "S rollback", "S rolled back", false },
};

struct reader {
	json_t *sides[REPORT_HOSTS];
	int64_t shift_ns; /* of the destination's times to the source's clock */
};

static bool find_in(const json_t *list, const char *what, size_t len, int64_t *ret_ns)
{
	const json_t *mark;
	size_t i;

	json_array_foreach(list, i, mark) {
		const char *text = json_string_value(json_object_get(mark, "what"));

		if (strlen(text) != len || memcmp(text, what, len) != 0)
			continue;
		*ret_ns = json_integer_value(json_object_get(mark, "at_ns"));
		return true;
	}
	return false;
}

static enum report_host host_of(const char *mark)
{
	return mark[0] == 's' || mark[0] == 'S' ? REPORT_SOURCE : REPORT_DESTINATION;
}

/* When a mark was, by the source's clock. */
static bool find(const struct reader *r, const char *mark, int64_t *ret_ns)
{
	for (; mark; mark = strchr(mark, '|') ? strchr(mark, '|') + 1 : NULL) {
		enum report_host host = host_of(mark);
		const char *list = mark[0] == 's' || mark[0] == 'd' ? "steps" : "events";

		if (!find_in(json_object_get(r->sides[host], list), mark + 2,
			     strcspn(mark, "|") - 2, ret_ns))
			continue;
		*ret_ns += host == REPORT_DESTINATION ? r->shift_ns : 0;
		return true;
	}
	return false;
}

static const char *text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name)) ?: "";
}

/* Hosts that have booted at once, as it were, are one machine, with one clock. */
static void align(struct reader *r, const json_t *record, struct report *report)
{
	const json_t *clock = json_object_get(record, "clock");
	const char *boot = text_of(r->sides[REPORT_SOURCE], "boot");
	json_int_t offset, round_trip;
	int64_t left_ns, came_ns;

	report->aligned = true;
	report->copied = find(r, "S dumped", &left_ns);
	if (report->copied)
		return;
	if (boot[0] && strcmp(boot, text_of(r->sides[REPORT_DESTINATION], "boot")) == 0)
		return;
	if (facts_number(clock, "offset_ns", INT64_MIN / 4, INT64_MAX / 4, &offset) &&
	    facts_number(clock, "round_trip_ns", 1, NS_PER_DAY, &round_trip)) {
		r->shift_ns = -offset;
		report->error_ms = round_trip / 2 / NS_PER_MS;
		return;
	}
	report->aligned = false;
	if (find(r, "S withdrawn|S started", &left_ns) && find(r, "D started", &came_ns))
		r->shift_ns = left_ns - came_ns;
}

/* The phases, in order of their begin; -EINVAL when times are a day and more apart. */
static int lay_out(const struct reader *r, struct report *report)
{
	size_t n = 0;

	if (!find(r, "s connect|S started", &report->began_ns))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(all_phases) / sizeof(all_phases[0]); i++) {
		struct report_phase p = { .host = host_of(all_phases[i].begin),
					  .what = all_phases[i].what,
					  .criu = all_phases[i].criu };
		int64_t begin, end;
		size_t k = n;

		if (!find(r, all_phases[i].begin, &begin) || !find(r, all_phases[i].end, &end))
			continue;
		begin -= report->began_ns;
		end -= report->began_ns;
		if (begin < -NS_PER_DAY || begin > NS_PER_DAY || end < begin || end > NS_PER_DAY)
			return -EINVAL;
		p.begin_ms = begin < 0 ? 0 : begin / NS_PER_MS;
		p.end_ms = end < 0 ? 0 : end / NS_PER_MS;
		for (; k > 0 && report->phases[k - 1].begin_ms > p.begin_ms; k--)
			report->phases[k] = report->phases[k - 1];
		report->phases[k] = p;
		if (p.end_ms > report->all_ms)
			report->all_ms = p.end_ms;
		n++;
	}
	report->n_phases = n;
	return n > 0 ? 0 : -EINVAL;
}

/* From the first freeze to where the service runs again, on either host. */
static void sum_freeze(const struct reader *r, struct report *report)
{
	int64_t started, frozen, released;
	double end_ms;

	report->untouched = !find(r, "S started", &started);

	if (!find(r, "S frozen", &frozen) ||
	    !find(r, "D released|D release|S released|S rolled back|S back on this host",
		  &released))
		return;
	report->frozen_at_ms = (frozen - report->began_ns) / NS_PER_MS;
	report->frozen_ms = (released - frozen) / NS_PER_MS;
	end_ms = report->frozen_at_ms + report->frozen_ms;
	for (size_t i = 0; i < report->n_phases; i++) {
		struct report_phase *p = &report->phases[i];

		/* The last begins and ends with the freeze: times are rounded. */
		p->frozen =
			p->begin_ms >= report->frozen_at_ms - 0.001 && p->end_ms <= end_ms + 0.001;
		if (p->frozen && p->criu)
			report->criu_ms += p->end_ms - p->begin_ms;
	}
	report->froze = report->aligned && report->frozen_ms >= 0;
	report->ours_ms = report->frozen_ms - report->criu_ms;
}

static json_int_t number_of(const json_t *json, const char *name)
{
	json_int_t number;

	return facts_number(json, name, 0, INT64_MAX, &number) ? number : 0;
}

static void copy_text(const json_t *record, const char *name, const char *otherwise, char *buf,
		      size_t len)
{
	const char *text;

	snprintf(buf, len, "%s",
		 facts_text(record, name, len - 1, false, &text) ? text : otherwise);
	/* Some terminals take bytes of more than 7 bits for control characters, too. */
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void read_sums(const struct reader *r, const json_t *record, struct report *report)
{
	const json_t *images = json_object_get(record, "images");

	report->has_images = json_is_object(images);
	report->stored = number_of(images, "stored");
	report->referred = number_of(images, "referred");
	report->zeros = number_of(images, "zeros");
	report->raw = number_of(images, "raw");
	report->files = number_of(images, "files");
	for (int host = 0; host < REPORT_HOSTS; host++)
		report->held[host] = number_of(r->sides[host], "held");
	report->relayed = number_of(r->sides[REPORT_SOURCE], "relayed");
	report->connections = number_of(r->sides[REPORT_SOURCE], "connections");
}

static int read_sides(struct reader *r, const json_t *record, char *error, size_t len)
{
	static const char *const names[] = { "source", "destination" };
	char wrong[200];

	for (int host = 0; host < REPORT_HOSTS; host++) {
		const json_t *side = json_object_get(record, names[host]);

		if (json_is_null(side) || (!side && host == REPORT_DESTINATION))
			continue;
		r->sides[host] = report_side(side, wrong, sizeof(wrong));
		if (!r->sides[host]) {
			snprintf(error, len, "%s: %s", names[host], wrong);
			return -EINVAL;
		}
	}
	return 0;
}

int report_read(const json_t *record, struct report *ret_report, char *error, size_t len)
{
	struct report *report = ret_report;
	struct reader r = { 0 };
	json_int_t format, pid;
	const char *id;
	int ret;

	memset(report, 0, sizeof(*report));
	if (!facts_number(record, "report", 0, INT_MAX, &format) || format != REPORT_FORMAT) {
		snprintf(error, len, "report: expected %d, of this ip-takeover", REPORT_FORMAT);
		return -EINVAL;
	}
	if (!facts_text(record, "id", REPORT_ID_STRLEN - 1, false, &id) ||
	    !takeover_manifest_is_id(id)) {
		snprintf(error, len, "id: expected a uuid");
		return -EINVAL;
	}
	snprintf(report->id, sizeof(report->id), "%s", id);
	report->pid = facts_number(record, "pid", 0, INT_MAX, &pid) ? pid : 0;
	copy_text(record, "name", "", report->name, sizeof(report->name));
	copy_text(record, "result", "", report->result, sizeof(report->result));
	copy_text(record, "from", "source", report->hosts[REPORT_SOURCE], REPORT_TEXT_MAX);
	copy_text(record, "to", "destination", report->hosts[REPORT_DESTINATION], REPORT_TEXT_MAX);
	ret = read_sides(&r, record, error, len);
	if (ret == 0) {
		report->has_destination = r.sides[REPORT_DESTINATION];
		align(&r, record, report);
		read_sums(&r, record, report);
		ret = lay_out(&r, report);
		if (ret == 0)
			sum_freeze(&r, report);
		else
			snprintf(error, len,
				 "times: expected phases that follow one another "
				 "within a day");
	}
	for (int host = 0; host < REPORT_HOSTS; host++)
		json_decref(r.sides[host]);
	return ret;
}
