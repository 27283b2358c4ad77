// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover migrate --resume: the connection broke at the commit. This host's journal knows. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "migrate.h"
#include "request.h"
#include "rsh.h"

/* What the destination is to do, or NULL. */
static const char *verb_for(const json_t *journal)
{
	if (journal_has_committed(journal))
		return "commit";
	return journal_has_state(journal, TAKEOVER_ROLLED_BACK) ? "rollback" : NULL;
}

int migrate_resume(const char *id, const char *rsh, const char *host, const char *program)
{
	json_t *journals = cli_journals(), *j, *mine = NULL;
	const char *verb;
	size_t i;
	int ret;

	json_array_foreach(journals, i, j)
		if (journal_is_source(j) && strcmp(journal_field(j, "id"), id) == 0)
			mine = j;
	verb = mine ? verb_for(mine) : NULL;
	if (!mine)
		fprintf(stderr,
			"ip-takeover: this host has no journal of a takeover %s that it was the "
			"source of; see ip-takeover status\n",
			id);
	else if (!verb)
		fprintf(stderr,
			"ip-takeover: takeover %s is %s here, and nothing is decided: end "
			"ip-takeover "
			"migrate or criu, or wait for them\n",
			id, journal_field(mine, "state"));
	json_decref(journals);
	if (!verb)
		return 1;
	ret = rsh_run(rsh, host, program, verb, id);
	if (ret < 0)
		fprintf(stderr, "ip-takeover: cannot start the remote shell: %s\n", strerror(-ret));
	else if (ret == 0)
		printf("%s: %s\n", host,
		       strcmp(verb, "commit") == 0 ? "committed; the service goes on there"
						   : "rolled back; the service is here");
	return ret != 0;
}
