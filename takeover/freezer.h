/* SPDX-License-Identifier: GPL-2.0-only */
/* The cgroup freezer, in which a runtime may have its container already when it starts criu. */
#ifndef TAKEOVER_FREEZER_H
#define TAKEOVER_FREEZER_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the cgroup of @pid is frozen, as a whole or with one above it (linux
 * Documentation/admin-guide/cgroup-v2.rst, cgroup.events; cgroup-v1/freezer-subsystem.rst,
 * freezer.state). False also when that cannot be told. */
bool takeover_freezer_has(pid_t pid);

#endif
