/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a migration, put together by its source. */
#ifndef REPORT_MIGRATE_H
#define REPORT_MIGRATE_H

#include "images_send.h"
#include "migrate_clock.h"
#include "report.h"

struct migrated {
	const char *name, *to, *result;
	pid_t pid;
	unsigned int connections;
	bool failed;
	const struct images_stats *images; /* NULL: none were sent */
	const struct clock_offset *clock;
	const json_t *theirs; /* of report_here() there; may be NULL, is not trusted */
};

/* What this host's keeper at @socket (criu.h) has written down, and the steps of this process.
 * Waits for the @event, but not for long. NULL: there is nothing; else the takeover's id, too. */
json_t *report_here(const char *socket, const char *event, char ret_id[REPORT_ID_STRLEN]);

/* Save the record, with that of the keeper at @socket; when it has failed before there was one
 * (@socket may be NULL), under an id of its own. 0, or -errno. */
int report_migrated(const char *socket, const struct migrated *migrated);

#endif
