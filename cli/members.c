// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "members.h"
#include "migrate_options.h"
#include "netlink.h"

#define PID_MAX (1 << 22)

void members_init(struct members *members, const pid_t *roots, size_t n)
{
	size_t len = 0;

	*members = (struct members){ .n = n - 1 };
	for (size_t i = 0; i < n; i++) {
		members->roots[i] = roots[i];
		len += snprintf(members->list + len, sizeof(members->list) - len, "%s%d",
				i > 0 ? "," : "", (int)roots[i]);
	}
	members_forget(members);
}

void members_forget(struct members *members)
{
	members->started = false;
	for (size_t i = 0; i < MEMBERS_TREES_MAX - 1; i++)
		members->all[i].criu = (struct criu){ .pidfd = -1, .asked_fd = -1 };
}

json_t *members_give(const struct members *members)
{
	json_t *list = json_array();

	for (size_t i = 0; i <= members->n; i++)
		json_array_append_new(list, json_integer(members->roots[i]));
	return list;
}

int members_take(const json_t *json, struct members *ret_members)
{
	pid_t roots[MEMBERS_TREES_MAX];
	size_t n = json_array_size(json), i;
	const json_t *entry;

	/* A source that knows nothing of several. */
	if (!json) {
		*ret_members = (struct members){ 0 };
		return 0;
	}
	if (n == 0 || n > MEMBERS_TREES_MAX)
		return -EINVAL;
	json_array_foreach(json, i, entry) {
		json_int_t pid = json_integer_value(entry);

		if (pid < 2 || pid > PID_MAX)
			return -EINVAL;
		roots[i] = pid;
	}
	members_init(ret_members, roots, n);
	return 0;
}

static int start(struct members *members, size_t i, const struct criu *leader,
		 const struct place *place, const char *const options[])
{
	bool dump = strcmp(leader->verb, "dump") == 0;
	const char *more[MIGRATE_CRIU_OPTIONS_MAX + 3] = { dump ? "-t" : "-d" };
	struct member *m = &members->all[i];
	char name[24], pid[16];
	size_t n = 1;
	int ret;

	snprintf(pid, sizeof(pid), "%d", (int)members->roots[i + 1]);
	if (dump)
		more[n++] = pid;
	while (*options && n < MIGRATE_CRIU_OPTIONS_MAX + 2)
		more[n++] = *options++;
	snprintf(name, sizeof(name), "%zu", i + 2);
	snprintf(m->images, sizeof(m->images), "%s/%s", place->path, name);
	if (mkdirat(place->fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	ret = criu_start(leader->verb, m->images, more,
			 (const char *const[]){ TAKEOVER_KEEPER_ENV, leader->socket,
						TAKEOVER_TREES_ENV, pid, NULL },
			 &m->criu);
	if (ret == 0)
		place_used_by(place, m->criu.pid);
	return ret;
}

int members_start(struct members *members, const struct criu *leader, const struct place *place,
		  const char *const options[])
{
	int ret = 0;

	if (members->n == 0 || members->started || !criu_keeper_listens(leader))
		return 0;
	members->started = true;
	for (size_t i = 0; i < members->n && ret == 0; i++)
		ret = start(members, i, leader, place, options);
	return ret;
}

bool members_ended(struct members *members)
{
	bool ended = true;

	for (size_t i = 0; i < members->n; i++)
		ended &= criu_ended(&members->all[i].criu);
	return ended;
}

bool members_failed(struct members *members)
{
	for (size_t i = 0; i < members->n; i++) {
		struct criu *criu = &members->all[i].criu;

		if (criu->pid > 0 && criu_ended(criu) && criu->status != 0)
			return true;
	}
	return false;
}

bool members_wait(struct members *members, int timeout_ms)
{
	long deadline = takeover_now_ms() + timeout_ms;
	bool all = true;

	for (size_t i = 0; i < members->n; i++) {
		struct criu *criu = &members->all[i].criu;
		long left = deadline - takeover_now_ms();

		if (criu->pidfd < 0 || criu_wait(criu, left > 0 ? left : 0))
			continue;
		all = false;
		kill(criu->pid, SIGKILL);
		criu_wait(criu, timeout_ms);
	}
	return all;
}

/* False: it does not know either. */
static bool why(struct criu *criu, char *buf, size_t len)
{
	if (criu->pid == 0 || !criu_ended(criu))
		return false;
	criu_why(criu, buf, len);
	return buf[0] && !strstr(buf, TAKEOVER_WAS_ROLLED_BACK) &&
	       !strstr(buf, TAKEOVER_KEEPER_IS_GONE);
}

const char *members_why(struct members *members, struct criu *leader, char *buf, size_t len)
{
	char error[600];

	for (size_t i = 0; i < members->n; i++)
		if (why(&members->all[i].criu, error, sizeof(error))) {
			snprintf(buf, len, "process %d: %s", (int)members->roots[i + 1], error);
			return buf;
		}
	return criu_why(leader, buf, len);
}
