// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.h"
#include "netns.h"
#include "program.h"

#define READS_AT_ONCE 32  /* then the others have their turn */
#define DYING_MS      500 /* from SIGKILL on; longer takes one that hangs in the kernel */

static int unfit(char *error, size_t len, int ret, const char *path, const char *what,
		 const char *remedy)
{
	snprintf(error, len, "%s %s; %s", path, what, remedy);
	return ret;
}

/* Nobody may put another file in place of it: of its directories, too. */
static int check_directories(const char *real, char *error, size_t len)
{
	char path[PATH_MAX];
	struct stat st;

	strcpy(path, real);
	for (char *slash; (slash = strrchr(path, '/')) && path[1];) {
		slash[slash == path] = '\0';
		if (stat(path, &st) < 0)
			return unfit(error, len, -errno, path, "cannot be read", strerror(errno));
		if (st.st_uid != 0 && st.st_uid != geteuid())
			return unfit(error, len, -EPERM, path, "belongs to another than root",
				     "chown root, or move the program");
		if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
			return unfit(error, len, -EPERM, path, "may be written by everybody",
				     "chmod o-w, or move the program");
	}
	return 0;
}

int takeover_program_check(const char *path, char *error, size_t len)
{
	char real[PATH_MAX];
	struct stat st;

	if (path[0] != '/')
		return unfit(error, len, -EINVAL, path, "is no absolute path", "write it whole");
	if (!realpath(path, real) || stat(real, &st) < 0) {
		snprintf(error, len, "%s: %s; install it there, or correct the configuration", path,
			 strerror(errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode))
		return unfit(error, len, -EACCES, path, "is no file", "correct the configuration");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return unfit(error, len, -EPERM, path, "belongs to another than root",
			     "chown root");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return unfit(error, len, -EPERM, path, "may be written by others than its owner",
			     "chmod go-w");
	if (access(real, X_OK) < 0)
		return unfit(error, len, -EACCES, path, "is not executable", "chmod +x");
	return check_directories(real, error, len);
}

static void run(const char *path, const char *verb, char *const env[], int output, pid_t parent)
{
	char *const argv[] = { (char *)path, (char *)verb, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct takeover_netns host = { 0 };
	sigset_t none;
	int back;

	/* Routers and roads to a cloud are the host's, not a container's. */
	if (takeover_netns_enter(&host, &back) < 0)
		_exit(126);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 ||
	    dup2(output, 2) < 0 || close_range(3, ~0U, 0) < 0 || chdir("/") < 0)
		_exit(126);
	/* What is ignored stays so in the new program. */
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	execve(path, argv, env);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(126);
}

int takeover_program_start(struct takeover_program *p, const char *path, const char *verb,
			   char *const env[], int timeout_ms)
{
	int fds[2], output, ret = 0;
	pid_t self = getpid(), pid;

	takeover_program_end(p);
	memset(p, 0, sizeof(*p));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* Out of the way of 0, 1 and 2, should they be closed. */
	output = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	if (output < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		ret = -errno;
		goto out;
	}
	p->since_ms = takeover_now_ms();
	p->deadline_ms = p->since_ms + timeout_ms;
	p->output_fd = fds[0];
	p->parent = self;
	/* Not into *p: the child may share it. */
	pid = fork();
	if (pid == 0)
		run(path, verb, env, output, self);
	if (pid < 0)
		ret = -errno;
	else
		p->pid = pid;
out:
	close(fds[1]);
	if (output >= 0)
		close(output);
	if (ret < 0)
		close(fds[0]);
	return ret;
}

bool takeover_program_runs(const struct takeover_program *p)
{
	return p->pid > 0 && p->parent == getpid();
}

static void end_line(struct takeover_program *p)
{
	if (p->line[0])
		memcpy(p->last, p->line, sizeof(p->last));
	p->line[0] = '\0';
}

static void take(struct takeover_program *p, const char *text, size_t n)
{
	size_t used = strlen(p->line);

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			end_line(p);
			used = 0;
		} else if (used < sizeof(p->line) - 1) {
			p->line[used++] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
			p->line[used] = '\0';
		}
	}
}

/* It must not wait for us, however much it writes. */
static void drain(struct takeover_program *p)
{
	char buf[4096];
	ssize_t n;

	for (int i = 0; i < READS_AT_ONCE; i++) {
		n = read(p->output_fd, buf, sizeof(buf));
		if (n > 0)
			take(p, buf, n);
		else if (n == 0 || errno != EINTR)
			break;
	}
}

/* It has a group of its own as soon as it has a session. */
static void kill_all(const struct takeover_program *p)
{
	if (kill(-p->pid, SIGKILL) < 0)
		kill(p->pid, SIGKILL);
}

int takeover_program_go_on(struct takeover_program *p, int *ret_status)
{
	long now = takeover_now_ms();
	siginfo_t ended = { 0 };
	int ret;

	drain(p);
	/* Not reaped yet: its group has its number, and nobody else. */
	ret = waitid(P_PID, p->pid, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 ? -errno : 0;
	if (ret == 0 && ended.si_pid == 0 && now < p->deadline_ms)
		return -EINPROGRESS;
	if (ret == 0 && ended.si_pid == 0 && !p->late) {
		p->late = true;
		kill_all(p);
		return -EINPROGRESS;
	}
	if (ret == 0 && ended.si_pid == 0 && now < p->deadline_ms + DYING_MS)
		return -EINPROGRESS;
	if (ret == 0) {
		drain(p);
		end_line(p);
		kill_all(p);
		waitpid(p->pid, ret_status, WNOHANG);
	}
	close(p->output_fd);
	p->pid = 0;
	return p->late ? -ETIMEDOUT : ret;
}

void takeover_program_end(struct takeover_program *p)
{
	int status;

	if (p->pid <= 0)
		return;
	kill_all(p);
	if (takeover_program_runs(p)) {
		long deadline = takeover_now_ms() + DYING_MS;

		while (waitpid(p->pid, &status, WNOHANG) == 0 && takeover_now_ms() < deadline)
			poll(NULL, 0, 1);
		close(p->output_fd);
	}
	p->pid = 0;
}
