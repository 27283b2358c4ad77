/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the checkpoints of one service lie: a directory with one for each, named by its time
 * (UTC), 20261121T111035Z-1. Under such a name one is complete; what is being written or removed
 * is named .partial-..., and locked while somebody is at it. */
#ifndef CHECKPOINT_STORE_H
#define CHECKPOINT_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "place.h"

#define STORE_DIR	  "/var/lib/ip-takeover/checkpoints"
#define STORE_NAME_STRLEN 32

struct store {
	char path[PATH_MAX - 128];
	int fd; /* -1: none */
};

struct store_entry {
	char name[STORE_NAME_STRLEN];
	time_t at;
	unsigned int number;
};

/* Open it; with @make make it first. It must be ours, and writable by nobody else: what is restored
 * from it runs as root. 0, or -errno and @error. */
int store_open(const char *path, bool make, struct store *ret_store, char *error, size_t len);
void store_close(struct store *store);

/* Who changes what is in it, or restores from it, has it alone. -EWOULDBLOCK when somebody else
 * still has it after so long. store_close() or store_unlock() gives it back. */
int store_lock(const struct store *store, int patience_ms);
void store_unlock(const struct store *store);

/* Remove what somebody who was killed has left half. */
void store_tidy(const struct store *store);

/* A directory for the next one; it goes with us, unless it is kept. place_remove() ends it. */
int store_begin(const struct store *store, struct place *ret_place);

/* It is complete: to the disk, then to its name, which is free. The place is gone then, be it well
 * or not. 0 or -errno. */
int store_keep(const struct store *store, struct place *place, const char *name);

/* The name of the next one: of the time @now, but after all that are there. */
int store_next(const struct store *store, time_t now, char ret_name[STORE_NAME_STRLEN]);

/* The name of a checkpoint of this time, without its number. */
void store_name(time_t at, char ret_name[STORE_NAME_STRLEN]);

/* Whether @name is one. */
bool store_is_name(const char *name, struct store_entry *ret_entry);

/* All, the newest first; free() them. */
int store_list(const struct store *store, struct store_entry **ret_entries, size_t *ret_n);

/* Remove the oldest but @keep. */
void store_prune(const struct store *store, unsigned int keep);

#endif
