// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.h"
#include "run.h"

#define LATE_MS	      10 /* without a pidfd, how long an end goes unseen */
#define READS_AT_ONCE 32 /* then look at the clock */

/* environ, with @env in place of what has its name. */
static char **environment(const char *env)
{
	size_t n = 0, kept = 0, name = env ? strcspn(env, "=") + 1 : 0;
	char **list;

	while (environ[n])
		n++;
	list = calloc(n + 2, sizeof(*list));
	for (size_t i = 0; list && i < n; i++)
		if (!env || strncmp(environ[i], env, name) != 0)
			list[kept++] = environ[i];
	if (list && env)
		list[kept] = (char *)env;
	return list;
}

static int spawn(const char *const argv[], const char *env, int output, pid_t *ret_pid)
{
	char **list = environment(env);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int ret;

	if (!list)
		return -ENOMEM;
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, 1);
	posix_spawn_file_actions_adddup2(&files, output, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	ret = -posix_spawn(ret_pid, argv[0], &files, &attr, (char *const *)argv, list);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(list);
	return ret;
}

/* Read what there is, or a good part of it; whether the end was seen. */
static bool drain(int fd, char *buf, size_t len, size_t *used)
{
	char rest[4096];

	for (int i = 0; i < READS_AT_ONCE; i++) {
		size_t room = len - 1 - *used;
		ssize_t n = room > 0 ? read(fd, buf + *used, room) : read(fd, rest, sizeof(rest));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		if (room > 0)
			*used += n;
	}
	return false;
}

/* Until it has ended; who has inherited its output does not count. */
static int attend(pid_t pid, int fd, int timeout_ms, char *buf, size_t len, int *ret_status)
{
	long deadline = takeover_now_ms() + timeout_ms, left;
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfds[] = { { .fd = fd, .events = POLLIN },
				 { .fd = pidfd, .events = POLLIN } };
	size_t used = 0;
	pid_t ended = 0;

	while (ended == 0 && (left = deadline - takeover_now_ms()) > 0) {
		poll(pfds, 2, pidfd < 0 && left > LATE_MS ? LATE_MS : left);
		if (pfds[0].fd >= 0 && drain(fd, buf, len, &used))
			pfds[0].fd = -1;
		ended = waitpid(pid, ret_status, WNOHANG);
	}
	if (ended == 0) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
			;
	}
	drain(fd, buf, len, &used);
	buf[used] = '\0';
	if (pidfd >= 0)
		close(pidfd);
	return ended == 0 ? -ETIMEDOUT : ended < 0 ? -ECHILD : 0;
}

int cli_run(const char *const argv[], const char *env, int timeout_ms, char *buf, size_t len,
	    int *ret_status)
{
	int fds[2], ret;
	pid_t pid;

	buf[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	ret = spawn(argv, env, fds[1], &pid);
	close(fds[1]);
	if (ret == 0)
		ret = attend(pid, fds[0], timeout_ms, buf, len, ret_status);
	close(fds[0]);
	return ret;
}
