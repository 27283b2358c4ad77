// SPDX-License-Identifier: GPL-2.0-only
/* Images of a move whose ip-takeover was killed, and the process that would have removed them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean.h"
#include "place.h"
#include "tasks.h"

static bool is_digits(const char *name)
{
	return *name && strspn(name, "0123456789") == strlen(name);
}

/* Whether the process @pid has the directory open. */
static bool has_open(const char *pid, const struct stat *own)
{
	char path[300];
	struct dirent *de;
	bool found = false;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (de = readdir(dir)))
		found = is_digits(de->d_name) && fstatat(dirfd(dir), de->d_name, &st, 0) == 0 &&
			st.st_ino == own->st_ino && st.st_dev == own->st_dev;
	if (dir)
		closedir(dir);
	return found;
}

/* By a criu that goes on, say. */
static bool is_open_elsewhere(const struct stat *own)
{
	DIR *proc = opendir("/proc");
	struct dirent *de;
	bool found = false;
	char self[16];

	snprintf(self, sizeof(self), "%d", (int)getpid());
	while (proc && !found && (de = readdir(proc)))
		found = is_digits(de->d_name) && strcmp(de->d_name, self) != 0 &&
			has_open(de->d_name, own);
	if (proc)
		closedir(proc);
	return found;
}

static void clean_one(struct clean *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	/* Made by somebody else: none of ours. */
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		close(fd);
		return;
	}
	if (strstr(path, PLACE_KEPT))
		clean_keeps("the images in %s: of a service of which nobody has said that it runs; "
			    "where it does, remove them",
			    path);
	else if (flock(fd, LOCK_EX | LOCK_NB) < 0 || is_open_elsewhere(&st))
		clean_keeps("the images in %s: a move is at work", path);
	else if (clean_removes(c, "the images in %s, whose move was killed", path))
		place_empty(fd, path);
	close(fd);
}

void clean_images(struct clean *c)
{
	for (size_t i = 0; place_parents[i]; i++) {
		DIR *dir = opendir(place_parents[i]);
		struct dirent *de;

		while (dir && (de = readdir(dir))) {
			char path[300];

			snprintf(path, sizeof(path), "%s/%s", place_parents[i], de->d_name);
			if (strncmp(de->d_name, PLACE_NAME, strlen(PLACE_NAME)) == 0)
				clean_one(c, path);
		}
		if (dir)
			closedir(dir);
	}
}
