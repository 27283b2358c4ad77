// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdlib.h>

#include "halt.h"
#include "tasks.h"

static void signal_tree(pid_t root, int number)
{
	pid_t *pids;
	size_t n;

	if (root <= 1 || takeover_tasks_all(&pids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (takeover_task_descends(pids[i], root))
			kill(pids[i], number);
	free(pids);
}

static void signal_all(struct takeover_keeper *k, int number)
{
	signal_tree(k->root_pid, number);
	for (size_t i = 0; i < k->n_members; i++)
		signal_tree(k->members[i].root_pid, number);
}

void takeover_halt(struct takeover_keeper *k)
{
	if (k->mover_pid == 0 || !takeover_members_frozen(k))
		return;
	k->halted = true;
	signal_all(k, SIGSTOP);
}

void takeover_halt_end(struct takeover_keeper *k)
{
	if (!k->halted)
		return;
	signal_all(k, SIGCONT);
	k->halted = false;
}

void takeover_halt_end_tree(pid_t root)
{
	if (takeover_task_state(root) == TAKEOVER_TASK_STOPPED)
		signal_tree(root, SIGCONT);
}
