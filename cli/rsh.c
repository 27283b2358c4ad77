// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rsh.h"

#define WORDS_MAX 32
#define LAST_MS	  200
#define END_MS	  1000

/* The words of @command, then @host and what is to be run there. */
static int compose(char *command, const char *host, const char *program, const char *verb,
		   const char *id, const char **argv)
{
	size_t n = 0;
	char *rest;

	for (char *word = strtok_r(command, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (n == WORDS_MAX - 5)
			return -E2BIG;
		argv[n++] = word;
	}
	/* A host is never an option. */
	if (n == 0 || host[0] == '-' || host[0] == '\0')
		return -EINVAL;
	argv[n++] = host;
	argv[n++] = program;
	argv[n++] = verb;
	if (id)
		argv[n++] = id;
	argv[n] = NULL;
	return 0;
}

int rsh_start(struct rsh *rsh, const char *command, const char *host, const char *program,
	      const char *verb, struct channel **ret_channel)
{
	const char *argv[WORDS_MAX];
	char *copy = strdup(command);
	int data[2], error[2], ret;

	if (!copy)
		return -ENOMEM;
	ret = compose(copy, host, program, verb, NULL, argv);
	if (ret == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, data) < 0)
		ret = -errno;
	if (ret == 0 && pipe2(error, O_CLOEXEC | O_NONBLOCK) < 0)
		ret = -errno;
	if (ret < 0) {
		free(copy);
		return ret;
	}
	rsh->pid = fork();
	if (rsh->pid == 0) {
		/* A terminal's ^C is for us to undo the move, not for the connection. */
		setpgid(0, 0);
		signal(SIGPIPE, SIG_DFL);
		dup2(data[1], 0);
		dup2(data[1], 1);
		dup2(error[1], 2);
		execvp(argv[0], (char *const *)argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	free(copy);
	close(data[1]);
	close(error[1]);
	rsh->error_fd = error[0];
	if (rsh->pid < 0)
		return -EAGAIN;
	return channel_open(data[0], data[0], ret_channel);
}

int rsh_ask(struct rsh *rsh, const char *command, const char *host, const char *program,
	    const char *verb, const char *id)
{
	const char *argv[WORDS_MAX];
	char *copy = strdup(command);
	int error[2], ret = copy ? compose(copy, host, program, verb, id, argv) : -ENOMEM;

	if (ret == 0 && pipe2(error, O_CLOEXEC | O_NONBLOCK) < 0)
		ret = -errno;
	if (ret < 0) {
		free(copy);
		return ret;
	}
	rsh->pid = fork();
	if (rsh->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		signal(SIGPIPE, SIG_DFL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(error[1], 2);
		execvp(argv[0], (char *const *)argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	free(copy);
	close(error[1]);
	rsh->error_fd = error[0];
	if (rsh->pid > 0)
		return 0;
	close(error[0]);
	return -EAGAIN;
}

bool rsh_ended(struct rsh *rsh, int *ret_status)
{
	int status;

	if (waitpid(rsh->pid, &status, WNOHANG) != rsh->pid)
		return false;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 127;
	rsh_why(rsh);
	close(rsh->error_fd);
	rsh->pid = 0;
	return true;
}

const char *rsh_why(struct rsh *rsh)
{
	struct pollfd pfd = { .fd = rsh->error_fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;
	char *line;

	while (poll(&pfd, 1, LAST_MS) > 0 &&
	       (n = read(rsh->error_fd, rsh->said + used, sizeof(rsh->said) - 1 - used)) > 0)
		used += n;
	rsh->said[used] = '\0';
	while (used > 0 && isspace((unsigned char)rsh->said[used - 1]))
		rsh->said[--used] = '\0';
	for (char *c = rsh->said; *c; c++)
		if ((*c < ' ' || *c > '~') && *c != '\n')
			*c = '?';
	/* A banner may come first, usage behind what is wrong. */
	line = strstr(rsh->said, "ip-takeover: ");
	if (line)
		line[strcspn(line, "\n")] = '\0';
	else if ((line = strrchr(rsh->said, '\n')))
		line++;
	if (line)
		memmove(rsh->said, line, strlen(line) + 1);
	return rsh->said[0] ? rsh->said : "the connection to the other host has ended";
}

void rsh_end(struct rsh *rsh)
{
	int pidfd;
	struct pollfd pfd;

	if (rsh->pid <= 0)
		return;
	pidfd = syscall(SYS_pidfd_open, rsh->pid, 0);
	pfd = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 || poll(&pfd, 1, END_MS) <= 0) {
		kill(rsh->pid, SIGTERM);
		/* It may be stopped. */
		if (pidfd < 0 || poll(&pfd, 1, LAST_MS) <= 0)
			kill(rsh->pid, SIGKILL);
	}
	waitpid(rsh->pid, NULL, 0);
	close(rsh->error_fd);
	if (pidfd >= 0)
		close(pidfd);
}

int rsh_run(const char *command, const char *host, const char *program, const char *verb,
	    const char *id)
{
	const char *argv[WORDS_MAX];
	char *copy = strdup(command);
	int status = 0, ret = copy ? compose(copy, host, program, verb, id, argv) : -ENOMEM;
	pid_t pid = ret == 0 ? fork() : -1;

	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		perror(argv[0]);
		_exit(127);
	}
	free(copy);
	if (pid < 0)
		return ret < 0 ? ret : -EAGAIN;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
