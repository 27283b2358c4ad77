// SPDX-License-Identifier: GPL-2.0-only
/* Facts: the files that the trees have open or mapped, run, and stand in. */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts_parts.h"
#include "file.h"

#define DELETED " (deleted)"

struct files {
	json_t *all;	      /* path: what it is */
	unsigned int unknown; /* by a name that is none in JSON, or gone */
};

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* No file by that name: a socket, a pipe, memory; one that is unlinked, which CRIU takes
 * along; or one that the kernel makes up for each host. */
static bool is_left_out(const char *path)
{
	size_t len = strlen(path);

	return path[0] != '/' ||
	       (len >= strlen(DELETED) && strcmp(path + len - strlen(DELETED), DELETED) == 0) ||
	       begins(path, "/proc/") || begins(path, "/sys/") || begins(path, "/dev/pts/");
}

static void add(struct files *files, const char *path)
{
	struct file file;
	json_t *entry;

	if (is_left_out(path) || json_object_get(files->all, path))
		return;
	if (file_look(path, &file) < 0) {
		files->unknown++;
		return;
	}
	entry = json_pack("{s:s}", "type", file.type);
	if (strcmp(file.type, "file") == 0)
		json_object_set_new(entry, "size", json_integer(file.size));
	if (file.build_id[0])
		json_object_set_new(entry, "build_id", json_string(file.build_id));
	/* It refuses what is no UTF-8. */
	if (json_object_set_new(files->all, path, entry) < 0)
		files->unknown++;
}

static void add_link(struct files *files, int dirfd, const char *name)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, path, sizeof(path) - 1);

	if (n <= 0)
		return;
	path[n] = '\0';
	add(files, path);
}

static void add_open(struct files *files, pid_t pid)
{
	struct dirent *de;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (isdigit(de->d_name[0]))
			add_link(files, dirfd(dir), de->d_name);
	if (dir)
		closedir(dir);
}

static void add_mapped(struct files *files, pid_t pid)
{
	char path[64], *line = NULL, last[PATH_MAX] = "";
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		char *name = line;
		int at = 0;

		sscanf(line, "%*s %*s %*s %*s %*s %n", &at);
		name += at;
		if (at == 0 || *name != '/')
			continue;
		name[strcspn(name, "\n")] = '\0';
		/* A library has several mappings in a row. */
		if (strlen(name) >= sizeof(last) || strcmp(name, last) == 0)
			continue;
		strcpy(last, name);
		add(files, name);
	}
	free(line);
	if (f)
		fclose(f);
}

/* Paths in another mount namespace mean other files than here. */
static bool has_own_mounts(pid_t pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat("/proc/self/ns/mnt", &own) == 0 && stat(path, &its) == 0 &&
	       own.st_ino != its.st_ino;
}

void facts_add_files(json_t *facts, const struct facts_tree *tree)
{
	struct files files = { .all = json_object() };
	static const char *const links[] = { "exe", "cwd", "root" };
	bool own_mounts = false;

	for (size_t i = 0; i < tree->n; i++) {
		pid_t pid = tree->tasks[i].pid;
		char path[64];

		if (has_own_mounts(pid)) {
			own_mounts = true;
			continue;
		}
		for (size_t k = 0; k < sizeof(links) / sizeof(links[0]); k++) {
			snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, links[k]);
			add_link(&files, -1, path);
		}
		add_open(&files, pid);
		add_mapped(&files, pid);
	}
	json_object_set_new(facts, "files", files.all);
	json_object_set_new(facts, "files_unknown", json_integer(files.unknown));
	json_object_set_new(facts, "own_mounts", json_boolean(own_mounts));
}
