// SPDX-License-Identifier: GPL-2.0-only
/* The network namespace that a journal's takeover is in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "tasks.h"

int journal_enter(const json_t *journal, int *ret_back)
{
	struct takeover_netns netns = takeover_journal_netns(journal, "netns");
	int ret = takeover_netns_enter(&netns, ret_back);

	if (ret < 0 && ret != -ENOENT)
		fprintf(stderr,
			"ip-takeover: cannot enter the network namespace of takeover %s: %s\n",
			journal_field(journal, "id"), strerror(-ret));
	return ret;
}

void journal_leave(int back)
{
	int ret = takeover_netns_leave(back);

	if (ret == 0)
		return;
	/* All that follows would be done in the wrong place. */
	fprintf(stderr, "ip-takeover: cannot go back to the network namespace it began in: %s\n",
		strerror(-ret));
	exit(1);
}

const char *journal_place(const json_t *journal, char *buf, size_t len)
{
	struct takeover_netns netns = takeover_journal_netns(journal, "netns");
	char path[TAKEOVER_NETNS_PATH_LEN], name[32];
	int pid;

	if (takeover_netns_is_own(&netns))
		buf[0] = '\0';
	else if (takeover_netns_find(&netns, path, sizeof(path)) < 0)
		snprintf(buf, len, "in a network namespace that is gone");
	else if (sscanf(path, "/proc/%d/", &pid) == 1)
		snprintf(buf, len, "in the network namespace of %s (pid %d)",
			 takeover_task_name(pid, name, sizeof(name)), pid);
	else
		snprintf(buf, len, "in the network namespace %.*s", TAKEOVER_NETNS_PATH_LEN, path);
	return buf;
}
