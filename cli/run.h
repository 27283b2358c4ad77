/* SPDX-License-Identifier: GPL-2.0-only */
/* Another program, bounded in time and in what is kept of its output. */
#ifndef RUN_H
#define RUN_H

#include <stddef.h>

#define RUN_OUTPUT_MAX (64 * 1024)

/* Run @argv[0] (a path) without a shell and without input; both its outputs go to @buf, of
 * @len bytes, as a string: what is longer is read and forgotten. @env (may be NULL) is one
 * "NAME=value" for it. After @timeout_ms its process group is killed: -ETIMEDOUT. Else 0 and
 * *@ret_status as of waitpid(), or -errno when it cannot be run. */
int cli_run(const char *const argv[], const char *env, int timeout_ms, char *buf, size_t len,
	    int *ret_status);

#endif
