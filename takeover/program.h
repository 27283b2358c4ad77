/* SPDX-License-Identifier: GPL-2.0-only */
/* A program of the user's: whether it is fit to be run as root, and a run of it that blocks
 * nobody and is bounded in time and in what is kept of its output. */
#ifndef TAKEOVER_PROGRAM_H
#define TAKEOVER_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TAKEOVER_PROGRAM_LINE 160

/* One run; all zero: none. May lie in memory that a worker leaves to the next. */
struct takeover_program {
	pid_t pid;    /* 0: none */
	pid_t parent; /* the process that has started it */
	int output_fd;
	long since_ms, deadline_ms;
	bool late; /* killed */
	char line[TAKEOVER_PROGRAM_LINE], last[TAKEOVER_PROGRAM_LINE];
};

/* Whether @path, absolute, is a file that root or we own, that nobody else may write or put
 * another one in place of, and that is executable. -errno with @error saying what is wrong, and
 * what to do about it. */
int takeover_program_check(const char *path, char *error, size_t len);

/* Run @path with the one argument @verb and nothing in its environment but @env: without a
 * shell, its input /dev/null, both its outputs a pipe of ours, no other descriptor, in a session
 * of its own, in the host's network namespace. It dies with us. -errno when it cannot be. */
int takeover_program_start(struct takeover_program *program, const char *path, const char *verb,
			   char *const env[], int timeout_ms);

/* Whether this process has one at work. */
bool takeover_program_runs(const struct takeover_program *program);

/* -EINPROGRESS while it runs; 0 when it has ended, *@ret_status as of waitpid(); -ETIMEDOUT
 * when its time was over. Its process group ends with it: who has inherited its output does not
 * count. program->last is then the last line that it has written, printable. */
int takeover_program_go_on(struct takeover_program *program, int *ret_status);

/* Kill it and its group, if it runs, be it a child of a process that has died. */
void takeover_program_end(struct takeover_program *program);

#endif
