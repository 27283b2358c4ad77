// SPDX-License-Identifier: GPL-2.0-only
/* CRIU's stages (criu/cr-dump.c, criu/cr-restore.c) as requests to the keeper. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "armed.h"
#include "inner.h"
#include "request.h"
#include "stage.h"

static const struct stage {
	const char *name;
	enum takeover_request_verb verb;
	const char *role; /* start a keeper of this role when there is none */
} stages[] = {
	{ "pre-dump", TAKEOVER_DUMP_PREPARED, "source" },
	{ "init(DUMP)", TAKEOVER_DUMP_PREPARED, "source" },
	{ "pause(DUMP)", TAKEOVER_DUMP_PREPARED, "source" },
	{ "post-dump", TAKEOVER_DUMP_WITHDRAW, NULL },
	{ "exit(DUMP)", TAKEOVER_DUMP_EXIT, NULL },
	{ "init(RESTORE)", TAKEOVER_RESTORE_PREPARED, "destination" },
	{ "pre-restore", TAKEOVER_RESTORE_PREPARED, "destination" },
	{ "post-restore", TAKEOVER_RESTORE_CLAIM, NULL },
	{ "resume-late", TAKEOVER_RESTORE_RELEASE, NULL },
	{ "pre-resume", TAKEOVER_RESTORE_RELEASE, NULL },
	{ "exit(RESTORE)", TAKEOVER_RESTORE_EXIT, NULL },
};

/* Of a tree that moves beside the keeper's own (members.h). */
static const struct stage of_member[] = {
	{ "pre-dump", TAKEOVER_MEMBER_BEGINS, NULL },
	{ "post-dump", TAKEOVER_MEMBER_WAITS, NULL },
	{ "pre-restore", TAKEOVER_MEMBER_BEGINS, NULL },
	{ "post-restore", TAKEOVER_MEMBER_WAITS, NULL },
	{ "pre-resume", TAKEOVER_MEMBER_LEFT_REPAIR, NULL },
};

static const struct stage *find(const struct stage *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

/* The keeper is dead, and had decided: the dumped tasks must not run again, the restored ones
 * must, as those of other trees do. */
static bool is_decided(enum takeover_request_verb verb, const char *socket)
{
	char mark[TAKEOVER_SOCKET_LEN + 16];

	return (verb == TAKEOVER_DUMP_WITHDRAW || verb == TAKEOVER_RESTORE_CLAIM ||
		verb == TAKEOVER_MEMBER_WAITS) &&
	       access(takeover_request_mark(socket, mark, sizeof(mark)), F_OK) == 0;
}

static int member_stage(const struct takeover_stage_context *c, const char *name, char *line,
			size_t len)
{
	const struct stage *stage = find(of_member, sizeof(of_member) / sizeof(of_member[0]), name);
	struct takeover_reply reply = { 0 };
	int ret;

	if (!stage)
		return 0;
	ret = takeover_request_wait(c->keeper, stage->verb, c->criu_pid, c->root_pid, &reply);
	if (ret < 0 && is_decided(stage->verb, c->keeper)) {
		snprintf(line, len, "%s: committed by a keeper that was killed then", name);
		return 0;
	}
	if (ret < 0)
		snprintf(line, len, "%s: " TAKEOVER_KEEPER_IS_GONE ": %s", name, strerror(-ret));
	else if (reply.message[0])
		snprintf(line, len, "%s: %s", name, reply.message);
	else if (reply.ret < 0)
		snprintf(line, len, "%s: refused: %s", name, strerror(-reply.ret));
	return ret < 0 ? ret : reply.ret;
}

/* Of a runtime's criu: what was declared for the dump of this tree. */
struct declared {
	char name[TAKEOVER_ARMED_NAME_LEN];
	struct takeover_armed armed;
	bool found;
};

static void look_up(const struct takeover_stage_context *c, struct declared *d)
{
	int ret = c->rpc && c->root_pid > 0
			  ? takeover_armed_find(
				    takeover_armed_root(c->root_pid, d->name, sizeof(d->name)),
				    &d->armed)
			  : -ENOENT;

	/* A mover that has ended has told its keeper so; the tasks may not die as of a copy. */
	d->found = ret == 0 || ret == -ESRCH;
}

/* Its keeper is there already, and is to know which criu dumps. */
static int dump_by(const struct takeover_stage_context *c, const struct declared *d,
		   struct takeover_reply *reply)
{
	int ret = takeover_armed_give_images(d->name, c->images);

	return ret < 0 ? ret
		       : takeover_request(d->armed.socket, TAKEOVER_DUMP_BY, c->criu_pid,
					  c->root_pid, reply);
}

/* A dump that nobody has declared a takeover takes a copy: the addresses stay. It is once. */
static int start(const struct takeover_stage_context *c, const struct stage *stage,
		 const struct declared *d, struct takeover_reply *reply)
{
	bool copy = c->checkpoint || (c->rpc && stage->verb == TAKEOVER_DUMP_PREPARED && !d->found);
	int ret;

	if (d->found)
		takeover_disarm(d->name);
	if (d->found && d->armed.published[0])
		setenv(TAKEOVER_PUBLISHED_ENV, d->armed.published, 1);
	ret = takeover_keeper_start(c->self, copy ? "checkpoint" : stage->role, c->criu_pid,
				    c->root_pid, c->images, c->mover, c->netns, reply);
	/* It is no worse without us. */
	if (c->rpc && copy && (ret < 0 || reply->ret < 0)) {
		if (ret == 0)
			reply->ret = 1;
		return 0;
	}
	return ret;
}

int takeover_stage(const struct takeover_stage_context *c, const char *name, int value, char *line,
		   size_t len)
{
	struct takeover_reply reply = { 0 };
	char socket[TAKEOVER_SOCKET_LEN];
	const struct stage *stage = find(stages, sizeof(stages) / sizeof(stages[0]), name);
	struct declared declared = { .found = false };
	bool moves;
	int ret;

	line[0] = '\0';
	if (c->keeper)
		return member_stage(c, name, line, len);
	if (!stage)
		return 0;
	look_up(c, &declared);
	moves = c->mover > 0 || (declared.found && declared.armed.mover > 0);
	takeover_request_path(c->criu_pid, socket, sizeof(socket));
	if (declared.found && declared.armed.socket[0])
		snprintf(socket, sizeof(socket), "%s", declared.armed.socket);
	if (declared.found && declared.armed.socket[0] && stage->role)
		ret = dump_by(c, &declared, &reply);
	else
		/* A mover decides at the stages that have a keeper, in its own time. */
		ret = (moves || c->rpc ? takeover_request_wait : takeover_request)(
			socket, stage->verb, value, c->root_pid, &reply);
	if (ret < 0 && (moves || c->rpc) && is_decided(stage->verb, socket)) {
		snprintf(line, len, "%s: committed by a keeper that was killed then", name);
		return 0;
	}
	if (stage->role && ret == -ENOENT && !(declared.found && declared.armed.socket[0])) {
		ret = start(c, stage, &declared, &reply);
		if (ret < 0)
			snprintf(line, len, "%s: cannot start ip-takeover from beside %s: %s", name,
				 c->self, strerror(-ret));
	} else if (ret == -ENOENT && moves &&
		   (stage->role || stage->verb == TAKEOVER_DUMP_WITHDRAW ||
		    stage->verb == TAKEOVER_RESTORE_CLAIM)) {
		snprintf(line, len, "%s: " TAKEOVER_KEEPER_IS_GONE, name);
	} else if (ret == -ENOENT) {
		return 0; /* no takeover here, or done already */
	} else if (ret < 0)
		snprintf(line, len, "%s: no answer from the keeper: %s; see `ip-takeover status`",
			 name, strerror(-ret));
	/* A mover does not end a process that has no address to move, nor keeps a copy of one. */
	if (ret == 0 && reply.ret > 0 && (moves || c->checkpoint))
		reply.ret = -EADDRNOTAVAIL;
	if (ret == 0 && reply.message[0])
		snprintf(line, len, "%s: %s", name, reply.message);
	else if (ret == 0 && reply.ret < 0)
		snprintf(line, len, "%s: refused: %s", name, strerror(-reply.ret));
	return ret < 0 ? ret : reply.ret;
}
