/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a file into as few runs as possible: of pages of the store, of zeros, raw ones. */
#ifndef IMAGES_RUNS_H
#define IMAGES_RUNS_H

#include "images.h"
#include "pages.h"

#define IMAGES_RUNS_AT_ONCE (256 * 1024) /* bytes */
#define IMAGES_RUNS_WAITING 1024	 /* pages: the other side has something to do meanwhile */

struct images_runs {
	struct channel *channel;
	const struct pages *store;
	uint32_t n, hint;
	uint32_t waiting; /* pages in @head */
	struct {
		uint32_t n;
		struct images_run run[IMAGES_RUNS_MAX];
	} head;
	unsigned char raw_pages[IMAGES_RUNS_AT_ONCE];
	uint64_t referred, zeros, raw; /* bytes, of all */
};

/* The next @n pages, which are at most IMAGES_RUNS_AT_ONCE. */
int images_runs_add(struct images_runs *runs, const unsigned char *pages, uint32_t n);

/* Send those that wait for others that they can be joined with. */
int images_runs_flush(struct images_runs *runs);

#endif
