/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a file into as few runs as possible: of pages of the store, of zeros, raw ones. */
#ifndef IMAGES_RUNS_H
#define IMAGES_RUNS_H

#include "images.h"
#include "pages.h"

#define IMAGES_RUNS_AT_ONCE 64
#define IMAGES_RUNS_WAITING 1024 /* pages: the other side has something to do meanwhile */

struct images_runs {
	struct channel *channel;
	const struct pages *store;
	uint32_t n, hint;
	uint32_t waiting; /* pages in @head */
	struct {
		uint32_t n;
		struct images_run run[IMAGES_RUNS_MAX];
	} head;
	uint64_t referred, zeros, raw; /* bytes, of all */
};

/* The next @n pages, at most IMAGES_RUNS_AT_ONCE, at @pages, which is changed. */
int images_runs_add(struct images_runs *runs, unsigned char *pages, uint32_t n);

/* Send those that wait for others that they can be joined with. */
int images_runs_flush(struct images_runs *runs);

#endif
