// SPDX-License-Identifier: GPL-2.0-only
/* The trees beside the leader's: whose criu is where, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper.h"
#include "task_sockets.h"
#include "tasks.h"

static void add(struct takeover_keeper *k, pid_t root)
{
	bool source = k->role == TAKEOVER_SOURCE;

	k->members[k->n_members++] = (struct takeover_member){
		.root_pid = source ? root : 0,
		.root_fd = -1,
		.criu_fd = -1,
		.half.pid = source ? 0 : root,
	};
}

int takeover_members_read(struct takeover_keeper *k, const char *list)
{
	for (bool leader = true; list && *list; leader = false) {
		char *end;
		long pid = strtol(list, &end, 10);

		if (*list < '1' || *list > '9' || pid > 1 << 22 || (*end && *end != ',') ||
		    (!leader && k->n_members == TAKEOVER_MEMBERS_MAX))
			return takeover_keeper_say(k, -EINVAL,
						   TAKEOVER_TREES_ENV ": expected at most %d "
								      "PIDs, as 12,34",
						   TAKEOVER_MEMBERS_MAX + 1);
		if (!leader)
			add(k, pid);
		else if (k->role == TAKEOVER_DESTINATION)
			k->half.pid = pid;
		list = *end ? end + 1 : end;
	}
	takeover_half_begin(&k->half, k->criu_pid);
	return 0;
}

static int open_pid(pid_t pid)
{
	return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

void takeover_members_open(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++) {
		struct takeover_member *m = &k->members[i];

		m->root_fd = open_pid(m->root_pid);
		m->criu_fd = m->criu_gone ? -1 : open_pid(m->criu_pid);
	}
}

/* Whose criu asks, by the tree's root. */
static struct takeover_member *find(struct takeover_keeper *k, const struct takeover_request *r)
{
	struct takeover_member *mine = NULL;

	for (size_t i = 0; i < k->n_members; i++)
		if (r->value > 0 && k->members[i].criu_pid == r->value)
			return &k->members[i];
	for (size_t i = 0; i < k->n_members && !mine; i++)
		if (k->members[i].criu_pid == 0 &&
		    (k->members[i].root_pid ?: k->members[i].half.pid) == r->root_pid)
			mine = &k->members[i];
	if (!mine || r->value == 0 || r->verb != TAKEOVER_MEMBER_BEGINS)
		return NULL;
	mine->criu_fd = open_pid(r->value);
	if (mine->criu_fd < 0)
		return NULL;
	mine->criu_pid = r->value;
	takeover_half_begin(&mine->half, mine->criu_pid);
	return mine;
}

/* What it asks for is nobody's news a second time: a deferred request comes again and again. */
static void notice(struct takeover_keeper *k, bool *flag)
{
	k->news |= !*flag;
	*flag = true;
}

static int rolled_back(struct takeover_keeper *k, struct takeover_member *m,
		       const struct takeover_request *r)
{
	/* criu does not listen at this stage, and would let the tasks run. */
	if (r->verb == TAKEOVER_MEMBER_LEFT_REPAIR)
		takeover_tasks_kill(m->root_fd, k->manifest->addresses, k->manifest->n_addresses);
	return -ECANCELED;
}

int takeover_members_request(struct takeover_keeper *k, const struct takeover_request *r)
{
	bool source = k->role == TAKEOVER_SOURCE;
	struct takeover_member *m = find(k, r);

	if (!m)
		return takeover_keeper_say(k, -ESRCH, "criu (pid %d) has no part in this takeover",
					   (int)r->value);
	/* Before, the PID is nobody's, or another's. */
	if (m->root_fd < 0 && r->root_pid > 0 && r->verb != TAKEOVER_MEMBER_BEGINS) {
		m->root_pid = r->root_pid;
		m->root_fd = open_pid(r->root_pid);
	}
	if (k->state == TAKEOVER_ROLLED_BACK || k->state == TAKEOVER_ABANDONED || k->returning)
		return rolled_back(k, m, r);
	switch (r->verb) {
	case TAKEOVER_MEMBER_BEGINS:
		return !source || takeover_members_here(k) ? 0 : -EINPROGRESS;
	case TAKEOVER_MEMBER_WAITS:
		notice(k, &m->waits);
		return k->state >= (source ? TAKEOVER_COMMITTED : TAKEOVER_CLAIMED) ? 0
										    : -EINPROGRESS;
	case TAKEOVER_MEMBER_LEFT_REPAIR:
		notice(k, &m->left_repair);
		return k->state >= TAKEOVER_RELEASED ? 0 : -EINPROGRESS;
	}
	return -EINVAL;
}

bool takeover_members_here(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (k->members[i].criu_pid == 0)
			return false;
	return true;
}

bool takeover_members_wait(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (!k->members[i].waits)
			return false;
	return true;
}

bool takeover_members_left_repair(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (!k->members[i].left_repair)
			return false;
	return true;
}

bool takeover_members_over(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (k->members[i].criu_pid > 0 && !k->members[i].criu_gone)
			return false;
	return true;
}

/* Of one tree: its root's pidfd, if it is known by now. */
static void look(const struct takeover_half *half, pid_t criu_pid, pid_t *root_pid, int *root_fd)
{
	if (*root_fd >= 0)
		return;
	*root_fd = takeover_half_find(half, criu_pid);
	if (*root_fd >= 0)
		*root_pid = half->pid;
}

void takeover_members_look(struct takeover_keeper *k)
{
	look(&k->half, k->criu_pid, &k->root_pid, &k->root_fd);
	for (size_t i = 0; i < k->n_members; i++) {
		struct takeover_member *m = &k->members[i];

		look(&m->half, m->criu_pid, &m->root_pid, &m->root_fd);
	}
}

void takeover_members_criu_gone(struct takeover_keeper *k, struct takeover_member *m)
{
	/* Ended when no worker looked, nobody knows how. */
	bool killed = m->criu_fd < 0 || takeover_task_was_killed(m->criu_pid, m->criu_fd);

	if (m->criu_fd >= 0)
		close(m->criu_fd);
	m->criu_fd = -1;
	m->criu_gone = true;
	if (k->role == TAKEOVER_SOURCE)
		takeover_source_member_gone(k, m, killed);
	else
		takeover_destination_member_gone(k, m);
}

void takeover_members_kill(struct takeover_keeper *k, bool all)
{
	for (size_t i = 0; i < k->n_members; i++)
		if (all || k->members[i].criu_gone)
			takeover_tasks_kill(k->members[i].root_fd, k->manifest->addresses,
					    k->manifest->n_addresses);
}

bool takeover_members_frozen(const struct takeover_keeper *k)
{
	pid_t criu[TAKEOVER_MEMBERS_MAX + 1] = { k->criu_pid };
	size_t n = 1;

	for (size_t i = 0; i < k->n_members; i++)
		if (k->members[i].criu_pid > 0)
			criu[n++] = k->members[i].criu_pid;
	return takeover_tasks_traced(k->tasks, k->n_tasks, criu, n);
}
