// SPDX-License-Identifier: GPL-2.0-only
/* Judgement: whether the IDs and ports that the service comes with are free. CRIU gives every
 * task its old PID, and every socket its old port. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "sockets.h"
#include "tasks.h"

/* Lines about one thing: some, then how many more. */
struct lines {
	struct checks *c;
	const char *name, *remedy;
	size_t n;
};

static bool next_line(struct lines *lines)
{
	return lines->n++ < JUDGE_LINES_MAX;
}

static void end_lines(const struct lines *lines, const char *all_well)
{
	if (lines->n == 0)
		check_say(lines->c, CHECK_OK, lines->name, NULL, "%s", all_well);
	else if (lines->n > JUDGE_LINES_MAX)
		check_say(lines->c, CHECK_NO, lines->name, lines->remedy, "%zu more",
			  lines->n - JUDGE_LINES_MAX);
}

static int compare_ids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool needed(const struct facts *f, pid_t id)
{
	return id > 0 && bsearch(&id, f->ids, f->n_ids, sizeof(id), compare_ids);
}

static bool exists(pid_t id)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)id);
	return access(path, F_OK) == 0;
}

/* The leader has ended, and its ID lives on with the others. */
static void judge_groups(const struct facts *f, struct lines *lines)
{
	pid_t *pids;
	size_t n;

	if (takeover_tasks_all(&pids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		pid_t group = getpgid(pids[i]), session = getsid(pids[i]);
		char name[32];

		if (needed(f, group) && !exists(group) && next_line(lines))
			check_say(lines->c, CHECK_NO, lines->name, lines->remedy,
				  "%d is the process group of %s (pid %d) here", (int)group,
				  takeover_task_name(pids[i], name, sizeof(name)), (int)pids[i]);
		if (session != group && needed(f, session) && !exists(session) && next_line(lines))
			check_say(lines->c, CHECK_NO, lines->name, lines->remedy,
				  "%d is the session of %s (pid %d) here", (int)session,
				  takeover_task_name(pids[i], name, sizeof(name)), (int)pids[i]);
	}
	free(pids);
}

void judge_ids(const struct facts *f, struct checks *c)
{
	struct lines lines = { c, "PIDs", "end it, or give each host its own range of PIDs", 0 };
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	pid_t most = f->n_ids > 0 ? f->ids[f->n_ids - 1] : 0;
	char all_well[64], name[32];
	int limit = 0;

	if (file) {
		if (fscanf(file, "%d", &limit) != 1)
			limit = 0;
		fclose(file);
	}
	if (limit > 0 && most >= limit && next_line(&lines))
		check_say(c, CHECK_NO, lines.name, "sysctl kernel.pid_max, as on the source",
			  "%d is above this host's kernel.pid_max", (int)most);
	for (size_t i = 0; i < f->n_ids; i++)
		if (exists(f->ids[i]) && next_line(&lines))
			check_say(c, CHECK_NO, lines.name, lines.remedy, "%d is %s here",
				  (int)f->ids[i],
				  takeover_task_name(f->ids[i], name, sizeof(name)));
	judge_groups(f, &lines);
	snprintf(all_well, sizeof(all_well), "all %zu are free", f->n_ids);
	end_lines(&lines, all_well);
}

static bool has_port(const struct takeover_socket *s)
{
	return s->local_port != 0 && !takeover_socket_is_connected(s) &&
	       (s->protocol == IPPROTO_UDP || s->state == TCP_LISTEN);
}

/* Whether both cannot be bound (linux net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict). */
static bool conflict(const struct facts_port *p, const struct takeover_socket *s)
{
	if (p->protocol != s->protocol || p->port != s->local_port)
		return false;
	if (p->family == AF_UNSPEC || (s->dual && p->family == AF_INET))
		return true;
	return p->family == s->family &&
	       (p->wildcard || s->wildcard ||
		memcmp(p->ip, s->local, takeover_family_len(p->family)) == 0);
}

static bool is_multicast(const struct facts_port *p)
{
	return p->family == AF_INET ? p->ip[0] >= 224 : p->ip[0] == 0xff;
}

static bool is_loopback(const struct facts_port *p)
{
	return p->family == AF_INET
		       ? p->ip[0] == 127
		       : memcmp(p->ip, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

/* Bound to an address that does not come along: it must be here. */
static void judge_bound(const struct facts *f, const struct facts_port *p, struct lines *lines)
{
	struct takeover_address a = { .family = p->family };
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool here = false;

	if (p->wildcard || is_loopback(p) || is_multicast(p))
		return;
	memcpy(a.ip, p->ip, sizeof(a.ip));
	for (size_t i = 0; i < f->n_addresses; i++)
		if (takeover_address_equal(&f->addresses[i], &a))
			return;
	if (takeover_address_present(&a, &here) == 0 && !here && next_line(lines))
		check_say(lines->c, CHECK_NO, lines->name,
			  "have the service listen on its service address",
			  "%u is bound to %s, which does not move and is not here", p->port,
			  takeover_address_ip(&a, text, sizeof(text)));
}

static void judge_port(const struct facts_port *p, const struct takeover_sockets *sockets,
		       struct lines *lines)
{
	char name[32];

	for (size_t i = 0; i < sockets->n; i++) {
		const struct takeover_socket *s = &sockets->all[i];

		if (!has_port(s) || !conflict(p, s))
			continue;
		if (next_line(lines))
			check_say(lines->c, CHECK_NO, lines->name, lines->remedy,
				  "%s port %u is taken by %s (pid %d)",
				  p->protocol == IPPROTO_TCP ? "TCP" : "UDP", p->port,
				  takeover_task_name(s->holder, name, sizeof(name)),
				  (int)s->holder);
		return;
	}
}

void judge_ports(const struct facts *f, struct checks *c)
{
	struct lines lines = { c, "ports", "end it, or have it listen on an address of its own",
			       0 };
	struct takeover_sockets sockets;
	int ret = takeover_sockets_list(&sockets);
	char all_well[64];

	if (ret < 0) {
		check_say(c, CHECK_NO, "ports", "see ip-takeover check", "cannot list sockets: %s",
			  strerror(-ret));
		return;
	}
	takeover_sockets_hold(&sockets, 0);
	for (size_t i = 0; i < f->n_ports; i++) {
		judge_port(&f->ports[i], &sockets, &lines);
		judge_bound(f, &f->ports[i], &lines);
	}
	free(sockets.all);
	snprintf(all_well, sizeof(all_well), "all %zu are free", f->n_ports);
	end_lines(&lines, all_well);
}
