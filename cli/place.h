/* SPDX-License-Identifier: GPL-2.0-only */
/* Where images lie while a service moves: a directory of our own, in memory when they fit. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdint.h>

struct place {
	char path[PATH_MAX];
	int fd;
};

/* Make it, for @bytes of images: on a tmpfs that has room for them, else in /var/tmp. -ENOSPC:
 * no room anywhere; or -errno. */
int place_make(uint64_t bytes, struct place *ret_place);

/* Remove it with all that is in it; nothing when it was not made or is closed already. */
void place_remove(struct place *place);

#endif
