/* SPDX-License-Identifier: GPL-2.0-only */
/* What images_receive.c and images_fill.c share. */
#ifndef IMAGES_RECEIVER_H
#define IMAGES_RECEIVER_H

#include "images_file.h"
#include "images_receive.h"
#include "pages.h"

struct images_receiver {
	int dirfd;
	int state; /* as images_receive_take() returned */
	bool begun;
	uint64_t limit, used;
	struct pages store;
	struct images_file spare[IMAGES_SPARE_MAX]; /* for the pages files, in order */
	size_t n_spare, next_spare;
	struct images_file file; /* the one that comes now */
	uint64_t files, bytes;
	char error[200];
};

/* Keep the error text, for the return of @ret. */
int images_refuse(struct images_receiver *receiver, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int images_cannot(struct images_receiver *receiver, int ret, const char *what);

/* So many bytes more are within the limit; count them. */
bool images_fit(const struct images_receiver *receiver, uint64_t bytes);
int images_charge(struct images_receiver *receiver, uint64_t bytes);

/* images_fill.c: FILE, RUNS, DATA; no file comes now. */
int images_fill_file(struct images_receiver *receiver, const struct channel_message *message);
int images_fill_runs(struct images_receiver *receiver, const struct channel_message *message);
int images_fill_data(struct images_receiver *receiver, const struct channel_message *message);
int images_fill_end(struct images_receiver *receiver);

#endif
