/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several process trees that share their addresses move together. One is the leader: its criu has
 * started the keeper. The others are members, each with a criu of its own, whose action script
 * asks the same keeper. No criu goes on alone:
 *
 *   source        pre-dump    all freeze at one moment, behind the guard
 *                 post-dump   the addresses go when all trees are dumped; then the decision
 *   destination   post-restore  ready when all trees are there; then the decision
 *                 pre-resume    packets flow, and tasks run, when all sockets have left repair mode
 *
 * A criu that ends before its time has the takeover rolled back, for all.
 */
#ifndef TAKEOVER_MEMBERS_H
#define TAKEOVER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "half.h"

#define TAKEOVER_MEMBERS_MAX 15

/* The mover names the roots of the trees, the leader's first, as "PID,PID", to the keeper, which
 * inherits it by criu; and to a member's action script the keeper's socket. */
#define TAKEOVER_TREES_ENV  "IP_TAKEOVER_TREES"
#define TAKEOVER_KEEPER_ENV "IP_TAKEOVER_KEEPER"

struct takeover_keeper;
struct takeover_request;

struct takeover_member {
	pid_t root_pid; /* on the destination: 0 until it is there */
	pid_t criu_pid; /* 0: its criu has not asked yet */
	struct takeover_half half;
	int root_fd;	  /* pidfds, -1: not known, or gone (worker) */
	int criu_fd;	  /* (worker) */
	bool criu_gone;	  /* it has asked, and has ended */
	bool waits;	  /* dumped, or restored, and frozen */
	bool left_repair; /* on the destination: its sockets */
};

/* Of the text @list, NULL or empty: nothing is known. -EINVAL with keeper->message set. */
int takeover_members_read(struct takeover_keeper *keeper, const char *list);

/* In a new worker: pidfds. */
void takeover_members_open(struct takeover_keeper *keeper);

/* One of the TAKEOVER_MEMBER_ requests; as a role's. */
int takeover_members_request(struct takeover_keeper *keeper,
			     const struct takeover_request *request);

/* Whether the criu of each has asked, is at the decision, has its sockets out of repair mode,
 * has ended. Without members all of that is true. */
bool takeover_members_here(const struct takeover_keeper *keeper);
bool takeover_members_wait(const struct takeover_keeper *keeper);
bool takeover_members_left_repair(const struct takeover_keeper *keeper);
bool takeover_members_over(const struct takeover_keeper *keeper);

/* On the destination: look for the roots that criu has forked by now. */
void takeover_members_look(struct takeover_keeper *keeper);

/* The criu of @member has ended. */
void takeover_members_criu_gone(struct takeover_keeper *keeper, struct takeover_member *member);

/* On the destination: kill the half-restored trees whose criu is gone and will not; or @all. */
void takeover_members_kill(struct takeover_keeper *keeper, bool all);

/* On the source: whether a criu of this takeover has frozen every task that is not gone. */
bool takeover_members_frozen(const struct takeover_keeper *keeper);

#endif
