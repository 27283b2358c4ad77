/* SPDX-License-Identifier: GPL-2.0-only */
/* One table for plugin and hook: which CRIU stage asks the keeper for what. */
#ifndef TAKEOVER_STAGE_H
#define TAKEOVER_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who asks. @self: this very file, beside which ip-takeover is found. */
struct takeover_stage_context {
	const char *self;
	pid_t criu_pid;
	pid_t root_pid;	    /* the tree's root, 0 when not known */
	const char *images; /* CRIU's image directory */
	pid_t mover;	    /* who decides for both hosts (ip-takeover migrate), or 0 */
	bool checkpoint;    /* a copy is taken: the addresses stay */
	bool rpc;	    /* by a container runtime: armed.h says what for */
	const char *netns;  /* that the tree is restored into, when it is not criu's, or NULL */
	const char *keeper; /* of the leader, when criu_pid is a member's (members.h), or NULL */
};

/* Do what @stage ("pre-dump", "post-restore", ..., or the plugin's "init(DUMP)", "pause(DUMP)",
 * "exit(DUMP)", "init(RESTORE)", "resume-late", "exit(RESTORE)") asks for, with its @value.
 * 0, also for stages that ask for nothing; 1 when there is nothing to take over;
 * else -errno. @line gets one line for CRIU's log, or is made empty. */
int takeover_stage(const struct takeover_stage_context *context, const char *stage, int value,
		   char *line, size_t len);

#endif
