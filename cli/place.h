/* SPDX-License-Identifier: GPL-2.0-only */
/* Where images lie while a service moves: a directory of our own, in memory when they fit. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PLACE_NAME "ip-takeover-images-"      /* and six letters */
#define PLACE_KEPT "ip-takeover-images-kept-" /* the same, of one that stays */

/* Where it may be; NULL after the last. */
extern const char *const place_parents[];

struct place {
	char path[PATH_MAX];
	int fd;	   /* -1: none */
	int watch; /* to whom removes it when we cannot */
};

/* Make it, for @bytes of images: on a tmpfs that has room for them, else in /var/tmp. -ENOSPC:
 * no room anywhere; or -errno. */
int place_make(uint64_t bytes, struct place *ret_place);

/* The same at a place that is given, which must not be there yet; its parent is made, too. */
int place_make_at(const char *path, uint64_t bytes, struct place *ret_place);

/* Whether nothing more can be written there. */
bool place_is_full(const struct place *place);

/* @pid works in it: whoever removes it in our stead waits for its end. */
void place_used_by(const struct place *place, pid_t pid);

/* Remove it with all that is in it; nothing when it was not made or is closed already. */
void place_remove(struct place *place);

/* It stays as it is, and is no longer ours: whoever would remove it in our stead ends. */
void place_leave(struct place *place);

/* It stays, for a person, under another name: @place->path; whoever would remove it in our stead
 * ends. */
void place_keep(struct place *place);

/* The process that removes the directory when whoever made it was killed: place FD PATH. */
int cli_place(int argc, char **argv);

/* Start it; it inherits our lock of @dirfd, by which ip-takeover clean knows that the directory
 * is in use. The descriptor that it listens to, or -errno. */
int place_watch(int dirfd, const char *path);

/* All that is in the directory @dirfd, and itself, if it is still @path. */
void place_empty(int dirfd, const char *path);

#endif
