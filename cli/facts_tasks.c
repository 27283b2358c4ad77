// SPDX-License-Identifier: GPL-2.0-only
/* Facts: which tasks move, their IDs, and how much memory they have. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "facts_parts.h"
#include "tasks.h"

#define PF_KTHREAD 0x00200000 /* linux include/linux/sched.h */

struct stat_line {
	char state;
	pid_t parent, group, session;
	unsigned int flags;
};

static int read_stat(pid_t pid, struct stat_line *ret_line)
{
	char path[64], buf[1024], *rest;
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	/* A name may contain anything. */
	rest = strrchr(buf, ')');
	n = rest ? sscanf(rest, ") %c %d %d %d %*d %*d %u", &ret_line->state, &ret_line->parent,
			  &ret_line->group, &ret_line->session, &ret_line->flags)
		 : 0;
	return n == 5 ? 0 : -ESRCH;
}

/* The process that the thread @tid belongs to, 0 when it is gone. */
static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	while (f && pid == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Tgid: %d", &pid);
	if (f)
		fclose(f);
	return pid;
}

static int check_root(pid_t pid, char *error, size_t len)
{
	struct stat_line line;
	char name[32];
	pid_t process;

	if (pid < 1)
		return facts_say(error, len, -EINVAL, "%d: not a PID", (int)pid);
	if (pid == 1)
		return facts_say(error, len, -EINVAL, "PID 1 is this host's init: it cannot move");
	if (read_stat(pid, &line) < 0 || (process = process_of(pid)) == 0)
		return facts_say(error, len, -ESRCH, "there is no process with PID %d", (int)pid);
	takeover_task_name(pid, name, sizeof(name));
	if (line.flags & PF_KTHREAD)
		return facts_say(error, len, -EINVAL, "PID %d (%s) is a kernel thread", (int)pid,
				 name);
	if (process != pid)
		return facts_say(error, len, -EINVAL, "%d is a thread of PID %d (%s); name that",
				 (int)pid, (int)process,
				 takeover_task_name(process, name, sizeof(name)));
	if (strchr("ZX", line.state))
		return facts_say(error, len, -ESRCH, "PID %d (%s) has ended", (int)pid, name);
	for (pid_t p = getpid(); p > 1; p = line.parent) {
		if (p == pid)
			return facts_say(error, len, -EINVAL,
					 "PID %d (%s) is %s: start ip-takeover from elsewhere",
					 (int)pid, name,
					 p == getpid() ? "ip-takeover itself"
						       : "an ancestor of this ip-takeover");
		if (read_stat(p, &line) < 0)
			break;
	}
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	const struct facts_task *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct facts_task *find_task(const struct facts_tree *tree, pid_t pid)
{
	struct facts_task key = { .pid = pid };

	return bsearch(&key, tree->tasks, tree->n, sizeof(key), compare_pids);
}

/* Give every task the root of its parent, which may come behind it. */
static void spread_roots(struct facts_tree *tree)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < tree->n; i++) {
			struct facts_task *task = &tree->tasks[i], *up;

			up = task->root == 0 ? find_task(tree, task->parent) : NULL;
			if (!up || up->root == 0)
				continue;
			task->root = up->root;
			changed = true;
		}
	}
}

static int read_all(struct facts_tree *tree)
{
	pid_t *pids;
	size_t n;
	int ret = takeover_tasks_all(&pids, &n);

	if (ret < 0)
		return ret;
	tree->tasks = calloc(n ?: 1, sizeof(*tree->tasks));
	for (size_t i = 0; tree->tasks && i < n; i++) {
		struct facts_task *task = &tree->tasks[tree->n];
		struct stat_line line;

		if (read_stat(pids[i], &line) < 0 || strchr("ZX", line.state))
			continue;
		*task = (struct facts_task){ pids[i], line.parent, line.group, line.session, 0 };
		tree->n++;
	}
	free(pids);
	if (!tree->tasks)
		return -ENOMEM;
	qsort(tree->tasks, tree->n, sizeof(*tree->tasks), compare_pids);
	return 0;
}

/* Only the tasks that have a root. */
static void prune(struct facts_tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n; i++)
		if (tree->tasks[i].root != 0)
			tree->tasks[n++] = tree->tasks[i];
	tree->n = n;
}

int facts_tree_find(const pid_t *pids, size_t n, struct facts_tree *ret_tree, char *error,
		    size_t len)
{
	struct facts_tree tree = { .roots = pids, .n_roots = n };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < n; i++) {
		ret = check_root(pids[i], error, len);
		for (size_t k = 0; ret == 0 && k < i; k++)
			if (pids[k] == pids[i])
				ret = facts_say(error, len, -EINVAL, "PID %d is named twice",
						(int)pids[i]);
	}
	if (ret < 0)
		return ret;
	ret = read_all(&tree);
	if (ret < 0)
		return facts_say(error, len, ret, "cannot list processes: %s", strerror(-ret));
	for (size_t i = 0; ret == 0 && i < n; i++) {
		struct facts_task *task = find_task(&tree, pids[i]), *up = task;

		/* Bounded: a PID that is used again can make a circle of what was read. */
		for (size_t depth = 0; up && depth < tree.n && ret == 0; depth++) {
			up = find_task(&tree, up->parent);
			for (size_t k = 0; up && ret == 0 && k < n; k++)
				if (up->pid == pids[k])
					ret = facts_say(error, len, -EINVAL,
							"PID %d descends from PID %d and moves "
							"with it; name that one only",
							(int)pids[i], (int)pids[k]);
		}
		if (task)
			task->root = pids[i];
		else
			ret = facts_say(error, len, -ESRCH, "PID %d has ended", (int)pids[i]);
	}
	if (ret < 0) {
		free(tree.tasks);
		return ret;
	}
	spread_roots(&tree);
	prune(&tree);
	*ret_tree = tree;
	return 0;
}

static json_t *threads_of(pid_t pid)
{
	json_t *threads = json_array();
	struct dirent *de;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (isdigit(de->d_name[0]) && atoi(de->d_name) != pid)
			json_array_append_new(threads, json_integer(atoi(de->d_name)));
	if (dir)
		closedir(dir);
	return threads;
}

/* What CRIU writes into its images: anonymous pages, those swapped out, and shared memory,
 * of which each of those who share it is counted with its part. */
static unsigned long long memory_of(pid_t pid)
{
	unsigned long long all = 0, kib;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Anonymous: %llu", &kib) == 1 ||
		    sscanf(line, "Swap: %llu", &kib) == 1 ||
		    sscanf(line, "Pss_Shmem: %llu", &kib) == 1)
			all += kib * 1024;
	if (f)
		fclose(f);
	return all;
}

void facts_add_tasks(json_t *facts, const struct facts_tree *tree)
{
	json_t *tasks = json_array();
	unsigned long long memory = 0;

	for (size_t i = 0; i < tree->n; i++) {
		const struct facts_task *task = &tree->tasks[i];

		json_array_append_new(
			tasks, json_pack("{s:i, s:i, s:i, s:i, s:o}", "pid", (int)task->pid, "root",
					 (int)task->root, "group", (int)task->group, "session",
					 (int)task->session, "threads", threads_of(task->pid)));
		memory += memory_of(task->pid);
	}
	json_object_set_new(facts, "tasks", tasks);
	json_object_set_new(facts, "memory", json_integer(memory));
}
