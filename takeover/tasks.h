/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks: what they are to one another, whether criu has frozen them, whether they live. */
#ifndef TAKEOVER_TASKS_H
#define TAKEOVER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Every process of this PID namespace but ourselves; free() *@ret_pids. */
int takeover_tasks_all(pid_t **ret_pids, size_t *ret_n);

/* 0 when it is gone. */
pid_t takeover_task_parent(pid_t pid);

/* Whether @pid is @root or descends from it. */
bool takeover_task_descends(pid_t pid, pid_t root);

/* Its name as in /proc/PID/comm, "?" when it is gone; returns @buf. */
const char *takeover_task_name(pid_t pid, char *buf, size_t len);

enum takeover_task {
	TAKEOVER_TASK_GONE,    /* or a zombie, or about to be: killed, exiting */
	TAKEOVER_TASK_STOPPED, /* as criu leaves it with --leave-stopped */
	TAKEOVER_TASK_RUNS,
};

/* A large process takes a while to die after its SIGKILL: it is gone all the same (linux
 * include/linux/sched.h, PF_EXITING). */
enum takeover_task takeover_task_state(pid_t pid);

/* Whether the process that @pidfd stood for, once @pid, was ended by a signal. False also when
 * the kernel does not tell (before Linux 6.15, and its parent was faster than we). */
bool takeover_task_was_killed(pid_t pid, int pidfd);

/* Whether @tracer traces it: criu has frozen it. */
bool takeover_task_traced(pid_t pid, pid_t tracer);

/* Whether one of the @tracers traces each of the @n processes that are not gone, and any at
 * all. */
bool takeover_tasks_traced(const pid_t *pids, size_t n, const pid_t *tracers, size_t n_tracers);

#endif
