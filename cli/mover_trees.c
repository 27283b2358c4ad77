// SPDX-License-Identifier: GPL-2.0-only
/* The trees that move: their tasks, what they are called, and which have ended. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "mover.h"
#include "tasks.h"

int mover_tasks(const struct migrate *m, pid_t **ret_pids, size_t *ret_n)
{
	size_t n = 0, all;
	int ret = takeover_tasks_all(ret_pids, &all);

	if (ret < 0)
		return ret;
	for (size_t root = 0; root < m->o.n_pids; root++)
		for (size_t i = n; i < all; i++)
			if (takeover_task_descends((*ret_pids)[i], m->o.pids[root])) {
				pid_t pid = (*ret_pids)[i];

				(*ret_pids)[i] = (*ret_pids)[n];
				(*ret_pids)[n++] = pid;
			}
	*ret_n = n;
	return 0;
}

static void add(char *text, size_t len, const char *more)
{
	size_t n = strlen(text);

	snprintf(text + n, len - n, "%s%s", n > 0 ? ", " : "", more);
}

void mover_name(struct migrate *m)
{
	for (size_t i = 0; i < m->o.n_pids; i++) {
		char one[32], with_pid[48];

		takeover_task_name(m->o.pids[i], one, sizeof(one));
		snprintf(with_pid, sizeof(with_pid), "%s (%d)", one, (int)m->o.pids[i]);
		add(m->name, sizeof(m->name), one);
		add(m->title, sizeof(m->title), with_pid);
	}
}

size_t mover_ended(const struct migrate *m, pid_t *ret_pid)
{
	size_t n = 0;

	for (size_t i = 0; i < m->o.n_pids; i++) {
		struct pollfd root = { .fd = m->root_fds[i], .events = POLLIN };

		if (poll(&root, 1, 0) == 0)
			continue;
		*ret_pid = m->o.pids[i];
		n++;
	}
	return n;
}
