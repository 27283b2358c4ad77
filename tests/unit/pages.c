// SPDX-License-Identifier: GPL-2.0-only
/* Pages are found by what is in them, however many there are, and whatever their hashes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pages.h"
#include "unit.h"

#define MANY 20000

static unsigned char page[65536];

static const unsigned char *numbered(const struct pages *p, uint32_t number)
{
	memset(page, 'x', p->size);
	/* They differ at the end only. */
	memcpy(page + p->size - sizeof(number), &number, sizeof(number));
	return page;
}

static void many_pages(void **state)
{
	struct pages p;
	uint32_t hash;

	(void)state;
	assert_int_equal(pages_open(&p, UINT64_MAX), 0);
	assert_int_equal(pages_find(&p, numbered(&p, 0), 0, &hash), PAGES_NONE);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(pages_find(&p, numbered(&p, i), i, &hash), PAGES_NONE);
		assert_int_equal(pages_add(&p, page, hash), 0);
	}
	assert_int_equal(p.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(pages_find(&p, numbered(&p, i), i, &hash), i);
		assert_int_equal(pages_find(&p, page, PAGES_NONE, &hash), i);
		assert_memory_equal(pages_at(&p, i), page, p.size);
	}
	assert_int_equal(pages_find(&p, numbered(&p, MANY), 5, &hash), PAGES_NONE);
	pages_close(&p);
}

static void the_same_hash(void **state)
{
	struct pages p;
	uint32_t hash;

	(void)state;
	assert_int_equal(pages_open(&p, UINT64_MAX), 0);
	assert_int_equal(pages_find(&p, numbered(&p, 100), 0, &hash), PAGES_NONE);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(pages_add(&p, numbered(&p, i), hash), 0);
	assert_int_equal(pages_find(&p, numbered(&p, 100), 0, &hash), PAGES_NONE);
	assert_int_equal(pages_add(&p, page, hash), 0);
	assert_int_equal(pages_find(&p, page, 0, &hash), 50);
	pages_close(&p);
}

static void a_limit(void **state)
{
	struct pages p;

	(void)state;
	assert_int_equal(pages_open(&p, 10 * sysconf(_SC_PAGESIZE) + 1), 0);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(pages_add(&p, numbered(&p, i), i), 0);
	assert_int_equal(pages_add(&p, numbered(&p, 10), 10), -ENOSPC);
	assert_int_equal(pages_append(&p, page, 1), -ENOSPC);
	assert_int_equal(p.n, 10);
	pages_close(&p);
	assert_int_equal(pages_open(&p, 0), 0);
	assert_int_equal(pages_append(&p, page, 1), -ENOSPC);
	pages_close(&p);
}

static void zeros(void **state)
{
	(void)state;
	memset(page, 0, sizeof(page));
	assert_true(pages_is_zero(page, 4096));
	for (size_t i = 0; i < 4096; i++) {
		page[i] = 1;
		assert_false(pages_is_zero(page, 4096));
		page[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_pages),
		cmocka_unit_test(the_same_hash),
		cmocka_unit_test(a_limit),
		cmocka_unit_test(zeros),
	};

	return unit_main("pages", tests, NULL, NULL);
}
