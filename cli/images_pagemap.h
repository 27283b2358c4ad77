/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pages of a task's memory are its own: criu dumps those, and no others. */
#ifndef IMAGES_PAGEMAP_H
#define IMAGES_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGES_RANGES_MAX 512

struct images_range {
	uint64_t start, end; /* addresses */
};

/* The ranges of pages from @start to @end that are there, in memory or in swap. Of a private
 * mapping those are not, that still are a file's; of a @shared one all are. @fd is
 * /proc/PID/pagemap. Returns their number or -errno; what is from *@ret_next on, when it is not
 * @end, is for another call. */
int images_pagemap(int fd, uint64_t start, uint64_t end, bool shared,
		   struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next);

/* The same in the two ways that it has: the kernel looks, since Linux 6.7, which is quick where
 * there is nothing; or the file is read. */
int images_pagemap_scan(int fd, uint64_t start, uint64_t end, bool shared,
			struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next);
int images_pagemap_read(int fd, uint64_t start, uint64_t end, bool shared,
			struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next);

#endif
