/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of the images, as the destination writes it: from its beginning to its end. */
#ifndef IMAGES_FILE_H
#define IMAGES_FILE_H

#include <stddef.h>
#include <stdint.h>

struct images_file {
	int fd; /* -1: none */
	uint64_t size;
	unsigned char *map; /* of memory that is there already */
	uint64_t mapped;
};

#define IMAGES_FILE_NONE ((struct images_file){ .fd = -1 })

/* Have memory for @size bytes, a multiple of the page size, in a file without a name, which
 * images_file_create() gives one later: on tmpfs most of the time of a write goes into that.
 * What @file had stays. */
int images_file_prepare(struct images_file *file, int dirfd, uint64_t size);

/* The new file @name in @dirfd: @file when it was prepared, else one without memory yet.
 * -EEXIST: there is one, of whatever kind. */
int images_file_create(struct images_file *file, int dirfd, const char *name);

int images_file_write(struct images_file *file, const void *data, size_t len);
int images_file_write_zeros(struct images_file *file, uint64_t len);

/* Give it its size, and memory back that it does not need. */
int images_file_finish(struct images_file *file);

/* Forget it: @file is none then. Takes a while when memory was prepared. */
void images_file_drop(struct images_file *file);

#endif
