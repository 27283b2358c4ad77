// SPDX-License-Identifier: GPL-2.0-only
/* Images do not outlive whoever made their directory, be it killed: a small process beside it
 * has a pipe from it, waits for the pipe's end and for criu's, and then removes them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place.h"

#define KEEP	  ((pid_t)-1) /* in place of a PID */
#define USERS_MAX 64
#define TRIES	  50 /* a keeper may leave its record there at this moment */
#define AGAIN_MS  20

static bool empty(int dirfd, bool deeper);

/* Of a tree of several. */
static void remove_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	empty(fd, false);
	close(fd);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

static bool empty(int dirfd, bool deeper)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;
	bool any = false;

	if (!dir)
		return true;
	while ((de = readdir(dir)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) {
			if (unlinkat(fd, de->d_name, 0) < 0 && errno == EISDIR && deeper)
				remove_dir(fd, de->d_name);
			any = true;
		}
	closedir(dir);
	return !any;
}

void place_empty(int dirfd, const char *path)
{
	struct stat own, now;

	for (int i = 0; i < TRIES; i++) {
		if (!empty(dirfd, true) && !empty(dirfd, true))
			poll(NULL, 0, AGAIN_MS);
		if (fstat(dirfd, &own) < 0 || stat(path, &now) < 0 || own.st_ino != now.st_ino ||
		    own.st_dev != now.st_dev || rmdir(path) == 0 || errno != ENOTEMPTY)
			return;
	}
}

int place_watch(int dirfd, const char *path)
{
	char dir[16];
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	snprintf(dir, sizeof(dir), "%d", 3);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		/* Twice: it is nobody's child, and outlives our session. */
		if (fork() != 0)
			_exit(0);
		setsid();
		dirfd = fcntl(dirfd, F_DUPFD, 10);
		fds[0] = fcntl(fds[0], F_DUPFD, 10);
		dup2(fds[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		dup2(dirfd, 3);
		close_range(4, ~0U, 0);
		execl("/proc/self/exe", "ip-takeover", "place", dir, path, NULL);
		_exit(127);
	}
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return -EAGAIN;
	}
	waitpid(pid, NULL, 0);
	return fds[1];
}

void place_used_by(const struct place *place, pid_t pid)
{
	if (place->watch >= 0 && write(place->watch, &pid, sizeof(pid)) < 0)
		return; /* it was killed */
}

void place_leave(struct place *place)
{
	if (place->fd < 0)
		return;
	place_used_by(place, KEEP);
	close(place->fd);
	if (place->watch >= 0)
		close(place->watch);
	place->fd = place->watch = -1;
}

void place_keep(struct place *place)
{
	char kept[PATH_MAX];
	const char *name;

	if (place->fd < 0)
		return;
	name = strrchr(place->path, '/') + 1;
	snprintf(kept, sizeof(kept), "%.*s" PLACE_KEPT "%s",
		 (int)(strlen(place->path) - strlen(name)), place->path, name + strlen(PLACE_NAME));
	if (rename(place->path, kept) == 0)
		strcpy(place->path, kept);
	place_leave(place);
}

int cli_place(int argc, char **argv)
{
	struct pollfd users[USERS_MAX];
	size_t n = 0;
	pid_t pid;
	int dirfd;

	if (argc != 3 || argv[2][0] != '/') {
		fprintf(stderr, "usage: ip-takeover place DESCRIPTOR PATH; migrate starts it\n");
		return 2;
	}
	prctl(PR_SET_NAME, "ip-takeover-dir");
	dirfd = atoi(argv[1]);
	if (chdir("/") < 0)
		return 1;
	while (read(0, &pid, sizeof(pid)) == sizeof(pid)) {
		if (pid == KEEP)
			return 0;
		users[n].fd = syscall(SYS_pidfd_open, pid, 0);
		users[n].events = POLLIN;
		n += users[n].fd >= 0 && n < USERS_MAX - 1;
	}
	for (size_t i = 0; i < n; i++)
		while (poll(&users[i], 1, -1) < 0 && errno == EINTR)
			;
	place_empty(dirfd, argv[2]);
	return 0;
}
