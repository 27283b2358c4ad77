// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover commit: a person decides for a destination that is in doubt. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "journal.h"
#include "request.h"

static int commit(const json_t *journal)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (journal_is_source(journal)) {
		fprintf(stderr,
			"ip-takeover: this host is the source; on the destination, please\n");
		return 1;
	}
	ret = takeover_request(journal_field(journal, "socket"), TAKEOVER_COMMIT, 1, 0, &reply);
	if (ret == 0)
		ret = reply.ret;
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n",
			reply.message[0] ? reply.message : strerror(-ret));
	return ret < 0;
}

int cli_commit(int argc, char **argv)
{
	json_t *journals, *j;
	bool found = false;
	int ret = 0;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: ip-takeover commit ID\n");
		return 2;
	}
	journals = cli_journals();
	if (!journals)
		return 1;
	json_array_foreach(journals, i, j) {
		if (strcmp(journal_field(j, "id"), argv[1]) != 0)
			continue;
		found = true;
		ret |= commit(j);
	}
	json_decref(journals);
	if (!found)
		fprintf(stderr,
			"ip-takeover: no takeover %s on this host; see ip-takeover status\n",
			argv[1]);
	return found ? ret : 1;
}
