// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRIU's own locks. One keeps the kernel from answering, with an RST, for a connection whose
 * process is dumped: in use while this host has the local address and no such socket. It is
 * stale when the address is gone from here, or when the connection lives here and is locked
 * out.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "locks.h"
#include "sockets.h"

struct here {
	struct ifaddrs *addresses;
	struct takeover_sockets sockets;
};

/* The PID of a criu at work, or 0. */
static pid_t find_criu(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	pid_t criu = 0;

	while (dir && criu == 0 && (de = readdir(dir))) {
		char path[300], comm[32] = "";
		FILE *f;

		if (atoi(de->d_name) <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", de->d_name);
		f = fopen(path, "re");
		if (f && fgets(comm, sizeof(comm), f) && strcmp(comm, "criu\n") == 0)
			criu = atoi(de->d_name);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return criu;
}

static bool has_address(const struct here *here, int family, const unsigned char *ip)
{
	for (const struct ifaddrs *i = here->addresses; i; i = i->ifa_next) {
		const struct sockaddr *sa = i->ifa_addr;

		if (!sa || sa->sa_family != family)
			continue;
		if (family == AF_INET
			    ? memcmp(&((const struct sockaddr_in *)sa)->sin_addr, ip, 4) == 0
			    : memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr, ip, 16) == 0)
			return true;
	}
	return false;
}

static bool has_socket(const struct here *here, int family, const unsigned char *local,
		       uint16_t local_port, const unsigned char *remote, uint16_t remote_port)
{
	size_t len = takeover_family_len(family);

	for (size_t i = 0; i < here->sockets.n; i++) {
		const struct takeover_socket *s = &here->sockets.all[i];

		if (s->family == family && s->local_port == local_port &&
		    s->remote_port == remote_port && memcmp(s->local, local, len) == 0 &&
		    memcmp(s->remote, remote, len) == 0)
			return true;
	}
	return false;
}

/* As what comes in: its "to" is the local end. */
static bool end_is_stale(const struct here *here, const struct takeover_lock *l, bool in)
{
	const unsigned char *local = in ? l->to : l->from, *remote = in ? l->from : l->to;

	return !has_address(here, l->ip_family, local) ||
	       has_socket(here, l->ip_family, local, in ? l->to_port : l->from_port, remote,
			  in ? l->from_port : l->to_port);
}

static bool is_stale(const struct here *here, const struct takeover_lock *l)
{
	if (l->ip_family == 0)
		return true;
	/* Of an element it is not known which end is the local one. */
	if (!l->chain[0])
		return end_is_stale(here, l, true) && end_is_stale(here, l, false);
	return end_is_stale(here, l, strcmp(l->chain, "INPUT") == 0);
}

static const char *name(const struct takeover_lock *l, size_t n, char *buf, size_t len)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (l->ip_family == 0) {
		snprintf(buf, len, "table inet %s, CRIU's lock of nothing", l->table);
		return buf;
	}
	inet_ntop(l->ip_family, l->from, from, sizeof(from));
	inet_ntop(l->ip_family, l->to, to, sizeof(to));
	if (l->chain[0])
		snprintf(buf, len,
			 "rule of iptables in %s, CRIU's lock from %s port %u to %s port %u",
			 l->chain, from, l->from_port, to, l->to_port);
	else
		snprintf(buf, len,
			 "table inet %s, CRIU's lock of %zu connections, one between %s port %u "
			 "and %s port %u",
			 l->table, (n + 1) / 2, from, l->from_port, to, l->to_port);
	return buf;
}

/* @n locks of one table, or one rule. */
static void clean_lock(struct clean *c, const struct here *here, struct takeover_lock *l, size_t n)
{
	struct takeover_locks locks = { l, n };
	bool stale = true;
	char text[300];
	int ret;

	for (size_t i = 0; i < n && stale; i++)
		stale = is_stale(here, &l[i]);
	name(l, n, text, sizeof(text));
	if (!stale) {
		clean_keeps("%s: without it this host would answer for a "
			    "dumped process with an RST",
			    text);
		return;
	}
	if (!clean_removes(c, "%s", text))
		return;
	ret = takeover_locks_remove(&locks);
	if (ret < 0)
		clean_fails(c, "cannot remove it", ret);
}

void clean_locks(struct clean *c)
{
	struct here here = { 0 };
	struct takeover_locks locks = { 0 };
	size_t end;
	int ret;

	ret = takeover_locks_list(&locks);
	if (ret == 0 && locks.n > 0)
		ret = getifaddrs(&here.addresses) < 0 ? -errno
						      : takeover_sockets_list(&here.sockets);
	if (ret < 0)
		clean_fails(c, "cannot look for CRIU's locks", ret);
	/* The last thing to look at: one that has begun since has its locks in another list. */
	if (ret == 0 && locks.n > 0 && find_criu() > 0) {
		clean_keeps("CRIU's locks: a criu is at work (pid %d)", (int)find_criu());
		ret = -EBUSY;
	}
	for (size_t i = 0; ret == 0 && i < locks.n; i = end) {
		end = i + 1;
		while (!locks.all[i].chain[0] && end < locks.n && !locks.all[end].chain[0] &&
		       strcmp(locks.all[i].table, locks.all[end].table) == 0)
			end++;
		clean_lock(c, &here, &locks.all[i], end - i);
	}
	freeifaddrs(here.addresses);
	free(here.sockets.all);
	free(locks.all);
}
