/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a task that runs, as criu would dump it if it did now. */
#ifndef IMAGES_MEMORY_H
#define IMAGES_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#define IMAGES_MEMORY_AT_ONCE (1024 * 1024)

/* Call @each for the pages of @pid, in the order of their addresses, at most so many bytes at
 * once: private memory that is no longer a file's, and what tasks share that is no file. @each
 * returns 0; else it ends, and that is returned. What cannot be read, or is unmapped meanwhile,
 * is left out. @ret_bytes: how many it were. -ENOENT or -ESRCH: it has ended. */
int images_memory_read(pid_t pid, int (*each)(void *arg, const unsigned char *pages, uint32_t n),
		       void *arg, uint64_t *ret_bytes);

#endif
