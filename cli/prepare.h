/* SPDX-License-Identifier: GPL-2.0-only */
/* A keeper that stands by for addresses whose backend is keepalived. */
#ifndef PREPARE_H
#define PREPARE_H

#include <stddef.h>
#include <sys/types.h>

#include "config.h"

/* Start it for those of @addresses that have that backend in this host's configuration; it
 * ends with the process @mover (0: none), or after @seconds. 0 also when there is none of them;
 * -errno with @error. */
int prepare_start(const struct takeover_address *addresses, size_t n, unsigned int seconds,
		  pid_t mover, char *error, size_t len);

/* Undo what those have left that were killed. */
void prepare_settle(const struct takeover_address *addresses, size_t n);

#endif
