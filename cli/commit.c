// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover commit: a person decides for a destination that is in doubt. */
#include <stdio.h>

#include "cli.h"
#include "journal.h"

static int commit(const json_t *journal)
{
	if (journal_is_source(journal)) {
		fprintf(stderr,
			"ip-takeover: this host is the source; on the destination, please\n");
		return 1;
	}
	return journal_ask(journal, TAKEOVER_COMMIT, 1);
}

int cli_commit(int argc, char **argv)
{
	return journal_verb(argc, argv, commit);
}
