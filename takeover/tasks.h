/* SPDX-License-Identifier: GPL-2.0-only */
/* The tasks behind the sockets of service addresses: whether criu has frozen them, and
 * what becomes of them after a criu that was killed. */
#ifndef TAKEOVER_TASKS_H
#define TAKEOVER_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"

/* Every process of this PID namespace but ourselves; free() *@ret_pids. */
int takeover_tasks_all(pid_t **ret_pids, size_t *ret_n);

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

/* Whether it traces all of the @n processes that are not gone, and any at all. */
bool takeover_tasks_traced(const pid_t *pids, size_t n, pid_t tracer);

/* Take every TCP socket of the @n addresses out of repair mode, without a window
 * probe, in whichever process of this PID namespace holds it (linux
 * net/ipv4/tcp.c, TCP_REPAIR_OFF_NO_WP). Before that its process would get errors
 * from every send. Needs Linux 5.6 (pidfd_getfd). */
void takeover_tasks_end_repair(const struct takeover_address *addresses, size_t n);

/* Calls @fn with a copy of every such socket. */
void takeover_tasks_each_in_repair(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd));

/* The same with every TCP connection of the @n addresses, in repair mode or not. */
void takeover_tasks_each_connected(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd));

/* The same, only in these @n_pids processes: fast. */
void takeover_tasks_end_repair_of(const pid_t *pids, size_t n_pids,
				  const struct takeover_address *addresses, size_t n);

/* Whether any process holds such a socket in repair mode. */
bool takeover_tasks_in_repair(const struct takeover_address *addresses, size_t n);

/* Kill a half-restored tree: the process of the pidfd @root_fd (-1: unknown) with its
 * descendants, and every process that holds a socket of the @n addresses in repair
 * mode. Waits a second at most for them to be gone. Their connections close without a FIN
 * or RST. */
void takeover_tasks_kill(int root_fd, const struct takeover_address *addresses, size_t n);

#endif
