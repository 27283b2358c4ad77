// SPDX-License-Identifier: GPL-2.0-only
/* Facts: how long the peers will wait, as far as one can tell from here. */
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facts_parts.h"

static unsigned int user_timeout(int pidfd, int theirs)
{
	socklen_t len = sizeof(int);
	int protocol = 0, ms = 0, fd = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0 || protocol != IPPROTO_TCP)
		ms = 0;
	else if (getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, &len) < 0)
		ms = 0;
	close(fd);
	return ms;
}

/* The least that any TCP socket of @pid has set, below @least unless that is 0. */
static unsigned int least_timeout(pid_t pid, unsigned int least)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct dirent *de;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = pidfd < 0 ? NULL : opendir(path);
	while (dir && (de = readdir(dir))) {
		unsigned int ms;
		char link[16];

		if (!isdigit(de->d_name[0]) ||
		    readlinkat(dirfd(dir), de->d_name, link, sizeof(link)) < 8 ||
		    memcmp(link, "socket:[", 8) != 0)
			continue;
		ms = user_timeout(pidfd, atoi(de->d_name));
		if (ms != 0 && (least == 0 || ms < least))
			least = ms;
	}
	if (dir)
		closedir(dir);
	if (pidfd >= 0)
		close(pidfd);
	return least;
}

void facts_add_patience(json_t *facts, const struct facts_tree *tree)
{
	unsigned int least = 0, retries = 15; /* tcp(7), the default */
	FILE *f = fopen("/proc/sys/net/ipv4/tcp_retries2", "re");

	if (f) {
		if (fscanf(f, "%u", &retries) != 1)
			retries = 15;
		fclose(f);
	}
	for (size_t i = 0; i < tree->n; i++)
		least = least_timeout(tree->tasks[i].pid, least);
	json_object_set_new(facts, "user_timeout_ms", json_integer(least));
	json_object_set_new(facts, "retries2", json_integer(retries));
}
