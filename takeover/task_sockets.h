/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets of service addresses in this network namespace, in whichever process of this PID
 * namespace holds them, and what becomes of them, and of their tasks, after a criu that has not
 * finished. Needs Linux 5.6 (pidfd_getfd). */
#ifndef TAKEOVER_TASK_SOCKETS_H
#define TAKEOVER_TASK_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"

/* Take every TCP socket of the @n addresses out of repair mode, without a window probe (linux
 * net/ipv4/tcp.c, TCP_REPAIR_OFF_NO_WP). Before that its process would get errors from every
 * send. */
void takeover_tasks_end_repair(const struct takeover_address *addresses, size_t n);

/* The same, only in these @n_pids processes: fast. */
void takeover_tasks_end_repair_of(const pid_t *pids, size_t n_pids,
				  const struct takeover_address *addresses, size_t n);

/* Calls @fn with a copy of every TCP socket of theirs in repair mode. */
void takeover_tasks_each_in_repair(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd));

/* The same with every TCP connection of the @n addresses, in repair mode or not. */
void takeover_tasks_each_connected(const struct takeover_address *addresses, size_t n,
				   void (*fn)(int fd));

/* Whether any process holds such a socket in repair mode. */
bool takeover_tasks_in_repair(const struct takeover_address *addresses, size_t n);

/* Kill a half-restored tree: the process of the pidfd @root_fd (-1: unknown) with its
 * descendants, and every process that holds a socket of the @n addresses in repair
 * mode. Waits a second at most for them to be gone. Their connections close without a FIN
 * or RST. */
void takeover_tasks_kill(int root_fd, const struct takeover_address *addresses, size_t n);

#endif
