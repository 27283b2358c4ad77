// SPDX-License-Identifier: GPL-2.0-only
/* Sockets of tasks, by pidfd_getfd. */
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inner.h"
#include "netlink.h"
#include "netns.h"
#include "task_sockets.h"
#include "tasks.h"

#ifndef TCP_REPAIR_OFF_NO_WP
#define TCP_REPAIR_OFF_NO_WP -1
#endif

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
	takeover_inner_translate(local.family, local.ip);
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

/* The same address is another one in another network namespace. @own: of ours, 0 at first. */
static bool is_here(int fd, uint64_t *own)
{
	if (*own == 0) {
		int ours = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		*own = ours < 0 ? 0 : takeover_netns_cookie(ours);
		if (ours >= 0)
			close(ours);
	}
	return takeover_netns_cookie(fd) == *own || *own == 0 ||
	       takeover_inner_has(takeover_netns_cookie(fd));
}

/* Calls @fn with a copy of each socket of @pid that passes @test; without @fn the first is
 * enough. Whether there was any. */
static bool each_socket(pid_t pid, const struct takeover_address *addresses, size_t n,
			socket_test *test, void (*fn)(int fd))
{
	bool found = false;
	struct dirent *de;
	uint64_t own = 0;
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
		if (test(fd, addresses, n) && is_here(fd, &own)) {
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
