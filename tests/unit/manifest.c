// SPDX-License-Identifier: GPL-2.0-only
/* The manifest: what is written comes back, and nothing from outside is trusted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest.h"
#include "unit.h"

static char dir[64];
static int dirfd_;
static char error[300];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/unit-manifest.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	(void)state;
	unlinkat(dirfd_, TAKEOVER_MANIFEST_NAME, 0);
	close(dirfd_);
	return rmdir(dir);
}

static int read_back(struct takeover_manifest **ret_manifest)
{
	error[0] = '\0';
	return takeover_manifest_read(dirfd_, ret_manifest, error, sizeof(error));
}

static void write_bytes(const char *text, size_t len)
{
	int fd = openat(dirfd_, TAKEOVER_MANIFEST_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void fill(struct takeover_manifest *m)
{
	memset(m, 0, sizeof(*m));
	assert_int_equal(takeover_manifest_init(m), 0);
	assert_int_equal(takeover_address_parse("192.0.2.100/24", &m->addresses[0]), 0);
	assert_int_equal(takeover_address_parse("2001:db8::100/64", &m->addresses[1]), 0);
	m->n_addresses = 2;
	memcpy(m->neighbours[0], "\x02\x00\x00\x00\x00\x01", TAKEOVER_MAC_LEN);
	m->n_neighbours = 1;
	m->withdrawn = true;
}

static void what_is_written_comes_back(void **state)
{
	struct takeover_manifest m, *back;

	(void)state;
	fill(&m);
	for (int withdrawn = 0; withdrawn < 2; withdrawn++) {
		m.withdrawn = withdrawn;
		assert_int_equal(takeover_manifest_write(dirfd_, &m), 0);
		assert_int_equal(read_back(&back), 0);
		assert_string_equal(back->id, m.id);
		assert_int_equal(back->epoch, m.epoch);
		assert_int_equal(back->withdrawn, withdrawn);
		assert_int_equal(back->n_addresses, 2);
		assert_true(takeover_address_equal(&back->addresses[0], &m.addresses[0]));
		assert_true(takeover_address_equal(&back->addresses[1], &m.addresses[1]));
		assert_int_equal(back->addresses[1].prefixlen, 64);
		assert_int_equal(back->n_neighbours, 1);
		assert_memory_equal(back->neighbours[0], m.neighbours[0], TAKEOVER_MAC_LEN);
		free(back);
	}
}

static void ids_differ(void **state)
{
	struct takeover_manifest a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(takeover_manifest_init(&a), 0);
	assert_int_equal(takeover_manifest_init(&b), 0);
	assert_string_not_equal(a.id, b.id);
	assert_true(b.epoch >= a.epoch);
}

static void none_there(void **state)
{
	struct takeover_manifest *m;

	(void)state;
	assert_int_equal(read_back(&m), -ENOENT);
}

static void no_link_is_followed(void **state)
{
	struct takeover_manifest *m;

	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", dirfd_, TAKEOVER_MANIFEST_NAME), 0);
	assert_int_equal(read_back(&m), -ELOOP);
	unlinkat(dirfd_, TAKEOVER_MANIFEST_NAME, 0);
	/* A pipe would make the reader wait for ever. */
	assert_int_equal(mkfifoat(dirfd_, TAKEOVER_MANIFEST_NAME, 0600), 0);
	assert_true(read_back(&m) < 0);
}

static void too_large(void **state)
{
	struct takeover_manifest *m;

	(void)state;
	write_bytes("{}", 2);
	assert_int_equal(truncate(strcat(strcpy(error, dir), "/" TAKEOVER_MANIFEST_NAME), 1L << 30),
			 0);
	assert_int_equal(read_back(&m), -EFBIG);
}

#define ID    "\"id\": \"01234567-89ab-cdef-0123-456789abcdef\""
#define V     "\"version\": 1"
#define E     "\"epoch\": 5"
#define W     "\"withdrawn\": false"
#define A     "\"addresses\": [\"192.0.2.100/24\"]"
#define N     "\"neighbours\": []"
#define C     ", "
#define WHOLE "{" V C ID C E C W C A C N "}"

static void each_field_is_checked(void **state)
{
	static const struct {
		const char *text, *said;
		int ret;
	} cases[] = {
		{ WHOLE, "", 0 },
		{ "{" ID C E C W C A C N "}", "version", -EPROTO },
		{ "{\"version\": 2" C ID C E C W C A C N "}", "version", -EPROTO },
		{ "{" V C E C W C A C N "}", "id", -EINVAL },
		{ "{" V C "\"id\": \"../../etc\"" C E C W C A C N "}", "id", -EINVAL },
		{ "{" V C ID C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C "\"epoch\": -1" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C "\"epoch\": \"5\"" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C E C A C N "}", "withdrawn", -EINVAL },
		{ "{" V C ID C E C "\"withdrawn\": 1" C A C N "}", "withdrawn", -EINVAL },
		{ "{" V C ID C E C W C N "}", "addresses", -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": []" C N "}", "addresses", -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": [5]" C N "}", "addresses", -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": [\"127.0.0.1/8\"]" C N "}", "addresses",
		  -EINVAL },
		{ "{" V C ID C E C W C A "}", "neighbours", -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:00:00:00:00\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:00:00:00:00:0g\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:00:00:00:00:+1\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"-2:00:00:00:00:01\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:     0:0:0:0:1\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [7]}", "neighbours", -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": {}}", "neighbours", -EINVAL },
		{ "{" V C "\"id\": \"01234567-89AB-cdef-0123-456789abcdef\"" C E C W C A C N "}",
		  "id", -EINVAL },
		{ "{" V C "\"id\": \"01234567089ab-cdef-0123-456789abcdef\"" C E C W C A C N "}",
		  "id", -EINVAL },
		{ "{" V C "\"id\": 5" C E C W C A C N "}", "id", -EINVAL },
		{ "{" V C ID C "\"epoch\": 0" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C "\"epoch\": 1.5" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": \"192.0.2.100/24\"" C N "}", "addresses",
		  -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": [\"192.0.2.1/33\"]" C N "}", "addresses",
		  -EINVAL },
		{ "{\"version\": \"1\"" C ID C E C W C A C N "}", "version", -EPROTO },
		{ WHOLE "x", ":1:", -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"ff:ff:ff:ff:ff:ff\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:00:00:00:00:0g\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:00:00:00:00:+1\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"-2:00:00:00:00:01\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [\"02:     0:0:0:0:1\"]}", "neighbours",
		  -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": [7]}", "neighbours", -EINVAL },
		{ "{" V C ID C E C W C A C "\"neighbours\": {}}", "neighbours", -EINVAL },
		{ "{" V C "\"id\": \"01234567-89AB-cdef-0123-456789abcdef\"" C E C W C A C N "}",
		  "id", -EINVAL },
		{ "{" V C "\"id\": \"01234567089ab-cdef-0123-456789abcdef\"" C E C W C A C N "}",
		  "id", -EINVAL },
		{ "{" V C "\"id\": 5" C E C W C A C N "}", "id", -EINVAL },
		{ "{" V C ID C "\"epoch\": 0" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C "\"epoch\": 1.5" C W C A C N "}", "epoch", -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": \"192.0.2.100/24\"" C N "}", "addresses",
		  -EINVAL },
		{ "{" V C ID C E C W C "\"addresses\": [\"192.0.2.1/33\"]" C N "}", "addresses",
		  -EINVAL },
		{ "{\"version\": \"1\"" C ID C E C W C A C N "}", "version", -EPROTO },
		{ WHOLE "x", ":1:", -EINVAL },
		{ "{" V C V C ID C E C W C A C N "}", "version", -EINVAL },
		{ "[]", "version", -EPROTO },
		{ "", TAKEOVER_MANIFEST_NAME, -EINVAL },
	};
	struct takeover_manifest *m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_bytes(cases[i].text, strlen(cases[i].text));
		assert_int_equal(read_back(&m), cases[i].ret);
		if (cases[i].ret == 0)
			free(m);
		else if (!strstr(error, cases[i].said))
			fail_msg("\"%s\" says \"%s\", not \"%s\"", cases[i].text, error,
				 cases[i].said);
	}
}

static void check_if_taken(void)
{
	struct takeover_manifest *m;

	if (read_back(&m) < 0) {
		assert_non_null(strstr(error, TAKEOVER_MANIFEST_NAME));
		return;
	}
	assert_in_range(m->n_addresses, 1, TAKEOVER_ADDRESSES_MAX);
	assert_in_range(m->n_neighbours, 0, TAKEOVER_NEIGHBOURS_MAX);
	assert_int_equal(strlen(m->id), TAKEOVER_ID_STRLEN - 1);
	assert_null(strchr(m->id, '/'));
	assert_in_range(m->epoch, 1, INT64_MAX);
	for (size_t i = 0; i < m->n_addresses; i++) {
		char text[TAKEOVER_ADDRESS_STRLEN];
		struct takeover_address again;

		takeover_address_format(&m->addresses[i], text, sizeof(text));
		assert_int_equal(takeover_address_parse(text, &again), 0);
		assert_memory_equal(&again, &m->addresses[i], sizeof(again));
	}
	for (size_t i = 0; i < m->n_neighbours; i++)
		assert_int_equal(m->neighbours[i][0] & 1, 0);
	free(m);
}

/* The whole of it as takeover_manifest_write() writes it. */
static size_t written(char *buf, size_t len)
{
	struct takeover_manifest m;
	ssize_t n;
	int fd;

	fill(&m);
	strcpy(m.id, "01234567-89ab-cdef-0123-456789abcdef");
	m.epoch = 5;
	assert_int_equal(takeover_manifest_write(dirfd_, &m), 0);
	fd = openat(dirfd_, TAKEOVER_MANIFEST_NAME, O_RDONLY | O_CLOEXEC);
	n = read(fd, buf, len);
	close(fd);
	assert_in_range(n, 1, len - 1);
	return n;
}

static void as_many_as_there_may_be(void **state)
{
	struct takeover_manifest m, *back = NULL;

	(void)state;
	fill(&m);
	for (int i = 0; i < TAKEOVER_ADDRESSES_MAX; i++) {
		m.addresses[i] = m.addresses[0];
		m.addresses[i].ip[3] = i + 1;
	}
	for (int i = 0; i < TAKEOVER_NEIGHBOURS_MAX; i++) {
		m.neighbours[i][0] = 2;
		m.neighbours[i][4] = i >> 8;
		m.neighbours[i][5] = i;
	}
	m.n_addresses = TAKEOVER_ADDRESSES_MAX;
	m.n_neighbours = TAKEOVER_NEIGHBOURS_MAX;
	assert_int_equal(takeover_manifest_write(dirfd_, &m), 0);
	assert_int_equal(read_back(&back), 0);
	assert_int_equal(back->n_addresses, TAKEOVER_ADDRESSES_MAX);
	assert_memory_equal(back->neighbours, m.neighbours, sizeof(m.neighbours));
	free(back);
	back = NULL;
	for (int n = 0; n < 2; n++) {
		char text[65536];
		size_t len = sprintf(text, "{%s", V C ID C E C W C);

		len += sprintf(text + len, n ? A C "\"neighbours\": [" : N C "\"addresses\": [");
		for (int i = 0; i <= (n ? TAKEOVER_NEIGHBOURS_MAX : TAKEOVER_ADDRESSES_MAX); i++)
			len += sprintf(text + len, "%s\"%s\"", i ? ", " : "",
				       n ? "02:00:00:00:00:01" : "192.0.2.100/24");
		len += sprintf(text + len, "]}");
		write_bytes(text, len);
		assert_int_equal(read_back(&back), -EINVAL);
		assert_non_null(strstr(error, n ? "neighbours" : "addresses"));
		assert_null(back);
	}
}

static void cut_and_garbled(void **state)
{
	char whole[1024], garbled[1024];
	size_t size;

	(void)state;
	size = written(whole, sizeof(whole));
	for (size_t len = 0; len < size; len++) {
		struct takeover_manifest *m = NULL;

		write_bytes(whole, len);
		assert_int_equal(read_back(&m), -EINVAL);
		assert_null(m);
	}
	srandom(1);
	for (int i = 0; i < 5000; i++) {
		memcpy(garbled, whole, size);
		for (int n = random() % 4; n >= 0; n--)
			if (i % 2)
				garbled[random() % size] ^= 1 << random() % 8;
			else
				garbled[random() % size] = random();
		write_bytes(garbled, size);
		check_if_taken();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_comes_back, setup, teardown),
		cmocka_unit_test(ids_differ),
		cmocka_unit_test_setup_teardown(none_there, setup, teardown),
		cmocka_unit_test_setup_teardown(no_link_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(each_field_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_and_garbled, setup, teardown),
	};

	return unit_main("manifest", tests, NULL, NULL);
}
