// SPDX-License-Identifier: GPL-2.0-only
/* A source that sends what it should not: refused in a line, nothing is written elsewhere. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images_receive.h"
#include "unit.h"

#define LIMIT (1024 * 1024)

static size_t page;
static unsigned char pages[64 * 1024];

static struct images_receiver *open_at(uint64_t limit, int *ret_dirfd)
{
	struct images_receiver *r;

	page = sysconf(_SC_PAGESIZE);
	memset(pages, 'p', sizeof(pages));
	unit_need_run();
	assert_int_equal(mkdir("/run/to", 0700), 0);
	*ret_dirfd = open("/run/to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(*ret_dirfd >= 0);
	assert_int_equal(images_receive_open(*ret_dirfd, limit, &r), 0);
	return r;
}

static int take(struct images_receiver *r, uint32_t type, const void *payload, size_t len)
{
	const struct channel_message m = { .type = type, .payload = payload, .len = len };

	return images_receive_take(r, &m);
}

static int begin(struct images_receiver *r)
{
	struct images_begin b = { htonl(IMAGES_VERSION), htonl(page) };

	return take(r, IMAGES_BEGIN, &b, sizeof(b));
}

static int run(struct images_receiver *r, uint32_t first, uint32_t count, size_t raw)
{
	unsigned char payload[12 + sizeof(pages)];
	const uint32_t head[] = { htonl(1), htonl(first), htonl(count) };

	memcpy(payload, head, sizeof(head));
	memcpy(payload + sizeof(head), pages, raw);
	return take(r, IMAGES_RUNS, payload, sizeof(head) + raw);
}

static int file(struct images_receiver *r, const char *name)
{
	return take(r, IMAGES_FILE, name, strlen(name));
}

static int finish(struct images_receiver *r, uint64_t files, uint64_t bytes)
{
	struct images_end e = { htobe64(files), htobe64(bytes) };

	return take(r, IMAGES_END, &e, sizeof(e));
}

static int expect(struct images_receiver *r, uint64_t size)
{
	size = htobe64(size);
	return take(r, IMAGES_EXPECT, &size, sizeof(size));
}

/* Refused in a printable line, and it stays so. */
static void refused(struct images_receiver *r, int dirfd, int ret, int expected)
{
	assert_int_equal(ret, expected);
	assert_true(strlen(images_receive_error(r)) > 8);
	assert_int_equal(begin(r), expected);
	images_receive_close(r);
	close(dirfd);
}

static void names_of_files(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"../x",
		"/x",
		"x/y",
		"0/x",
		"1/x",
		"17/x",
		"20/x",
		"02/x",
		"2/",
		"2//x",
		"2/.x",
		"2/../x",
		"2/3/x",
		".hidden",
		"x y",
		"x\n",
		"\xc3\xa9",
		"x\x1b",
		"*",
		"12345678901234567890123456789012345678901234567890123456789012345",
	};
	int dirfd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct images_receiver *r = open_at(LIMIT, &dirfd);

		assert_int_equal(begin(r), 0);
		refused(r, dirfd, file(r, names[i]), -EPROTO);
		unit_run("test -z \"$(ls -A /run/to)\"");
	}
	struct images_receiver *r = open_at(LIMIT, &dirfd);

	assert_int_equal(begin(r), 0);
	refused(r, dirfd, take(r, IMAGES_FILE, "x\0y", 3), -EPROTO);
}

/* Nor is a link followed, whoever has made it. */
static void no_file_twice(void **state)
{
	struct images_receiver *r;
	int dirfd;

	(void)state;
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(file(r, "core-1.img"), 0);
	refused(r, dirfd, file(r, "core-1.img"), -EEXIST);
	r = open_at(LIMIT, &dirfd);
	unit_run("ln -s ../outside /run/to/2");
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, file(r, "2/core-1.img"), -ENOTDIR);
	unit_run("test ! -e /run/outside/core-1.img");
	r = open_at(LIMIT, &dirfd);
	unit_run("ln -s ../outside /run/to/core-1.img");
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, file(r, "core-1.img"), -EEXIST);
	r = open_at(LIMIT, &dirfd);
	unit_run("ln -s ../outside /run/to/pages-1.img");
	assert_int_equal(begin(r), 0);
	assert_int_equal(expect(r, page), 0);
	refused(r, dirfd, file(r, "pages-1.img"), -EEXIST);
	unit_run("test ! -e /run/outside");
}

static void what_is_out_of_order(void **state)
{
	struct images_receiver *r;
	int dirfd;

	(void)state;
	for (int type = 0; type < 30; type++) {
		if (type == IMAGES_BEGIN)
			continue;
		r = open_at(LIMIT, &dirfd);
		refused(r, dirfd, take(r, type, pages, page), -EPROTO);
	}
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, begin(r), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, take(r, IMAGES_DATA, "x", 1), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, run(r, IMAGES_ZERO, 1, 0), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(file(r, "x"), 0);
	refused(r, dirfd, take(r, IMAGES_PAGES, pages, page), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(file(r, "x"), 0);
	refused(r, dirfd, expect(r, page), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(finish(r, 0, 0), 1);
	refused(r, dirfd, file(r, "x"), -EPROTO);
}

/* Each is sent when there are two pages in the store, and a file. */
static void numbers_that_are_wrong(void **state)
{
	static const struct {
		uint32_t first, count;
		size_t raw; /* bytes */
	} runs[] = {
		{ 2, 1, 0 },
		{ 0, 3, 0 },
		{ 1, 2, 0 },
		{ 1, UINT32_MAX, 0 },
		{ 0x7fffffff, 1, 0 },
		{ 0x7fffffff, 0x80000001, 0 },
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ IMAGES_ZERO, 1, 4096 },
		{ IMAGES_RAW, 1, 0 },
		{ IMAGES_RAW, 1, 100 },
		{ IMAGES_RAW, 1, 20000 },
		{ IMAGES_RAW, 17, 4096 },
		{ IMAGES_RAW - 1, 1, 0 },
		{ IMAGES_RAW, UINT32_MAX, 4096 },
	};
	static const char *const heads[] = {
		"", "\0\0\0", "\0\0\0\0", "\0\0\0\1", "\0\0\0\1\0\0\0", "\xff\xff\xff\xff\0\0\0"
	};
	static const size_t lens[] = { 0, 3, 4, 4, 11, 8 };
	struct images_receiver *r;
	int dirfd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(runs) + ARRAY_SIZE(heads); i++) {
		size_t head = i - ARRAY_SIZE(runs);
		char payload[16] = "";

		r = open_at(LIMIT, &dirfd);
		assert_int_equal(begin(r), 0);
		assert_int_equal(take(r, IMAGES_PAGES, pages, 2 * page), 0);
		assert_int_equal(file(r, "x"), 0);
		if (i < ARRAY_SIZE(runs)) {
			refused(r, dirfd, run(r, runs[i].first, runs[i].count, runs[i].raw),
				-EPROTO);
			continue;
		}
		memcpy(payload, heads[head], lens[head] < 8 ? lens[head] : 8);
		refused(r, dirfd, take(r, IMAGES_RUNS, payload, lens[head]), -EPROTO);
	}
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, take(r, IMAGES_PAGES, pages, page + 1), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, expect(r, page + 1), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	refused(r, dirfd, take(r, IMAGES_EXPECT, pages, 8 * (IMAGES_SPARE_MAX + 1)), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(file(r, "x"), 0);
	assert_int_equal(take(r, IMAGES_DATA, "abc", 3), 0);
	refused(r, dirfd, finish(r, 1, 4), -EPROTO);
}

static void beginnings_of_others(void **state)
{
	struct images_begin b = { htonl(IMAGES_VERSION + 1), htonl(4096) };
	struct images_receiver *r;
	int dirfd;

	(void)state;
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(take(r, IMAGES_BEGIN, &b, sizeof(b)), -EPROTO);
	assert_non_null(strstr(images_receive_error(r), "version 2, expected 1"));
	refused(r, dirfd, begin(r), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	b = (struct images_begin){ htonl(IMAGES_VERSION), htonl(page * 4) };
	assert_int_equal(take(r, IMAGES_BEGIN, &b, sizeof(b)), -EPROTO);
	assert_non_null(strstr(images_receive_error(r), "pages of 16384 bytes"));
	refused(r, dirfd, begin(r), -EPROTO);
	r = open_at(LIMIT, &dirfd);
	refused(r, dirfd, take(r, IMAGES_BEGIN, &b, 7), -EPROTO);
}

/* The store, files, their zeros and what is prepared count; files that are empty, too. */
static void no_more_than_the_limit(void **state)
{
	struct images_receiver *r;
	int dirfd, ret = 0, n;
	char name[20];

	(void)state;
	for (n = 0, r = open_at(LIMIT, &dirfd), ret = begin(r); ret == 0; n++)
		ret = take(r, IMAGES_PAGES, pages, sizeof(pages));
	assert_int_equal(n, LIMIT / sizeof(pages) + 1);
	refused(r, dirfd, ret, -EFBIG);
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	for (n = 0, ret = 0; ret == 0; n++) {
		snprintf(name, sizeof(name), "f%d", n);
		ret = file(r, name);
	}
	assert_int_equal(n, LIMIT / page + 1);
	refused(r, dirfd, ret, -EFBIG);
	for (int kind = 0; kind < 4; kind++) {
		r = open_at(LIMIT, &dirfd);
		assert_int_equal(begin(r), 0);
		assert_int_equal(take(r, IMAGES_PAGES, pages, sizeof(pages)), 0);
		/* What is too large is not prepared, and no error. */
		assert_int_equal(expect(r, kind == 3 ? 4 * LIMIT : LIMIT / 2), 0);
		assert_int_equal(file(r, "pages-1.img"), 0);
		for (n = 0, ret = 0; ret == 0; n++)
			ret = kind == 0	  ? run(r, 0, 16, 0)
			      : kind == 1 ? run(r, IMAGES_RAW, 16, sizeof(pages))
			      : kind == 2 ? take(r, IMAGES_DATA, pages, sizeof(pages))
					  : run(r, IMAGES_ZERO, 16, 0);
		/* The page of the file itself is missing at the end. */
		assert_int_equal(n, LIMIT / sizeof(pages) - 1);
		refused(r, dirfd, ret, -EFBIG);
	}
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(file(r, "x"), 0);
	refused(r, dirfd, run(r, IMAGES_ZERO, UINT32_MAX, 0), -EFBIG);
}

/* Memory that was prepared and is not needed is given back. */
static void prepared_for_more(void **state)
{
	struct images_receiver *r;
	struct stat st;
	int dirfd;

	(void)state;
	r = open_at(LIMIT, &dirfd);
	assert_int_equal(begin(r), 0);
	assert_int_equal(take(r, IMAGES_PAGES, pages, page), 0);
	assert_int_equal(expect(r, 32 * page), 0);
	assert_int_equal(expect(r, 128 * page), 0);
	assert_int_equal(expect(r, 64 * page), 0);
	assert_int_equal(file(r, "pages-1.img"), 0);
	assert_int_equal(run(r, IMAGES_ZERO, 1, 0), 0);
	assert_int_equal(run(r, 0, 1, 0), 0);
	assert_int_equal(take(r, IMAGES_DATA, "abc", 3), 0);
	assert_int_equal(file(r, "pages-2.img"), 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(run(r, 0, 1, 0), 0);
	assert_int_equal(finish(r, 2, 202 * page + 3), 1);
	assert_int_equal(fstatat(dirfd, "pages-1.img", &st, 0), 0);
	assert_int_equal(st.st_size, 2 * page + 3);
	assert_int_equal(st.st_blocks * 512, 3 * page);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fstatat(dirfd, "pages-2.img", &st, 0), 0);
	assert_int_equal(st.st_size, 200 * page);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	images_receive_close(r);
	close(dirfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_files),	cmocka_unit_test(no_file_twice),
		cmocka_unit_test(what_is_out_of_order), cmocka_unit_test(numbers_that_are_wrong),
		cmocka_unit_test(beginnings_of_others), cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(prepared_for_more),
	};

	return unit_main("images_receive", tests, NULL, NULL);
}
