// SPDX-License-Identifier: GPL-2.0-only
/* What several trees have in common: each is dumped on its own, and restored with a copy of its
 * own. CRIU does not see that of memory and pipes. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"

struct thing {
	char name[48];
	pid_t pid, root;
};

struct things {
	struct thing *all;
	size_t n;
};

static void add(struct things *t, const char *name, const struct facts_process *p)
{
	/* Doubled each time that it is a power of two. */
	if ((t->n & (t->n - 1)) == 0) {
		void *all = realloc(t->all, (t->n ? t->n * 2 : 1) * sizeof(*t->all));

		if (!all)
			return;
		t->all = all;
	}
	snprintf(t->all[t->n].name, sizeof(t->all[0].name), "%s", name);
	t->all[t->n].pid = p->pid;
	t->all[t->n++].root = p->root;
}

static void add_descriptors(struct things *t, const struct facts_process *p)
{
	char path[64], link[48];
	struct dirent *de;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), de->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (strncmp(link, "pipe:[", 6) == 0 || strncmp(link, "socket:[", 8) == 0)
			add(t, link, p);
	}
	if (dir)
		closedir(dir);
}

/* Shared mappings that are no file's (images_memory.c). */
static void add_memory(struct things *t, const struct facts_process *p)
{
	char path[64], line[512], name[48];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)p->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long inode;
		char perms[5];
		int at = 0;

		if (sscanf(line, "%*s %4s %*s %*s %lu %n", perms, &inode, &at) != 2 || at == 0 ||
		    perms[3] != 's')
			continue;
		if (strncmp(line + at, "/dev/zero (", 11) != 0 &&
		    strncmp(line + at, "/memfd:", 7) != 0 && strncmp(line + at, "/SYSV", 5) != 0)
			continue;
		snprintf(name, sizeof(name), "memory:[%lu]", inode);
		add(t, name, p);
	}
	if (f)
		fclose(f);
}

static int compare(const void *a, const void *b)
{
	const struct thing *x = a, *y = b;

	return strcmp(x->name, y->name) ?: (x->root > y->root) - (x->root < y->root);
}

void judge_shared(const struct facts *f, struct checks *c)
{
	struct things t = { 0 };
	unsigned int n = 0;

	if (f->n_roots < 2)
		return;
	for (size_t i = 0; i < f->n_processes; i++) {
		add_descriptors(&t, &f->processes[i]);
		add_memory(&t, &f->processes[i]);
	}
	if (t.n > 0)
		qsort(t.all, t.n, sizeof(*t.all), compare);
	for (size_t i = 1; i < t.n; i++) {
		const struct thing *a = &t.all[i - 1], *b = &t.all[i];

		if (strcmp(a->name, b->name) != 0 || a->root == b->root || ++n > JUDGE_LINES_MAX)
			continue;
		check_say(c, CHECK_NO, "trees",
			  "name a process that both descend from instead, or start them apart",
			  "PID %d and PID %d share %s: criu dumps each tree on its own",
			  (int)a->pid, (int)b->pid, a->name);
	}
	if (n == 0)
		check_say(c, CHECK_OK, "trees", NULL, "%zu, which share nothing", f->n_roots);
	free(t.all);
}
