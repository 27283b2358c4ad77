/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts about a service and the host that it runs on, in JSON: what another host must know
 * to say whether the service can move there. Collecting them changes nothing.
 */
#ifndef FACTS_H
#define FACTS_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

/* The facts about the trees whose roots are the @n processes @pids; free with json_decref().
 * -ESRCH when one is not there or ends meanwhile, -EINVAL for one that cannot move (a thread,
 * a kernel thread, PID 1, this process or its ancestor, one named twice or with its ancestor),
 * -EXDEV when they are in several network namespaces (the one that they are in is looked at),
 * -EPERM without root, or -errno: @error says which and why. */
int facts_collect(const pid_t *pids, size_t n, json_t **ret_facts, char *error, size_t len);

#endif
