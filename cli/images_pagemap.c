// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ioctl.h>

#include "images_pagemap.h"

/* Bits of an entry: Documentation/admin-guide/mm/pagemap.rst of Linux. */
#define ENTRY_PRESENT (1ULL << 63)
#define ENTRY_SWAPPED (1ULL << 62)
#define ENTRY_FILE    (1ULL << 61)
#define ENTRIES	      4096

/* From linux/fs.h of Linux 6.7. */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN	     _IOWR('f', 16, struct scan_arg)
#define SCAN_FILE    (1 << 2)
#define SCAN_PRESENT (1 << 3)
#define SCAN_SWAPPED (1 << 4)
#define SCAN_PFNZERO (1 << 5)

int images_pagemap_scan(int fd, uint64_t start, uint64_t end, bool shared,
			struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next)
{
	uint64_t not = shared ? SCAN_PFNZERO : SCAN_FILE | SCAN_PFNZERO;
	struct scan_region regions[IMAGES_RANGES_MAX];
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = IMAGES_RANGES_MAX,
		.category_inverted = not,
		.category_mask = not,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT,
	};
	int n = ioctl(fd, SCAN, &arg);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		ranges[i] = (struct images_range){ regions[i].start, regions[i].end };
	*ret_next = arg.walk_end;
	return n;
}

int images_pagemap_read(int fd, uint64_t start, uint64_t end, bool shared,
			struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next)
{
	uint64_t page = sysconf(_SC_PAGESIZE), next = start;
	int n = 0;

	while (next < end) {
		uint64_t entries[ENTRIES], want = (end - next) / page;
		ssize_t got =
			pread(fd, entries, (want < ENTRIES ? want : ENTRIES) * sizeof(*entries),
			      next / page * sizeof(*entries));

		if (got < (ssize_t)sizeof(*entries))
			return got < 0 ? -errno : -ESRCH;
		for (size_t i = 0; i < got / sizeof(*entries); i++, next += page) {
			bool own = entries[i] & ENTRY_SWAPPED ||
				   (entries[i] & ENTRY_PRESENT &&
				    (shared || !(entries[i] & ENTRY_FILE)));

			if (!own)
				continue;
			if (n > 0 && ranges[n - 1].end == next) {
				ranges[n - 1].end += page;
				continue;
			}
			if (n == IMAGES_RANGES_MAX) {
				*ret_next = next;
				return n;
			}
			ranges[n++] = (struct images_range){ next, next + page };
		}
	}
	*ret_next = end;
	return n;
}

int images_pagemap(int fd, uint64_t start, uint64_t end, bool shared,
		   struct images_range ranges[IMAGES_RANGES_MAX], uint64_t *ret_next)
{
	int n = images_pagemap_scan(fd, start, end, shared, ranges, ret_next);

	return n == -ENOTTY || n == -EINVAL
		       ? images_pagemap_read(fd, start, end, shared, ranges, ret_next)
		       : n;
}
