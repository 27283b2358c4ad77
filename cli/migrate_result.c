// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "facts_fields.h"
#include "journal.h"
#include "migrate_result.h"

#define AGO_MAX_NS (60 * 1000000000LL)

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int64_t find_event(const json_t *journal, const char *what)
{
	const json_t *event;
	size_t i;

	json_array_foreach(json_object_get(journal, "events"), i, event)
		if (strcmp(journal_field(event, "what"), what) == 0)
			return json_integer_value(json_object_get(event, "at_ns"));
	return 0;
}

int64_t migrate_event_ns(const char *socket, const char *const *what)
{
	json_t *journals = cli_journals(), *journal;
	int64_t at = 0;
	size_t i;

	json_array_foreach(journals, i, journal)
		if (strcmp(journal_field(journal, "socket"), socket) == 0)
			for (const char *const *w = what; *w && at == 0; w++)
				at = find_event(journal, *w);
	json_decref(journals);
	return at;
}

json_t *migrate_runs(const char *socket)
{
	int64_t at = migrate_event_ns(socket, (const char *const[]){ "released", NULL });

	return json_pack("{s:I}", "ago_ns", (json_int_t)(at > 0 ? now_ns() - at : 0));
}

double migrate_frozen_s(int64_t frozen_ns, const json_t *runs)
{
	json_int_t ago;

	if (frozen_ns == 0 || !facts_number(runs, "ago_ns", 0, AGO_MAX_NS, &ago))
		return -1;
	return (now_ns() - frozen_ns - ago) / 1e9;
}
