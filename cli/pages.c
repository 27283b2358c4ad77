// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* Within this file, so that hosts need no library for it. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "pages.h"

#define ROOM_FIRST  4096u
#define SLOTS_FIRST (4 * ROOM_FIRST)

int pages_open(struct pages *p, uint64_t limit)
{
	uint64_t max;

	memset(p, 0, sizeof(*p));
	p->size = sysconf(_SC_PAGESIZE);
	max = limit / p->size;
	/* Numbers near the end mean something else: images.h. */
	p->max = max > UINT32_MAX / 4 ? UINT32_MAX / 4 : max;
	p->salt = malloc(XXH3_SECRET_SIZE_MIN);
	if (!p->salt)
		return -ENOMEM;
	if (getrandom(p->salt, XXH3_SECRET_SIZE_MIN, 0) != XXH3_SECRET_SIZE_MIN) {
		pages_close(p);
		return -EIO;
	}
	return 0;
}

void pages_close(struct pages *p)
{
	if (p->at)
		munmap(p->at, p->room * p->size);
	free(p->slots);
	free(p->salt);
	memset(p, 0, sizeof(*p));
}

int pages_reserve(struct pages *p, uint32_t n)
{
	uint64_t room = p->room > 0 ? p->room : ROOM_FIRST;
	void *at;

	if (n > p->max - p->n)
		return -ENOSPC;
	if (p->n + n <= p->room)
		return 0;
	while (room < p->n + n)
		room *= 2;
	if (room > p->max)
		room = p->max;
	at = p->at ? mremap(p->at, p->room * p->size, room * p->size, MREMAP_MAYMOVE)
		   : mmap(NULL, room * p->size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	madvise(at, room * p->size, MADV_HUGEPAGE);
	p->at = at;
	p->room = room;
	return 0;
}

int pages_append(struct pages *p, const void *data, uint32_t n)
{
	int ret = pages_reserve(p, n);

	if (ret < 0)
		return ret;
	memcpy(p->at + p->n * p->size, data, n * p->size);
	p->n += n;
	return 0;
}

bool pages_is_zero(const void *page, size_t size)
{
	const char *bytes = page;

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static struct pages_slot *slot_at(const struct pages *p, uint32_t hash, uint32_t step)
{
	return p->slots + ((hash + step) & p->mask);
}

uint32_t pages_find(const struct pages *p, const void *page, uint32_t hint, uint32_t *ret_hash)
{
	uint32_t hash;

	if (hint < p->n && memcmp(pages_at(p, hint), page, p->size) == 0)
		return hint;
	hash = XXH3_64bits_withSecret(page, p->size, p->salt, XXH3_SECRET_SIZE_MIN);
	for (uint32_t step = 0; p->slots; step++) {
		const struct pages_slot *slot = slot_at(p, hash, step);

		if (slot->number == PAGES_NONE)
			break;
		if (slot->hash == hash && memcmp(pages_at(p, slot->number), page, p->size) == 0)
			return slot->number;
	}
	*ret_hash = hash;
	return PAGES_NONE;
}

static void put(struct pages *p, struct pages_slot slot)
{
	uint32_t step = 0;

	while (slot_at(p, slot.hash, step)->number != PAGES_NONE)
		step++;
	*slot_at(p, slot.hash, step) = slot;
}

/* At most half of the slots are in use. */
static int make_slots(struct pages *p)
{
	uint64_t n = p->slots ? 2 * ((uint64_t)p->mask + 1) : SLOTS_FIRST;
	struct pages bigger = *p;

	if (p->slots && p->n < p->mask / 2)
		return 0;
	bigger.slots = malloc(n * sizeof(struct pages_slot));
	if (!bigger.slots)
		return -ENOMEM;
	memset(bigger.slots, 0xff, n * sizeof(struct pages_slot));
	bigger.mask = n - 1;
	for (uint64_t i = 0; p->slots && i <= p->mask; i++)
		if (p->slots[i].number != PAGES_NONE)
			put(&bigger, p->slots[i]);
	free(p->slots);
	*p = bigger;
	return 0;
}

int pages_add(struct pages *p, const void *page, uint32_t hash)
{
	int ret = make_slots(p);

	if (ret == 0)
		ret = pages_append(p, page, 1);
	if (ret == 0)
		put(p, (struct pages_slot){ hash, p->n - 1 });
	return ret;
}
