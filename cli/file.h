/* SPDX-License-Identifier: GPL-2.0-only */
/* What tells one version of a file from another. */
#ifndef FILE_H
#define FILE_H

#include <stdint.h>

#define FILE_BUILD_ID_STRLEN 129

struct file {
	const char *type;		     /* "file", "directory" and so on */
	uint64_t size;			     /* of a regular file, else 0 */
	char build_id[FILE_BUILD_ID_STRLEN]; /* in hex; "" when it has none */
};

/* Follows symbolic links, opens regular files only. 0 or -errno. */
int file_look(const char *path, struct file *ret_file);

#endif
