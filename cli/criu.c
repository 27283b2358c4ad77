// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "criu.h"

#define WORDS_MAX 128
#define ENV_MAX	  8

/* criu-action lies beside us in the build tree, and in libexec as installed. */
int criu_action(char *ret_path)
{
	static const char *const ways[] = { "criu-action",
					    "../libexec/criu-ip-takeover/criu-action" };
	char self[PATH_MAX], try[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	dirname(self);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(try, sizeof(try), "%s/%s", self, ways[i]);
		if (access(try, X_OK) == 0 && strlen(try) < PATH_MAX) {
			strcpy(ret_path, try);
			return 0;
		}
	}
	return -ENOENT;
}

/* What its scripts say. */
static int open_said(const char *images, const char *verb)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s-said.log", images, verb);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
}

int criu_start(const char *verb, const char *images, const char *const more[],
	       const char *const env[], struct criu *criu)
{
	char action[PATH_MAX], mover[16];
	const char *options[WORDS_MAX] = { "--tcp-established", "--action-script", action };
	const char *all[ENV_MAX] = { "IP_TAKEOVER_MOVER", mover };
	size_t n = 3, words = 2;
	int ret;

	ret = criu_action(action);
	if (ret < 0)
		return ret;
	for (size_t i = 0; more && more[i] && n < WORDS_MAX - 1; i++)
		options[n++] = more[i];
	while (*env && words < ENV_MAX - 1)
		all[words++] = *env++;
	snprintf(mover, sizeof(mover), "%d", (int)getpid());
	return criu_run(verb, images, options, all, criu);
}

int criu_run(const char *verb, const char *images, const char *const options[],
	     const char *const env[], struct criu *criu)
{
	const char *argv[WORDS_MAX] = {
		"criu", verb,  "--images-dir",	 images, "--log-file",
		NULL,	"-v4", "--network-lock", "skip",
	};
	size_t n = 9;

	*criu = (struct criu){ .verb = verb, .images = images, .pidfd = -1, .asked_fd = -1 };
	snprintf(criu->log, sizeof(criu->log), "%s.log", verb);
	argv[5] = criu->log;
	for (size_t i = 0; options[i] && n < WORDS_MAX - 1; i++)
		argv[n++] = options[i];
	return criu_spawn(argv, env, -1, criu);
}

int criu_spawn(const char *const argv[], const char *const env[], int gate, struct criu *criu)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR), said = open_said(criu->images, criu->verb);
		char c;

		/* Its own session: what ends us is not meant for it. */
		setsid();
		for (; env && *env; env += 2)
			setenv(env[0], env[1], 1);
		dup2(null, 0);
		dup2(criu->mute ? null : said, 1);
		dup2(criu->mute ? null : said, 2);
		/* The gate's other end is among ours: while it is open here nothing is no end. */
		if (gate > 3)
			close_range(3, gate - 1, 0);
		close_range(gate >= 3 ? gate + 1 : 3, ~0U, 0);
		if (gate >= 0 && read(gate, &c, 1) != 1)
			_exit(127);
		execvp(argv[0], (char *const *)argv);
		dprintf(2, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	criu->pid = pid;
	criu->pidfd = syscall(SYS_pidfd_open, pid, 0);
	takeover_request_path(pid, criu->socket, sizeof(criu->socket));
	return 0;
}

bool criu_ended(struct criu *criu)
{
	if (criu->pidfd >= 0 && waitpid(criu->pid, &criu->status, WNOHANG) == criu->pid) {
		close(criu->pidfd);
		criu->pidfd = -1;
	}
	return criu->pidfd < 0;
}

bool criu_wait(struct criu *criu, int timeout_ms)
{
	struct pollfd pfd = { .fd = criu->pidfd, .events = POLLIN };

	if (!criu_ended(criu))
		poll(&pfd, 1, timeout_ms);
	return criu_ended(criu);
}

static void forget(struct criu *criu)
{
	if (criu->asked_fd >= 0)
		close(criu->asked_fd);
	criu->asked_fd = -1;
}

int criu_ask(struct criu *criu, enum takeover_request_verb verb, struct takeover_reply *reply)
{
	int ret;

	if (criu->asked_fd < 0) {
		ret = takeover_request_send(criu->socket, verb);
		/* Its worker is followed by another. */
		if (ret < 0)
			return ret == -ECONNREFUSED ? -EAGAIN : ret;
		criu->asked_fd = ret;
	}
	ret = takeover_request_receive(criu->asked_fd, reply);
	if (ret == -EAGAIN)
		return ret;
	forget(criu);
	return ret == -ECONNREFUSED ? -EAGAIN : ret;
}

int criu_tell(struct criu *criu, enum takeover_request_verb verb, struct takeover_reply *reply)
{
	int ret;

	forget(criu);
	ret = takeover_request(criu->socket, verb, 0, 0, reply);
	return ret < 0 ? ret : reply->ret;
}

/* The first line of the file that has @mark, from there on. */
static bool find_line(const char *images, const char *name, const char *mark, char *buf, size_t len)
{
	char path[PATH_MAX + 64], line[1024];
	bool found = false;
	FILE *f;

	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s", images, name);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, mark);

		line[strcspn(line, "\n")] = '\0';
		/* exit() only says that it has failed. */
		found = at && !strstr(at, "RLIMIT_NOFILE") && !strstr(at, "see criu's log") &&
			strncmp(at, "ip-takeover: exit(", 18) != 0;
		if (found)
			snprintf(buf, len, "%s",
				 at + (strncmp(at, "ip-takeover: ", 13) == 0 ? 13 : 0));
	}
	if (f)
		fclose(f);
	return found;
}

const char *criu_why(const struct criu *criu, char *buf, size_t len)
{
	char said[48];

	buf[0] = '\0';
	snprintf(said, sizeof(said), "%s-said.log", criu->verb);
	/* Some versions of criu give their scripts the log. A runtime quotes it. */
	if ((criu->of_runtime || !find_line(criu->images, said, "ip-takeover: ", buf, len)) &&
	    !find_line(criu->images, criu->log, "ip-takeover: ", buf, len) &&
	    !find_line(criu->images, criu->log, "Error (", buf, len) && criu->of_runtime)
		criu_runtime_why(criu, buf, len);
	if (!buf[0] && criu->pidfd < 0 && WIFSIGNALED(criu->status))
		snprintf(buf, len, "%s was killed by signal %d",
			 criu->of_runtime ? "the container runtime's command" : "criu",
			 WTERMSIG(criu->status));
	/* With the plugin the address is there before a socket is bound to it. */
	if (criu->of_runtime && strstr(buf, strerror(EADDRNOTAVAIL)))
		snprintf(buf + strlen(buf), len - strlen(buf),
			 "; criu has not loaded the plugin, see ip-takeover check");
	return buf;
}
