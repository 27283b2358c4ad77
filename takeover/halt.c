// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <signal.h>
#include <stdio.h>

#include "halt.h"
#include "tasks.h"

#define DEPTH_MAX 64

static void signal_tree(pid_t pid, int number, int depth);

/* The kernel lists them by the thread that has them (proc(5), /proc/pid/task/tid/children); CRIU
 * needs that, too. To look through all of /proc would take its time in the freeze. */
static void signal_children(pid_t pid, const char *tid, int number, int depth)
{
	char path[300];
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, tid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		signal_tree(child, number, depth + 1);
	if (f)
		fclose(f);
}

static void signal_tree(pid_t pid, int number, int depth)
{
	struct dirent *de;
	char path[32];
	DIR *dir;

	if (pid <= 1 || depth > DEPTH_MAX)
		return;
	kill(pid, number);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (de->d_name[0] != '.')
			signal_children(pid, de->d_name, number, depth);
	if (dir)
		closedir(dir);
}

static void signal_all(struct takeover_keeper *k, int number)
{
	signal_tree(k->root_pid, number, 0);
	for (size_t i = 0; i < k->n_members; i++)
		signal_tree(k->members[i].root_pid, number, 0);
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
		signal_tree(root, SIGCONT, 0);
}
