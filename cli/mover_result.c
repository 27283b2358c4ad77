// SPDX-License-Identifier: GPL-2.0-only
/* How a move has ended: the last line, and the record. */
#include <stdio.h>

#include "migrate_result.h"
#include "mover.h"
#include "progress.h"

/* The PIDs of all, when there are several. */
static json_t *trees(const struct migrate *m)
{
	return m->members.n > 0 ? members_give(&m->members) : NULL;
}

void mover_say_result(struct migrate *m, const json_t *runs)
{
	double frozen = migrate_frozen_s(m->frozen_ns, runs);
	char text[40] = "";

	if (frozen >= 0)
		snprintf(text, sizeof(text), "frozen %.2f s, ", frozen);
	progress_say("moved %s %s -> %s: %u connections, %s%.0f MiB of memory", m->title, m->here,
		     m->there, m->connections, text, m->memory / 1048576.0);
	progress_event("result",
		       json_pack("{s:b, s:s, s:i, s:o*, s:s, s:s, s:i, s:f, s:I}", "moved", 1,
				 "name", m->name, "pid", (int)m->root, "trees", trees(m), "from",
				 m->here, "to", m->there, "connections", (int)m->connections,
				 "frozen_s", frozen, "memory", (json_int_t)m->memory));
}

int mover_say_failure(struct migrate *m, const char *what)
{
	char some[64];
	pid_t pid = 0;
	size_t n = m->committed ? 0 : mover_ended(m, &pid);

	if (n > 0 && n == m->o.n_pids)
		what = "has ended";
	else if (n > 0) {
		snprintf(some, sizeof(some), "was not moved; process %d has ended", (int)pid);
		what = some;
	}
	progress_event("result",
		       json_pack("{s:b, s:s, s:i, s:o*, s:o}", "moved", 0, "name", m->name, "pid",
				 (int)m->root, "trees", trees(m), "why", migrate_text(m->why)));
	progress_error("%s %s: %s", m->title, what, m->why);
	return 1;
}

void mover_save_report(const struct migrate *m, const char *result)
{
	struct images_stats images = { 0 };
	struct migrated migrated = {
		.name = m->name,
		.to = m->host,
		.result = result,
		.pid = m->root,
		.connections = m->connections,
		.failed = !m->committed,
		.clock = &m->clock,
		.theirs = m->theirs,
	};

	if (m->images) {
		images = images_send_stats(m->images);
		migrated.images = &images;
	}
	if (!m->only_asked)
		report_migrated(m->criu.pid > 0 ? m->criu.socket : NULL, &migrated);
}
