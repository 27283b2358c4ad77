// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover commit: a person decides for a destination that is in doubt, or its source's mover
 * over a new connection. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "journal.h"
#include "netlink.h"

#define RUNS_MS 10000
#define LOOK_MS 10

/* The destination's journal of the takeover @id, or NULL; drop *@ret_all. */
static json_t *find(const char *id, json_t **ret_all)
{
	json_t *j;
	size_t i;

	*ret_all = cli_journals();
	json_array_foreach(*ret_all, i, j)
		if (!journal_is_source(j) && strcmp(journal_field(j, "id"), id) == 0)
			return j;
	return NULL;
}

/* Where that leads. A success leaves no journal. */
static int wait_until_it_runs(const char *id)
{
	long deadline = takeover_now_ms() + RUNS_MS;

	for (;;) {
		json_t *all, *j = find(id, &all);
		bool runs = !j || journal_has_state(j, TAKEOVER_RELEASED) ||
			    journal_has_state(j, TAKEOVER_DONE);
		bool failed = j && (journal_has_ended(j) || takeover_now_ms() > deadline);

		if (failed)
			fprintf(stderr, "ip-takeover: committed, but it is %s: %s\n",
				journal_field(j, "state"),
				journal_has_ended(j) ? journal_field(j, "message")
						     : "criu does not resume it");
		json_decref(all);
		if (runs || failed)
			return failed;
		poll(NULL, 0, LOOK_MS);
	}
}

static int commit(const json_t *journal)
{
	if (journal_is_source(journal)) {
		fprintf(stderr,
			"ip-takeover: this host is the source; on the destination, please\n");
		return 1;
	}
	return journal_ask(journal, TAKEOVER_COMMIT, 1) ||
	       wait_until_it_runs(journal_field(journal, "id"));
}

int cli_commit(int argc, char **argv)
{
	return journal_verb(argc, argv, commit);
}
