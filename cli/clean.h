/* SPDX-License-Identifier: GPL-2.0-only */
/* ip-takeover clean: what is left over on this host. Each step names what it removes
 * before it does, and what it keeps because it is in use. */
#ifndef CLEAN_H
#define CLEAN_H

#include <jansson.h>
#include <stdbool.h>

struct clean {
	bool dry; /* only say */
	unsigned int removed, failed;
	json_t *journals;
	bool unsure; /* a journal cannot be read, and its keeper may be at work */
};

/* Say that something goes, printf-like; whether to remove it. */
bool clean_removes(struct clean *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Say that something stays, and why. */
void clean_keeps(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say that it could not be removed. */
void clean_fails(struct clean *c, const char *what, int ret);

/* clean_keeper.c: keepers that no journal knows; whether there is any keeper. */
void clean_keepers(struct clean *c);
bool clean_any_keeper(void);

/* clean.c: journals, and what they name, of takeovers without a keeper. */
void clean_journals(struct clean *c);

/* clean_rest.c: files and guards that no journal names. */
void clean_files(struct clean *c);
void clean_guards(struct clean *c);

/* clean_images.c: images of moves that were killed. */
void clean_images(struct clean *c);

/* clean_locks.c: CRIU's own locks, of connections that are gone from here or live here. */
void clean_locks(struct clean *c);

#endif
