// SPDX-License-Identifier: GPL-2.0-only
/* The plugin's, hook's and command's side of the keeper's socket. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "request.h"

#define PATIENCE_S 30
#define TRIES	   4 /* a worker that dies over a request is followed by another */

unsigned long long takeover_request_started(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[32], line[1024];
	const char *field;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	line[fread(line, 1, sizeof(line) - 1, f)] = '\0';
	fclose(f);
	/* The second field, a name in parentheses, may contain anything. */
	field = strrchr(line, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, " %llu", &ticks) != 1)
		return 0;
	return ticks;
}

const char *takeover_request_path(pid_t criu_pid, char *buf, size_t len)
{
	snprintf(buf, len, TAKEOVER_RUN_DIR "/criu-%d-%llu.sock", (int)criu_pid,
		 takeover_request_started(criu_pid));
	return buf;
}

const char *takeover_request_mark(const char *socket, char *buf, size_t len)
{
	int n = strlen(socket);

	if (n > 5 && strcmp(socket + n - 5, ".sock") == 0)
		n -= 5;
	snprintf(buf, len, "%.*s.committed", n, socket);
	return buf;
}

int takeover_request_check(const void *datagram, size_t n, struct takeover_request *ret_request,
			   char *error, size_t len)
{
	static const int32_t most[TAKEOVER_VERBS] = {
		[TAKEOVER_DUMP_EXIT] = TAKEOVER_EXIT_NO_CONNECTION,
		[TAKEOVER_YIELD] = 1,
		[TAKEOVER_COMMIT] = 1,
		[TAKEOVER_DUMP_BY] = INT32_MAX,
		[TAKEOVER_MEMBER_BEGINS] = INT32_MAX,
		[TAKEOVER_MEMBER_WAITS] = INT32_MAX,
		[TAKEOVER_MEMBER_LEFT_REPAIR] = INT32_MAX,
	};
	struct takeover_request r;

	if (n != sizeof(r)) {
		snprintf(error, len, "request: length: expected %zu bytes, not %zu", sizeof(r), n);
		return -EPROTO;
	}
	memcpy(&r, datagram, sizeof(r));
	if (r.version != TAKEOVER_REQUEST_VERSION) {
		snprintf(error, len,
			 "request: version: expected %d, not %u, of another version of this "
			 "project",
			 TAKEOVER_REQUEST_VERSION, r.version);
		return -EPROTO;
	}
	if (r.verb >= TAKEOVER_VERBS) {
		snprintf(error, len, "request: verb: expected 0 to %d, not %u", TAKEOVER_VERBS - 1,
			 r.verb);
		return -EPROTO;
	}
	/* CRIU's own exit code may be anything. */
	if (r.verb != TAKEOVER_RESTORE_EXIT && (r.value < 0 || r.value > most[r.verb])) {
		snprintf(error, len, "request: value: expected %s%d, not %d",
			 most[r.verb] ? "0 to " : "", most[r.verb], r.value);
		return -EINVAL;
	}
	if (r.root_pid < 0) {
		snprintf(error, len, "request: root_pid: expected a PID or 0, not %d", r.root_pid);
		return -EINVAL;
	}
	*ret_request = r;
	return 0;
}

static ssize_t again(ssize_t n)
{
	return n < 0 && errno == EINTR;
}

/* @seconds: 0 waits for ever. */
static int send_request(const char *path, const struct takeover_request *request, int seconds)
{
	struct timeval patience = { .tv_sec = seconds };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	ssize_t n;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* connect(), too */
	/* With a timeout set, SA_RESTART restarts nothing: signal(7). */
	do
		n = connect(fd, (void *)&sun, sizeof(sun));
	while (again(n));
	if (n == 0)
		do
			n = send(fd, request, sizeof(*request), MSG_NOSIGNAL);
		while (again(n));
	if (n < 0) {
		int ret = errno == EAGAIN ? -ETIMEDOUT : -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static int receive(int fd, int flags, struct takeover_reply *ret_reply)
{
	struct takeover_reply reply;
	ssize_t n;

	do
		n = recv(fd, &reply, sizeof(reply), flags);
	while (again(n));
	if (n < 0)
		return -errno;
	if (n != sizeof(reply))
		return n == 0 ? -ECONNREFUSED : -EPROTO;
	reply.message[sizeof(reply.message) - 1] = '\0';
	*ret_reply = reply;
	return 0;
}

static bool died(int ret)
{
	return ret == -ECONNREFUSED || ret == -ECONNRESET || ret == -EPIPE;
}

static int ask(const char *path, const struct takeover_request *request, int seconds,
	       struct takeover_reply *ret_reply)
{
	int ret = -ECONNREFUSED;

	for (int i = 0; i < TRIES && died(ret); i++) {
		int fd = send_request(path, request, seconds);

		ret = fd < 0 ? fd : receive(fd, 0, ret_reply);
		if (fd >= 0)
			close(fd);
	}
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

static struct takeover_request compose(enum takeover_request_verb verb, int value, pid_t root_pid)
{
	return (struct takeover_request){
		.version = TAKEOVER_REQUEST_VERSION,
		.verb = verb,
		.value = value,
		.root_pid = root_pid,
	};
}

int takeover_request(const char *socket, enum takeover_request_verb verb, int value, pid_t root_pid,
		     struct takeover_reply *ret_reply)
{
	const struct takeover_request request = compose(verb, value, root_pid);

	return ask(socket, &request, PATIENCE_S, ret_reply);
}

int takeover_request_wait(const char *socket, enum takeover_request_verb verb, int value,
			  pid_t root_pid, struct takeover_reply *ret_reply)
{
	const struct takeover_request request = compose(verb, value, root_pid);

	return ask(socket, &request, 0, ret_reply);
}

int takeover_request_send(const char *socket, enum takeover_request_verb verb)
{
	const struct takeover_request request = compose(verb, 0, 0);

	return send_request(socket, &request, PATIENCE_S);
}

int takeover_request_receive(int fd, struct takeover_reply *ret_reply)
{
	int ret = receive(fd, MSG_DONTWAIT, ret_reply);

	return died(ret) ? -ECONNREFUSED : ret;
}

/* In the build tree and as installed, the command lies at a known way from us. */
static int find_command(const char *self, char *ret_path)
{
	static const char *const ways[] = { ".", "..", "../../sbin" };
	char copy[PATH_MAX], try[PATH_MAX + 32];

	if (strlen(self) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, self);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(try, sizeof(try), "%s/%s/ip-takeover", dirname(strcpy(copy, self)),
			 ways[i]);
		if (access(try, X_OK) == 0 && strlen(try) < PATH_MAX) {
			strcpy(ret_path, try);
			return 0;
		}
	}
	return -ENOENT;
}

/* The keeper itself: @report is the only descriptor that it gets from criu. */
static void exec_keeper(const char *command, const char *role, pid_t criu_pid, pid_t root_pid,
			const char *images, pid_t mover, const char *netns, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char pid[16], root[16], mover_pid[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	snprintf(pid, sizeof(pid), "%d", (int)criu_pid);
	snprintf(root, sizeof(root), "%d", (int)root_pid);
	snprintf(mover_pid, sizeof(mover_pid), "%d", (int)mover);
	/* Away from 0 to 3 first; whoever reads criu's output must not wait for the keeper. */
	report = fcntl(report, F_DUPFD_CLOEXEC, 4);
	null = fcntl(null, F_DUPFD_CLOEXEC, 4);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	dup2(report, 3);
	close_range(4, ~0U, 0);
	execl(command, "ip-takeover", "keeper", role, pid, root, images, "3", mover_pid,
	      netns ?: "-", NULL);
	_exit(127);
}

int takeover_keeper_start(const char *self, const char *role, pid_t criu_pid, pid_t root_pid,
			  const char *images, pid_t mover, const char *netns,
			  struct takeover_reply *ret_reply)
{
	struct takeover_reply reply;
	char command[PATH_MAX];
	int sv[2], ret;
	ssize_t n;
	pid_t pid;

	ret = find_command(self, command);
	if (ret < 0)
		return ret;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		ret = -errno;
		close(sv[0]);
		close(sv[1]);
		return ret;
	}
	if (pid == 0) {
		/* Fork twice: criu waits for its children and takes a failing one for a task. */
		pid_t keeper = fork();

		if (keeper == 0)
			exec_keeper(command, role, criu_pid, root_pid, images, mover, netns, sv[1]);
		_exit(keeper < 0);
	}
	close(sv[1]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	do
		n = recv(sv[0], &reply, sizeof(reply), 0);
	while (n < 0 && errno == EINTR);
	close(sv[0]);
	if (n != sizeof(reply))
		return -EPIPE;
	reply.message[sizeof(reply.message) - 1] = '\0';
	*ret_reply = reply;
	return 0;
}
