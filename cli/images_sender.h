/* SPDX-License-Identifier: GPL-2.0-only */
/* What images_send.c and images_follow.c share. */
#ifndef IMAGES_SENDER_H
#define IMAGES_SENDER_H

#include "images_runs.h"
#include "images_send.h"

#define IMAGES_CHUNK (1024 * 1024)

struct images_sender {
	struct channel *channel;
	int dirfd;
	int more; /* another directory, or -1 */
	struct pages store;
	uint32_t sent;	   /* pages of the store */
	uint32_t hint;	   /* where in it to look first */
	int fd;		   /* of the pages file that is followed; -1: none */
	long number;	   /* its, or the one that is to come */
	uint64_t offset;   /* sent of it */
	uint64_t followed; /* sent of all that were followed to their end */
	uint64_t bytes;	   /* sent of all files */
	int ahead_error;   /* of the channel, while memory was sent ahead */
	struct images_runs runs;
	void (*watch)(struct images_sender *sender);
	struct images_stats stats;
	unsigned char *buf;
	char error[200];
};

uint64_t images_now_ns(void);

/* Keep the error text, for the return of @ret; images_sent() for the channel's errors. */
int images_say(struct images_sender *sender, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int images_sent(struct images_sender *sender, int ret);

#endif
