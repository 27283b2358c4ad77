/* SPDX-License-Identifier: GPL-2.0-only */
/* How images go over a channel. While the service runs, its memory goes ahead, into a store of
 * numbered pages; while it is dumped, files follow, whose pages are mostly in the store.
 *
 *   BEGIN                        once, first
 *   PAGES, EXPECT                any number of them
 *   FILE, then RUNS and DATA     for each file, one after the other
 *   END                          once, last
 *
 * All numbers are in network order. */
#ifndef IMAGES_H
#define IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

#define IMAGES_VERSION	 1
#define IMAGES_NAME_MAX	 64
#define IMAGES_RUNS_MAX	 1024
#define IMAGES_FILES_MAX 65536
#define IMAGES_SPARE_MAX 64

enum images_type {
	IMAGES_BEGIN = 16, /* struct images_begin */
	IMAGES_PAGES,	   /* pages, the next ones of the store */
	IMAGES_EXPECT,	   /* uint64_t each: how large pages files are likely to be, in order */
	IMAGES_FILE,	   /* its name: what follows is in there */
	IMAGES_RUNS,	   /* uint32_t n; struct images_run[n]; the pages of the raw ones */
	IMAGES_DATA,	   /* bytes as they are */
	IMAGES_END,	   /* struct images_end */
};

struct images_begin {
	uint32_t version, page_size;
};

/* @count pages from the number @first of the store on; or zeros; or as they follow. */
struct images_run {
	uint32_t first, count;
};

#define IMAGES_ZERO UINT32_MAX
#define IMAGES_RAW  (UINT32_MAX - 1)

/* How many files there were, and bytes in them. */
struct images_end {
	uint64_t files, bytes;
};

/* Letters, digits, and "._-" except for a dot at the beginning. */
bool images_name_is_plain(const char *name, size_t len);

/* Several trees: those beside the first have a directory of their own each, "2" to "16", in that
 * of the first. */
#define IMAGES_DIRS_MAX 16

/* Which of them a file named "pages-1.img", "2/pages-1.img" and so on lies in, 1 for the first.
 * *@ret_skip: how many of the @len bytes say so. */
int images_name_dir(const char *name, size_t len, size_t *ret_skip);

/* The number N of pages-N.img; -1: it is another. */
long images_pages_number(const char *name);

#endif
