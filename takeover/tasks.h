/* SPDX-License-Identifier: GPL-2.0-only */
/* The tasks behind the sockets of service addresses: whether criu has frozen them, and
 * what becomes of them after a criu that was killed. */
#ifndef TAKEOVER_TASKS_H
#define TAKEOVER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"

/* Processes of this PID namespace with a socket bound to one of the @n addresses, at most
 * @max; how many. */
size_t takeover_tasks_find(const struct takeover_address *addresses, size_t n, pid_t *ret_pids,
			   size_t max);

enum takeover_task {
	TAKEOVER_TASK_GONE,    /* or a zombie, or about to be: killed, exiting */
	TAKEOVER_TASK_STOPPED, /* as criu leaves it with --leave-stopped */
	TAKEOVER_TASK_RUNS,
};

/* A large process takes a while to die after its SIGKILL: it is gone all the same (linux
 * include/linux/sched.h, PF_EXITING). */
enum takeover_task takeover_task_state(pid_t pid);

/* Whether all @n processes are traced by @tracer: criu has frozen them. */
bool takeover_tasks_traced(const pid_t *pids, size_t n, pid_t tracer);

/* Take every TCP socket of the @n addresses out of repair mode, without a window
 * probe, in whichever process of this PID namespace holds it (linux
 * net/ipv4/tcp.c, TCP_REPAIR_OFF_NO_WP). Before that its process would get errors
 * from every send. Needs Linux 5.6 (pidfd_getfd). */
void takeover_tasks_end_repair(const struct takeover_address *addresses, size_t n);

/* Whether any process holds such a socket in repair mode. */
bool takeover_tasks_in_repair(const struct takeover_address *addresses, size_t n);

/* Kill a half-restored tree: the process of the pidfd @root_fd (-1: unknown) with its
 * descendants, and every process that holds a socket of the @n addresses in repair
 * mode. Waits a second at most for them to be gone. Sockets in repair mode close
 * without a FIN or RST. */
void takeover_tasks_kill(int root_fd, const struct takeover_address *addresses, size_t n);

#endif
