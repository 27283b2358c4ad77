/* SPDX-License-Identifier: GPL-2.0-only */
/* The root of a tree that criu restores, from the moment that it is forked: CRIU names it only at
 * post-restore, and leaves it waiting for ever when it is killed before. */
#ifndef TAKEOVER_HALF_H
#define TAKEOVER_HALF_H

#include <stddef.h>
#include <sys/types.h>

struct takeover_half {
	pid_t pid;	/* what it will be, 0: not known */
	char criu[256]; /* the beginning of criu's command line, which its forks have */
	size_t n;
};

/* The criu that has begun to restore it. */
void takeover_half_begin(struct takeover_half *half, pid_t criu_pid);

/* Its pidfd, if it is there: a child of @criu_pid, or still a copy of it. Others may have its PID;
 * then criu fails. -1: not there. */
int takeover_half_find(const struct takeover_half *half, pid_t criu_pid);

#endif
