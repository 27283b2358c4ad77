// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"
#include "tasks.h"

#define OWN  "/proc/self/ns/net"
#define HOST "/proc/1/ns/net"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* linux include/uapi/asm-generic/socket.h */
#endif

/* Of nsfs, as our own: an inode's number alone says little. 0 when it is not. */
static uint64_t inode_of(const char *path)
{
	struct stat own, its;

	if (stat(path, &its) < 0 || stat(OWN, &own) < 0 || its.st_dev != own.st_dev)
		return 0;
	return its.st_ino;
}

uint64_t takeover_netns_cookie(int fd)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0 ? 0 : cookie;
}

static uint64_t own_cookie(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = fd < 0 ? 0 : takeover_netns_cookie(fd);

	if (fd >= 0)
		close(fd);
	return cookie;
}

struct takeover_netns takeover_netns_own(void)
{
	struct takeover_netns own = { .inode = inode_of(OWN), .cookie = own_cookie() };

	return own.inode == inode_of(HOST) ? (struct takeover_netns){ 0 } : own;
}

bool takeover_netns_is_own(const struct takeover_netns *netns)
{
	uint64_t own = inode_of(OWN), hosts = inode_of(HOST), cookie;

	/* Who may not look at PID 1 may not enter its namespace, either. */
	if (netns->inode == 0)
		return hosts == 0 || hosts == own;
	if (netns->inode != own)
		return false;
	cookie = own_cookie();
	return cookie == netns->cookie || cookie == 0 || netns->cookie == 0;
}

bool takeover_netns_has(pid_t pid)
{
	char path[64];
	uint64_t its;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	its = inode_of(path);
	return its == 0 || its == inode_of(OWN);
}

static bool find_in(const char *dir, uint64_t inode, char *ret_path, size_t len)
{
	DIR *names = opendir(dir);
	bool found = false;
	struct dirent *de;

	while (names && !found && (de = readdir(names))) {
		int n = snprintf(ret_path, len, "%s/%s", dir, de->d_name);

		found = n > 0 && (size_t)n < len && inode_of(ret_path) == inode;
	}
	if (names)
		closedir(names);
	return found;
}

/* A keeper says nothing of whose namespace it is. */
static bool find_process(uint64_t inode, bool keepers, char *ret_path, size_t len)
{
	DIR *proc = opendir("/proc");
	bool found = false;
	struct dirent *de;
	char name[32];

	while (proc && !found && (de = readdir(proc))) {
		int n = snprintf(ret_path, len, "/proc/%s/ns/net", de->d_name);

		found = de->d_name[0] >= '1' && de->d_name[0] <= '9' && n > 0 && (size_t)n < len &&
			inode_of(ret_path) == inode &&
			(strncmp(takeover_task_name(atoi(de->d_name), name, sizeof(name)),
				 "ip-takeover", 11) == 0) == keepers;
	}
	if (proc)
		closedir(proc);
	return found;
}

int takeover_netns_find(const struct takeover_netns *netns, char *ret_path, size_t len)
{
	uint64_t inode = netns->inode;

	if (inode == 0) {
		snprintf(ret_path, len, HOST);
		return 0;
	}
	if (find_in("/run/netns", inode, ret_path, len) ||
	    find_in("/run/docker/netns", inode, ret_path, len))
		return 0;
	if (netns->path[0] == '/' && inode_of(netns->path) == inode) {
		snprintf(ret_path, len, "%s", netns->path);
		return 0;
	}
	if (find_process(inode, false, ret_path, len) || find_process(inode, true, ret_path, len))
		return 0;
	return -ENOENT;
}

int takeover_netns_enter_path(const char *path, int *ret_back)
{
	int fd, back, ret = 0;

	/* To stay needs no right. */
	if (inode_of(path) != 0 && inode_of(path) == inode_of(OWN)) {
		*ret_back = -1;
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	back = open(OWN, O_RDONLY | O_CLOEXEC);
	if (back < 0 || setns(fd, CLONE_NEWNET) < 0)
		ret = -errno;
	close(fd);
	if (ret < 0 && back >= 0)
		close(back);
	if (ret == 0)
		*ret_back = back;
	return ret;
}

int takeover_netns_enter(const struct takeover_netns *netns, int *ret_back)
{
	char path[TAKEOVER_NETNS_PATH_LEN] = OWN;
	int back, ret;

	ret = takeover_netns_is_own(netns) ? 0 : takeover_netns_find(netns, path, sizeof(path));
	ret = ret ?: takeover_netns_enter_path(path, &back);
	if (ret < 0)
		return ret;
	/* Its number is another's by now. */
	if (!takeover_netns_is_own(netns)) {
		ret = takeover_netns_leave(back);
		return ret < 0 ? ret : -ENOENT;
	}
	*ret_back = back;
	return 0;
}

int takeover_netns_leave(int back)
{
	int ret;

	if (back < 0)
		return 0;
	ret = setns(back, CLONE_NEWNET) < 0 ? -errno : 0;
	close(back);
	return ret;
}
