// SPDX-License-Identifier: GPL-2.0-only
/* Tasks by /proc, their sockets by pidfd_getfd. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netlink.h"
#include "tasks.h"

#ifndef TCP_REPAIR_OFF_NO_WP
#define TCP_REPAIR_OFF_NO_WP -1
#endif

#define PF_EXITING 0x00000004

#define GONE_MS 1000

typedef bool socket_test(int fd, const struct takeover_address *addresses, size_t n);

/* A socket bound to one of the addresses. */
static bool is_ours(int fd, const struct takeover_address *addresses, size_t n)
{
	struct sockaddr_storage name;
	struct takeover_address local = { 0 };
	socklen_t len = sizeof(name);

	if (getsockname(fd, (void *)&name, &len) < 0)
		return false;
	local.family = name.ss_family;
	if (name.ss_family == AF_INET) {
		memcpy(local.ip, &((struct sockaddr_in *)&name)->sin_addr, 4);
	} else if (name.ss_family == AF_INET6) {
		const struct in6_addr *ip = &((struct sockaddr_in6 *)&name)->sin6_addr;

		/* An IPv4 connection of a dual-stack socket. */
		if (IN6_IS_ADDR_V4MAPPED(ip)) {
			local.family = AF_INET;
			memcpy(local.ip, ip->s6_addr + 12, 4);
		} else {
			memcpy(local.ip, ip, 16);
		}
	}
	for (size_t i = 0; i < n; i++)
		if (takeover_address_equal(&local, &addresses[i]))
			return true;
	return false;
}

static bool in_repair(int fd, const struct takeover_address *addresses, size_t n)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &value, &len) == 0 && value != 0 &&
	       is_ours(fd, addresses, n);
}

static bool is_connected(int fd, const struct takeover_address *addresses, size_t n)
{
	socklen_t peer_len = sizeof(struct sockaddr_storage), len = sizeof(int);
	struct sockaddr_storage peer;
	int protocol = 0;

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	       protocol == IPPROTO_TCP && getpeername(fd, (void *)&peer, &peer_len) == 0 &&
	       is_ours(fd, addresses, n);
}

/* Calls @fn with a copy of each socket of @pid that passes @test; without @fn the first is
 * enough. Whether there was any. */
static bool each_socket(pid_t pid, const struct takeover_address *addresses, size_t n,
			socket_test *test, void (*fn)(int fd))
{
	bool found = false;
	struct dirent *de;
	char path[64];
	int pidfd;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	pidfd = dir ? syscall(SYS_pidfd_open, pid, 0) : -1;
	while (pidfd >= 0 && !(found && !fn) && (de = readdir(dir))) {
		char link[16];
		int fd;

		if (!isdigit(de->d_name[0]) ||
		    readlinkat(dirfd(dir), de->d_name, link, sizeof(link)) < 8 ||
		    memcmp(link, "socket:[", 8) != 0)
			continue;
		fd = syscall(SYS_pidfd_getfd, pidfd, atoi(de->d_name), 0);
		if (fd < 0)
			continue;
		if (test(fd, addresses, n)) {
			found = true;
			if (fn)
				fn(fd);
		}
		close(fd);
	}
	if (pidfd >= 0)
		close(pidfd);
	if (dir)
		closedir(dir);
	return found;
}

static void end_repair(int fd)
{
	int off = TCP_REPAIR_OFF_NO_WP;

	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
}

/* From here on it closes without a FIN, and leaves nothing behind (linux net/ipv4/tcp.c,
 * __tcp_close). */
static void begin_repair(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
}

int takeover_tasks_all(pid_t **ret_pids, size_t *ret_n)
{
	DIR *dir = opendir("/proc");
	size_t n = 0, capacity = 0;
	pid_t *pids = NULL;
	struct dirent *de;

	if (!dir)
		return -errno;
	while ((de = readdir(dir))) {
		if (!isdigit(de->d_name[0]) || atoi(de->d_name) == getpid())
			continue;
		if (n == capacity) {
			pid_t *more;

			capacity = capacity ? capacity * 2 : 256;
			more = realloc(pids, capacity * sizeof(*pids));
			if (!more)
				break;
			pids = more;
		}
		pids[n++] = atoi(de->d_name);
	}
	closedir(dir);
	*ret_pids = pids;
	*ret_n = n;
	return 0;
}

static void each_socket_of_all(const struct takeover_address *addresses, size_t n,
			       socket_test *test, void (*fn)(int fd))
{
	pid_t *pids;
	size_t n_pids;

	if (takeover_tasks_all(&pids, &n_pids) < 0)
		return;
	for (size_t i = 0; i < n_pids; i++)
		each_socket(pids[i], addresses, n, test, fn);
	free(pids);
}

void takeover_tasks_each_in_repair(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd))
{
	each_socket_of_all(addresses, n, in_repair, fn);
}

void takeover_tasks_each_connected(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd))
{
	each_socket_of_all(addresses, n, is_connected, fn);
}

void takeover_tasks_end_repair(const struct takeover_address *addresses, size_t n)
{
	takeover_tasks_each_in_repair(addresses, n, end_repair);
}

void takeover_tasks_end_repair_of(const pid_t *pids, size_t n_pids,
				  const struct takeover_address *addresses, size_t n)
{
	for (size_t i = 0; i < n_pids; i++)
		each_socket(pids[i], addresses, n, in_repair, end_repair);
}

bool takeover_task_traced(pid_t pid, pid_t tracer)
{
	char path[64], line[256];
	int by = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && by == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %d", &by);
	if (f)
		fclose(f);
	return by == tracer;
}

const char *takeover_task_name(pid_t pid, char *buf, size_t len)
{
	char path[64];
	FILE *f;

	snprintf(buf, len, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return buf;
	if (fgets(buf, len, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
	/* Its own choice (prctl(2), PR_SET_NAME), and it gets into logs and journals. */
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return buf;
}

bool takeover_tasks_in_repair(const struct takeover_address *addresses, size_t n)
{
	bool found = false;
	size_t n_pids;
	pid_t *pids;

	if (takeover_tasks_all(&pids, &n_pids) < 0)
		return false;
	for (size_t i = 0; i < n_pids && !found; i++)
		found = each_socket(pids[i], addresses, n, in_repair, NULL);
	free(pids);
	return found;
}

/* The fields of /proc/PID/stat that follow the name, from the state on; empty when the
 * process is gone. */
static const char *stat_of(pid_t pid, char *buf, size_t len)
{
	char path[64], *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return "";
	/* A name may contain anything, a newline, too. */
	buf[fread(buf, 1, len - 1, f)] = '\0';
	rest = strrchr(buf, ')');
	fclose(f);
	return rest && strlen(rest) > 4 ? rest + 2 : "";
}

static pid_t parent_of(pid_t pid)
{
	char buf[1024];
	int parent = 0;

	sscanf(stat_of(pid, buf, sizeof(buf)), "%*c %d", &parent);
	return parent;
}

/* linux include/uapi/linux/pidfd.h, since 6.15: the exit code outlives the zombie. */
struct pidfd_info_exit {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};

#define INFO_EXIT (1U << 3)
#define GET_INFO  _IOWR(0xFF, 11, struct pidfd_info_exit)

bool takeover_task_was_killed(pid_t pid, int pidfd)
{
	struct pidfd_info_exit info = { .mask = INFO_EXIT };
	char buf[1024], state = 0;
	const char *rest = stat_of(pid, buf, sizeof(buf));
	int code = 0;

	/* A zombie has it in the last field (linux fs/proc/array.c). */
	if (sscanf(rest, "%c", &state) == 1 && state == 'Z')
		code = atoi(strrchr(rest, ' ') + 1);
	else if (ioctl(pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT))
		code = info.exit_code;
	return WIFSIGNALED(code);
}

/* Whether SIGKILL waits for the thread or its process. */
static bool kill_pending(pid_t pid)
{
	unsigned long long pending, all = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %llx", &pending) == 1 ||
		    sscanf(line, "ShdPnd: %llx", &pending) == 1)
			all |= pending;
	if (f)
		fclose(f);
	return all & 1ULL << (SIGKILL - 1);
}

enum takeover_task takeover_task_state(pid_t pid)
{
	unsigned int flags = 0;
	char buf[1024], state;

	if (sscanf(stat_of(pid, buf, sizeof(buf)), "%c %*d %*d %*d %*d %*d %u", &state, &flags) !=
	    2)
		return TAKEOVER_TASK_GONE;
	if (strchr("ZX", state) || (flags & PF_EXITING) || kill_pending(pid))
		return TAKEOVER_TASK_GONE;
	return state == 'T' ? TAKEOVER_TASK_STOPPED : TAKEOVER_TASK_RUNS;
}

bool takeover_tasks_traced(const pid_t *pids, size_t n, pid_t tracer)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool traced = takeover_task_traced(pids[i], tracer);

		if (!traced && takeover_task_state(pids[i]) != TAKEOVER_TASK_GONE)
			return false;
		any |= traced;
	}
	return any;
}

bool takeover_task_descends(pid_t pid, pid_t root)
{
	for (int depth = 0; depth < 64 && pid > 1; depth++) {
		if (pid == root)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

/* The PID behind a pidfd, 0 when its process is gone. */
static pid_t pid_of(int pidfd)
{
	char path[64], line[128];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = pidfd >= 0 ? fopen(path, "re") : NULL;
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Pid: %d", &pid);
	fclose(f);
	return pid > 0 ? pid : 0;
}

void takeover_tasks_kill(int root_fd, const struct takeover_address *addresses, size_t n)
{
	long deadline = takeover_now_ms() + GONE_MS;
	pid_t *pids, root = pid_of(root_fd);
	size_t n_pids, n_killed = 0;
	int *killed;

	if (takeover_tasks_all(&pids, &n_pids) < 0)
		return;
	killed = calloc(n_pids, sizeof(*killed));
	for (size_t i = 0; killed && i < n_pids; i++) {
		int fd;

		if (!(root > 0 && takeover_task_descends(pids[i], root)) &&
		    !each_socket(pids[i], addresses, n, in_repair, NULL))
			continue;
		each_socket(pids[i], addresses, n, is_connected, begin_repair);
		fd = syscall(SYS_pidfd_open, pids[i], 0);
		if (fd >= 0)
			killed[n_killed++] = fd;
	}
	for (size_t i = 0; i < n_killed; i++)
		syscall(SYS_pidfd_send_signal, killed[i], SIGKILL, NULL, 0);
	for (size_t i = 0; i < n_killed; i++) {
		struct pollfd pfd = { .fd = killed[i], .events = POLLIN };
		long left = deadline - takeover_now_ms();

		poll(&pfd, 1, left > 0 ? left : 0);
		close(killed[i]);
	}
	free(killed);
	free(pids);
}
