/* SPDX-License-Identifier: GPL-2.0-only */
/* What ip-takeover migrate says of its way: a line that changes on a terminal, events as JSON,
 * or nothing. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <jansson.h>
#include <stdint.h>

#include "check.h"
#include "migrate_options.h"
#include "steps.h"

void progress_open(const struct migrate_options *options);

/* A migrate_step() of this host. */
void progress_step(enum migrate_step step);

/* So many bytes have been sent, of about @all. */
void progress_bytes(uint64_t bytes, uint64_t all);

/* What @host has found; @all of it, or only what is wrong. */
void progress_findings(const char *host, const struct checks *checks, bool all);

/* One line for a person, to stdout, unless --quiet or --json. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on standard error, in any case. */
void progress_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An event for --json; takes @more, which may be NULL. */
void progress_event(const char *event, json_t *more);

#endif
