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

/* Whom a stage asks. */
struct way {
	char socket[TAKEOVER_SOCKET_LEN];
	char name[TAKEOVER_ARMED_NAME_LEN]; /* of what was declared for the dump of this tree */
	struct takeover_armed armed;
	bool declared;
	bool begun; /* its keeper was there before criu */
	bool moves; /* somebody decides for both hosts, in his own time */
};

static void find_way(const struct takeover_stage_context *c, struct way *w)
{
	int ret = -ENOENT;

	if (c->rpc && c->root_pid > 0)
		ret = takeover_armed_find(
			takeover_armed_root(c->root_pid, w->name, sizeof(w->name)), &w->armed);
	/* A mover that has ended has told its keeper so; the tasks may not die as of a copy. */
	w->declared = ret == 0 || ret == -ESRCH;
	w->begun = w->declared && w->armed.socket[0];
	w->moves = c->mover > 0 || (w->declared && w->armed.mover > 0);
	if (w->begun)
		snprintf(w->socket, sizeof(w->socket), "%s", w->armed.socket);
	else
		takeover_request_path(c->criu_pid, w->socket, sizeof(w->socket));
}

static int ask(const struct takeover_stage_context *c, const struct stage *stage, int value,
	       const struct way *w, struct takeover_reply *reply)
{
	int ret;

	/* It is to know which criu dumps. */
	if (w->begun && stage->role) {
		ret = takeover_armed_give_images(w->name, c->images);
		return ret < 0 ? ret
			       : takeover_request(w->socket, TAKEOVER_DUMP_BY, c->criu_pid,
						  c->root_pid, reply);
	}
	return (w->moves || c->rpc ? takeover_request_wait : takeover_request)(
		w->socket, stage->verb, value, c->root_pid, reply);
}

/* There is no keeper yet. By a runtime a dump that nobody has declared a takeover takes a copy: the
 * addresses stay. What was declared is so once. */
static int start(const struct takeover_stage_context *c, const struct stage *stage,
		 const struct way *w, struct takeover_reply *reply)
{
	bool copy =
		c->checkpoint || (c->rpc && stage->verb == TAKEOVER_DUMP_PREPARED && !w->declared);
	int ret;

	if (w->declared)
		takeover_disarm(w->name);
	if (w->declared && w->armed.published[0])
		setenv(TAKEOVER_PUBLISHED_ENV, w->armed.published, 1);
	ret = takeover_keeper_start(c->self, copy ? "checkpoint" : stage->role, c->criu_pid,
				    c->root_pid, c->images, c->mover, c->netns, reply);
	if (!c->rpc || !copy || (ret == 0 && reply->ret >= 0))
		return ret;
	/* It is no worse without us. */
	reply->ret = 1;
	return 0;
}

/* Without a keeper here, nobody would decide. */
static bool needs_keeper(const struct stage *stage, const struct way *w)
{
	return w->moves && (stage->role || stage->verb == TAKEOVER_DUMP_WITHDRAW ||
			    stage->verb == TAKEOVER_RESTORE_CLAIM);
}

static void say(const char *name, const struct takeover_reply *reply, char *line, size_t len)
{
	if (reply->message[0])
		snprintf(line, len, "%s: %s", name, reply->message);
	else if (reply->ret < 0)
		snprintf(line, len, "%s: refused: %s", name, strerror(-reply->ret));
}

int takeover_stage(const struct takeover_stage_context *c, const char *name, int value, char *line,
		   size_t len)
{
	const struct stage *stage = find(stages, sizeof(stages) / sizeof(stages[0]), name);
	struct takeover_reply reply = { 0 };
	struct way way = { .declared = false };
	int ret;

	line[0] = '\0';
	if (c->keeper)
		return member_stage(c, name, line, len);
	if (!stage)
		return 0;
	find_way(c, &way);
	ret = ask(c, stage, value, &way, &reply);
	if (ret < 0 && (way.moves || c->rpc) && is_decided(stage->verb, way.socket)) {
		snprintf(line, len, "%s: committed by a keeper that was killed then", name);
		return 0;
	}
	if (ret == -ENOENT && stage->role && !way.begun) {
		ret = start(c, stage, &way, &reply);
		if (ret < 0)
			snprintf(line, len, "%s: cannot start ip-takeover from beside %s: %s", name,
				 c->self, strerror(-ret));
	} else if (ret == -ENOENT && needs_keeper(stage, &way)) {
		snprintf(line, len, "%s: " TAKEOVER_KEEPER_IS_GONE, name);
	} else if (ret == -ENOENT) {
		return 0; /* no takeover here, or done already */
	} else if (ret < 0) {
		snprintf(line, len, "%s: no answer from the keeper: %s; see `ip-takeover status`",
			 name, strerror(-ret));
	}
	if (ret < 0)
		return ret;
	/* A mover does not end a process that has no address to move, nor keeps a copy of one. */
	if (reply.ret > 0 && (way.moves || c->checkpoint))
		reply.ret = -EADDRNOTAVAIL;
	say(name, &reply, line, len);
	return reply.ret;
}
