/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of ip-takeover migrate. */
#ifndef MIGRATE_OPTIONS_H
#define MIGRATE_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "members.h"

#define MIGRATE_CRIU_OPTIONS_MAX 64

struct migrate_options {
	pid_t pids[MEMBERS_TREES_MAX];
	size_t n_pids;
	const char *runtime, *container; /* of a container, in place of PIDs, or NULL */
	const char *host, *rsh, *program;
	const char *resume;	 /* a takeover's id, or NULL */
	const char *keep_images; /* a directory, or NULL */
	unsigned int max_freeze_s, timeout_s;
	bool check, dry_run, sync, compress, verbose, quiet, json;
	const char *const *criu; /* for criu, up to a NULL */
};

/* -1 and *@ret_options; else the exit status, said why. The texts are those of @argv. */
int migrate_options_read(int argc, char **argv, struct migrate_options *ret_options);

/* Whether all of @options, up to a NULL, may be given to criu beside our own: 0, or -EINVAL
 * with one line. */
int migrate_options_check_criu(const char *const *options, char *error, size_t len);

/* The same from the other host: an array of texts, as long as it lives. @ret_options has room
 * for MIGRATE_CRIU_OPTIONS_MAX and a NULL. */
int migrate_options_take_criu(const json_t *json, const char **ret_options, char *error,
			      size_t len);

/* For the other host. */
json_t *migrate_options_give_criu(const char *const *options);

#endif
