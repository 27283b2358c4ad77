/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that are kept, by number; on the source they are found again by what is in them. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_NONE UINT32_MAX

struct pages_slot {
	uint32_t hash, number; /* PAGES_NONE: empty */
};

struct pages {
	unsigned char *at;
	size_t size;		  /* of a page */
	uint32_t n, max;	  /* how many are kept, and may be */
	uint32_t room;		  /* there is memory for */
	struct pages_slot *slots; /* open addressing */
	uint32_t mask;		  /* the number of slots less one */
	unsigned char *salt;	  /* nobody can make pages whose hashes are the same */
};

/* Keep at most @limit bytes. */
int pages_open(struct pages *pages, uint64_t limit);
void pages_close(struct pages *pages);

static inline const unsigned char *pages_at(const struct pages *pages, uint32_t number)
{
	return pages->at + number * pages->size;
}

/* Memory for @n more. -ENOSPC: beyond the limit; -ENOMEM. */
int pages_reserve(struct pages *pages, uint32_t n);

/* Keep @n pages at @data, which nobody looks for by pages_find(). As pages_reserve(). */
int pages_append(struct pages *pages, const void *data, uint32_t n);

/* The number of a page that is the same as @page, byte for byte; PAGES_NONE. @hint: which one is
 * looked at first. *@ret_hash is for pages_add(), when it is PAGES_NONE. */
uint32_t pages_find(const struct pages *pages, const void *page, uint32_t hint, uint32_t *ret_hash);

/* Keep @page, which pages_find() has not found. As pages_reserve(). */
int pages_add(struct pages *pages, const void *page, uint32_t hash);

/* Whether @page is all zeros. */
bool pages_is_zero(const void *page, size_t size);

#endif
