/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the service was frozen, by the journals of both hosts' keepers. */
#ifndef MIGRATE_RESULT_H
#define MIGRATE_RESULT_H

#include <jansson.h>
#include <stdint.h>

/* When the keeper that listens at @socket has written one of the events @what down, the first
 * of them that there is, up to a NULL; CLOCK_REALTIME. 0: none of them. */
int64_t migrate_event_ns(const char *socket, const char *const *what);

/* The destination says how long ago it ran: no clocks have to agree. */
json_t *migrate_runs(const char *socket);

/* The source, when that has come: the time since @frozen_ns less what has passed since it
 * ran, in s; negative: not known. */
double migrate_frozen_s(int64_t frozen_ns, const json_t *runs);

#endif
