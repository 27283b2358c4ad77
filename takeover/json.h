/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON from outside: what is wrong with it, in one line that can be printed. */
#ifndef TAKEOVER_JSON_H
#define TAKEOVER_JSON_H

#include <jansson.h>
#include <stddef.h>

/* At most so many bytes of a manifest or a journal are read. */
#define TAKEOVER_JSON_MAX (256 * 1024)

/* The @n bytes at @text, which no name occurs twice in. Free with json_decref(). -EINVAL:
 * @error says which line of the file @name is wrong and how. */
int takeover_json_parse(const char *text, size_t n, const char *name, json_t **ret_json,
			char *error, size_t len);

/* -EINVAL when the object @json has a field that is not among @known, which ends with NULL. */
int takeover_json_known(const json_t *json, const char *const *known, const char *name, char *error,
			size_t len);

/* At most TAKEOVER_JSON_MAX bytes of a regular file in the directory @dirfd, never through
 * a symbolic link; free with free(). Returns their number or -errno, with @error: -ELOOP for
 * a link, -EINVAL for what is no file otherwise, -EFBIG. */
ssize_t takeover_json_slurp(int dirfd, const char *path, char **ret_text, char *error, size_t len);

#endif
