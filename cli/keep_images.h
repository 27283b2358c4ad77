/* SPDX-License-Identifier: GPL-2.0-only */
/* migrate --keep-images: a copy of what criu has written on the source. */
#ifndef KEEP_IMAGES_H
#define KEEP_IMAGES_H

#include "place.h"

/* Make the directory @path, or open it when it is there and empty: *@ret_fd, or -errno with one
 * line. */
int keep_images_open(const char *path, int *ret_fd, char *error, size_t len);

/* Copy all of @place to the directory @fd; 0 or -errno. */
int keep_images(const struct place *place, int fd);

#endif
