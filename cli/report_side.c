// SPDX-License-Identifier: GPL-2.0-only
/* One host's part of a record: what is not as expected does not get in. */
#include <stdio.h>
#include <string.h>

#include "facts_fields.h"
#include "report.h"

/* A list of { at_ns, what }, in order of time or not. */
static json_t *marks(const json_t *untrusted, const char *name)
{
	json_t *list, *clean = json_array();
	size_t n;

	if (!facts_list(untrusted, name, 0, REPORT_MARKS_MAX, &list, &n)) {
		json_decref(clean);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *mark = json_array_get(list, i);
		const char *what;
		json_int_t at;

		if (!facts_number(mark, "at_ns", 0, INT64_MAX / 2, &at) ||
		    !facts_text(mark, "what", REPORT_TEXT_MAX - 1, false, &what)) {
			json_decref(clean);
			return NULL;
		}
		json_array_append_new(clean, json_pack("{s:I, s:s}", "at_ns", at, "what", what));
	}
	return clean;
}

/* Older keepers do not say it. */
static const char *text_or_none(const json_t *untrusted, const char *name)
{
	const char *text;

	return facts_text(untrusted, name, REPORT_TEXT_MAX - 1, true, &text) ? text : "";
}

static json_int_t number_or_0(const json_t *untrusted, const char *name)
{
	json_int_t number;

	return facts_number(untrusted, name, 0, INT64_MAX, &number) ? number : 0;
}

json_t *report_side(const json_t *untrusted, char *error, size_t len)
{
	json_t *events = marks(untrusted, "events"), *steps;

	if (!events) {
		snprintf(error, len, "events: expected at most %d of { \"at_ns\", \"what\" }",
			 REPORT_MARKS_MAX);
		return NULL;
	}
	steps = json_object_get(untrusted, "steps") ? marks(untrusted, "steps") : json_array();
	if (!steps) {
		json_decref(events);
		snprintf(error, len, "steps: expected at most %d of { \"at_ns\", \"what\" }",
			 REPORT_MARKS_MAX);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "host",
			 text_or_none(untrusted, "host"), "boot", text_or_none(untrusted, "boot"),
			 "held", number_or_0(untrusted, "held"), "relayed",
			 number_or_0(untrusted, "relayed"), "connections",
			 number_or_0(untrusted, "connections"), "events", events, "steps", steps);
}
