/* SPDX-License-Identifier: GPL-2.0-only */
/* The source's end of images.h. In this order: images_send_memory() some times while the service
 * runs; images_send_follow() again and again while criu dumps it; images_send_rest() when criu
 * has done so. What has been sent ahead of the freeze is only referred to after it. */
#ifndef IMAGES_SEND_H
#define IMAGES_SEND_H

#include <sys/types.h>

#include "images.h"

struct images_sender;

struct images_stats {
	uint64_t stored;   /* bytes sent ahead */
	uint64_t referred; /* bytes of files that were found among them */
	uint64_t zeros;	   /* and those that are zeros */
	uint64_t raw;	   /* bytes of files that were sent as they are */
	uint64_t files;
	uint64_t ahead_ns;  /* spent in images_send_memory(), */
	uint64_t follow_ns; /* images_send_follow(), */
	uint64_t rest_ns;   /* images_send_rest() */
	bool full;	    /* the store has reached its limit */
};

/* Both @channel and @dirfd, where criu is to write, stay the caller's. At most @limit bytes
 * are sent ahead, and kept in memory here and there. All of these functions return what
 * channel_send_frame() does, too. */
int images_send_open(struct channel *channel, int dirfd, uint64_t limit,
		     struct images_sender **ret_sender);

/* Frees the store, which takes a while. NULL is allowed. */
void images_send_close(struct images_sender *sender);

/* Send ahead the memory of these tasks, as far as it has not been sent yet: when called again,
 * what has changed. Those that have ended are left out. */
int images_send_memory(struct images_sender *sender, const pid_t *pids, size_t n);

/* While memory is sent ahead, now and then. */
void images_send_watch(struct images_sender *sender, void (*watch)(struct images_sender *sender));

/* Send what criu has written of pages by now. */
int images_send_follow(struct images_sender *sender);

/* criu writes into @dirfd, which is known only now; the caller's, as the first was. */
void images_send_from(struct images_sender *sender, int dirfd);

/* Send the files of this directory, too, with the rest; the caller's, as the first was. */
void images_send_more(struct images_sender *sender, int dirfd);

/* criu has ended: send all the rest. -EINVAL: there is a file that cannot be sent. */
int images_send_rest(struct images_sender *sender);

/* One printable line: why one of them failed. */
const char *images_send_error(const struct images_sender *sender);

struct images_stats images_send_stats(const struct images_sender *sender);

#endif
