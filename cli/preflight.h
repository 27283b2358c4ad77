/* SPDX-License-Identifier: GPL-2.0-only */
/* Findings of both hosts of a migration, before anything is touched. */
#ifndef PREFLIGHT_H
#define PREFLIGHT_H

#include <jansson.h>

#include "check.h"

/* On the destination: what it says to the untrusted @facts: {"ok", "checks", "differ"}, the
 * last being the paths of files that are missing or others here. NULL: no memory. */
json_t *preflight_answer(const json_t *facts);

/* On the source: add what the other host has answered, untrusted, to @c. One that does not say
 * that all is well, in a way that is understood, says no. */
void preflight_read(const json_t *answer, struct checks *c);

/* Of @differ, as the other host has answered it, the paths that @facts name, one after the
 * other with a NUL behind each, as rsync reads them; free with free(). *@ret_n: how many. */
char *preflight_differing(const json_t *answer, const json_t *facts, size_t *ret_n,
			  size_t *ret_len);

/* Copy @n files, named by the @len bytes at @paths, to @host with rsync over @rsh, within
 * @timeout_ms: 0, or -errno with one line. */
int preflight_sync(const char *rsh, const char *host, const char *paths, size_t len, int timeout_ms,
		   char *error, size_t error_len);

#endif
