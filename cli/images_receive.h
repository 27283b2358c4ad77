/* SPDX-License-Identifier: GPL-2.0-only */
/* The destination's end of images.h: an empty directory is filled. The source is not trusted:
 * nothing is written outside the directory, nothing beyond the limit, no file twice. */
#ifndef IMAGES_RECEIVE_H
#define IMAGES_RECEIVE_H

#include "images.h"

struct images_receiver;

/* @dirfd stays the caller's, and open; its directory should be on tmpfs. The store, memory that
 * is prepared and files have at most @limit bytes together. */
int images_receive_open(int dirfd, uint64_t limit, struct images_receiver **ret_receiver);

/* Frees the store too, which takes a while: do it when the service runs. NULL is allowed. */
void images_receive_close(struct images_receiver *receiver);

/* A message that is not of type CHANNEL_JSON. 0: more is to come; 1: all files are there;
 * -EPROTO: it should not have been sent; -EFBIG: beyond the limit; -errno. Errors stay: what is
 * in the directory then is of no use. */
int images_receive_take(struct images_receiver *receiver, const struct channel_message *message);

/* One printable line: why images_receive_take() failed. */
const char *images_receive_error(const struct images_receiver *receiver);

/* How many bytes the files have by now, and the store. */
uint64_t images_receive_bytes(const struct images_receiver *receiver);
uint64_t images_receive_stored(const struct images_receiver *receiver);

#endif
