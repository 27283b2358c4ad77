/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces (network_namespaces(7)): which one a takeover is in, how to find it again
 * when its keeper is dead, and how to enter it and come back. What a process opens after it has
 * entered one is there: sockets of netlink, of packets, /proc/net and /proc/sys/net (linux
 * fs/proc/proc_net.c, net/sysctl_net.c). Sockets of unix(7) that have a path are for all.
 */
#ifndef TAKEOVER_NETNS_H
#define TAKEOVER_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAKEOVER_NETNS_PATH_LEN 256

/* One; all zero: the host's own, that of PID 1. */
struct takeover_netns {
	uint64_t inode;	 /* of nsfs; the kernel may give it to another when this one is gone */
	uint64_t cookie; /* of SO_NETNS_COOKIE (Linux 5.14), which it never gives again; 0: none */
	char path[TAKEOVER_NETNS_PATH_LEN]; /* by which it was found, or "" */
};

/* That of this process: all zero only when it is known to be the host's own. To a root with fewer
 * rights than PID 1, say in a service unit, the kernel does not show PID 1's (ptrace(2)). */
struct takeover_netns takeover_netns_own(void);

/* Whether @netns is that of this process; of the host's own, as far as can be seen. */
bool takeover_netns_is_own(const struct takeover_netns *netns);

/* Of the one that the socket @fd was made in; 0: the kernel is older than that. */
uint64_t takeover_netns_cookie(int fd);

/* Whether @pid is in that of this process; true, too, when there is no such process. */
bool takeover_netns_has(pid_t pid);

/* Where @netns is to be seen now: in /run/netns (ip-netns(8)) or /run/docker/netns, by the path
 * that it had, or as that of a process, first of one that is not our own. -ENOENT when it is
 * gone. */
int takeover_netns_find(const struct takeover_netns *netns, char *ret_path, size_t len);

/* Enter the one at @path, with the whole process, which has one thread. *@ret_back: for
 * takeover_netns_leave(), -1 when this process was there already. -EINVAL when that is no network
 * namespace, -ENOENT, -EPERM, or other -errno of open(2) and setns(2). */
int takeover_netns_enter_path(const char *path, int *ret_back);

/* Find and enter it. As above; -ENOENT when it is gone. */
int takeover_netns_enter(const struct takeover_netns *netns, int *ret_back);

/* Back to where this process was, and close @back. 0 or -errno. */
int takeover_netns_leave(int back);

#endif
