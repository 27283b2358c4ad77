// SPDX-License-Identifier: GPL-2.0-only
/* The keeper: opens what a takeover needs, then watches over the worker. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "netlink.h"
#include "translated.h"

#define WORKERS_MAX 8 /* one that dies so often will die again */

int takeover_keeper_say(struct takeover_keeper *k, int ret, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(k->message, sizeof(k->message), format, ap);
	va_end(ap);
	return ret;
}

void takeover_keeper_add(struct takeover_keeper *k, const char *format, ...)
{
	size_t n = strlen(k->message);
	va_list ap;

	if (n > 0)
		n += snprintf(k->message + n, sizeof(k->message) - n, "; ");
	va_start(ap, format);
	if (n < sizeof(k->message))
		vsnprintf(k->message + n, sizeof(k->message) - n, format, ap);
	va_end(ap);
}

int takeover_keeper_hold(struct takeover_keeper *k, bool copy)
{
	int ret = takeover_hold_open(k->config.hold_packets, copy, &k->hold)
			  ?: takeover_hold_open(k->config.hold_packets, copy, &k->hold_out);

	if (ret == -EPERM)
		return takeover_keeper_say(k, ret,
					   "cannot hold packets: no permission for netfilter "
					   "(CAP_NET_ADMIN); run criu as root");
	if (ret == -EBUSY)
		return takeover_keeper_say(k, ret,
					   "cannot hold packets: other processes have bound the "
					   "queues %d to %d; see "
					   "/proc/net/netfilter/nfnetlink_queue",
					   TAKEOVER_HOLD_FIRST,
					   TAKEOVER_HOLD_FIRST + TAKEOVER_HOLD_QUEUES - 1);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot hold packets, no NFQUEUE: %s",
					   strerror(-ret));
	return 0;
}

static int listen_socket(const struct takeover_keeper *k)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	mkdir(TAKEOVER_RUN_DIR, 0700);
	strcpy(sun.sun_path, k->socket);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (void *)&sun, sizeof(sun)) < 0 || listen(fd, TAKEOVER_ASKERS_MAX) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static int open_criu(struct takeover_keeper *k, const char *images)
{
	k->images_fd = open(images, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->images_fd < 0)
		return takeover_keeper_say(k, -errno, "%s: %s", images, strerror(errno));
	k->criu_fd = syscall(SYS_pidfd_open, k->criu_pid, 0);
	if (k->criu_fd < 0)
		return takeover_keeper_say(k, -errno, "cannot watch criu (pid %d): %s",
					   (int)k->criu_pid, strerror(errno));
	return 0;
}

/* What the role opens. */
static int open_role(struct takeover_keeper *k, const char *names)
{
	switch (k->role) {
	case TAKEOVER_SOURCE:
		return takeover_source_open(k);
	case TAKEOVER_DESTINATION:
		return takeover_destination_open(k);
	default:
		return takeover_standby_open(k, names);
	}
}

/* Before any socket is made. The addresses of a container are those of its own namespace, though
 * criu and its stages are in the host's. */
static int enter_netns(struct takeover_keeper *k, const char *path)
{
	char roots[64];
	int back, ret = 0;

	snprintf(roots, sizeof(roots), "/proc/%d/ns/net", (int)k->root_pid);
	if (strcmp(path, "-") == 0)
		path = k->role == TAKEOVER_SOURCE && k->root_pid > 0 ? roots : NULL;
	if (path && takeover_translated_is(k)) {
		ret = takeover_translated_open(k, path);
		if (ret < 0)
			return ret;
		path = NULL;
	} else if (path)
		ret = takeover_netns_enter_path(path, &back);
	/* One that has ended has none, nor sockets. */
	if (ret == -ENOENT && path == roots) {
		path = NULL;
		ret = 0;
	}
	if (ret == -EINVAL)
		return takeover_keeper_say(k, ret, "%s is no network namespace", path);
	if (ret == -EPERM)
		return takeover_keeper_say(k, ret,
					   "cannot enter the network namespace %s: no permission "
					   "(CAP_SYS_ADMIN); run criu as root",
					   path);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot enter the network namespace %s: %s",
					   path, strerror(-ret));
	if (path && back >= 0)
		close(back);
	k->netns = takeover_netns_own();
	if (path && k->netns.inode)
		snprintf(k->netns.path, sizeof(k->netns.path), "%s", path);
	return 0;
}

/* One keeper works in one namespace. */
static int check_members_netns(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (k->role == TAKEOVER_SOURCE && !takeover_netns_has(k->members[i].root_pid))
			return takeover_keeper_say(
				k, -EXDEV,
				"process %d is in another network namespace than process %d: move "
				"it by itself",
				(int)k->members[i].root_pid, (int)k->root_pid);
	return 0;
}

/* Everything that changes nothing yet. Positive: there is nothing to do. */
static int open_all(struct takeover_keeper *k, const char *images, const char *netns)
{
	char error[200];
	int ret;

	ret = takeover_config_read(&k->config, error, sizeof(error));
	if (ret == -ENOENT)
		return takeover_keeper_say(k, 1, "%s: nothing to do", error);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s", error);
	if (k->role != TAKEOVER_STANDBY)
		ret = open_criu(k, images);
	ret = ret ?: enter_netns(k, netns);
	if (ret < 0)
		return ret;
	k->mover_fd = k->mover_pid > 0 ? (int)syscall(SYS_pidfd_open, k->mover_pid, 0) : -1;
	if (k->mover_pid > 0 && k->mover_fd < 0)
		return takeover_keeper_say(k, -errno,
					   "cannot watch ip-takeover migrate (pid %d): %s",
					   (int)k->mover_pid, strerror(errno));
	if (k->role != TAKEOVER_STANDBY)
		ret = takeover_members_read(k,
					    k->mover_pid > 0 ? getenv(TAKEOVER_TREES_ENV) : NULL);
	ret = ret ?: check_members_netns(k) ?: open_role(k, images + 1);
	if (ret != 0)
		return ret;
	k->listen_fd = listen_socket(k);
	if (k->listen_fd < 0)
		return takeover_keeper_say(k, k->listen_fd,
					   "cannot make a socket in " TAKEOVER_RUN_DIR ": %s",
					   strerror(-k->listen_fd));
	k->lock_fd = open(TAKEOVER_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->lock_fd < 0)
		return takeover_keeper_say(k, -errno, "cannot open " TAKEOVER_RUN_DIR ": %s",
					   strerror(errno));
	return 0;
}

/* Until a worker ends by itself. What arrives meanwhile waits: requests in the
 * socket's backlog, packets in the queue, both of which we hold open. */
static void watch(struct takeover_keeper *k)
{
	for (int i = 0; i < WORKERS_MAX; i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			return;
		if (pid == 0) {
			takeover_worker(k);
			_exit(0);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
		takeover_event(k, "worker died");
	}
}

static bool is_role(const char *name)
{
	return strcmp(name, "source") == 0 || strcmp(name, "destination") == 0 ||
	       strcmp(name, "checkpoint") == 0 || strcmp(name, "standby") == 0;
}

/* -1 for what is none, or less than @least. */
static int number(const char *text, int least)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && value >= least && value <= INT_MAX
		       ? (int)value
		       : -1;
}

int takeover_keeper_main(int argc, char **argv)
{
	struct takeover_reply reply = { 0 };
	struct takeover_keeper *k;

	if (argc != 8 || !is_role(argv[1]) || number(argv[2], 1) < 0 || number(argv[3], 0) < 0 ||
	    argv[4][0] != '/' || number(argv[5], 0) < 0 || number(argv[6], 0) < 0 ||
	    (argv[7][0] != '/' && strcmp(argv[7], "-") != 0)) {
		fprintf(stderr,
			"usage: ip-takeover keeper source|destination|checkpoint CRIU-PID "
			"ROOT-PID|0 IMAGE-DIRECTORY DESCRIPTOR MOVER-PID|0 NETNS|-, or keeper "
			"standby SECONDS 0 /ADDRESS,... DESCRIPTOR MOVER-PID|0 NETNS|-; "
			"criu-action, the plugin and ip-takeover start it\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* Ignored, as criu may have got it, it would let the kernel reap what we wait for. */
	signal(SIGCHLD, SIG_DFL);
	/* A program that a dead worker has left keeps its number until we end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k == MAP_FAILED || chdir("/") < 0)
		return 1;
	takeover_event(k, "started");
	k->checkpoint = strcmp(argv[1], "checkpoint") == 0;
	while (!k->checkpoint && strcmp(argv[1], takeover_role_name(k->role)) != 0)
		k->role++;
	k->criu_pid = number(argv[2], 1);
	/* It works for no criu, and is known by itself. */
	if (k->role == TAKEOVER_STANDBY) {
		k->deadline_ms = takeover_now_ms() + k->criu_pid * 1000L;
		k->criu_pid = getpid();
	}
	k->root_pid = number(argv[3], 0);
	takeover_request_path(k->criu_pid, k->socket, sizeof(k->socket));
	k->criu_started = takeover_request_started(k->criu_pid);
	k->root_known = k->root_pid > 0;
	k->mover_pid = number(argv[6], 0);
	if (k->role == TAKEOVER_SOURCE && k->mover_pid > 0)
		takeover_armed_root(k->root_pid, k->armed, sizeof(k->armed));
	k->criu_fd = k->mover_fd = k->root_fd = k->images_fd = k->listen_fd = -1;
	k->report_fd = number(argv[5], 0);
	reply.ret = open_all(k, argv[4], argv[7]);
	if (reply.ret == 0) {
		watch(k);
		return 0;
	}
	snprintf(reply.message, sizeof(reply.message), "%s", k->message);
	send(k->report_fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	return reply.ret < 0;
}
