// SPDX-License-Identifier: GPL-2.0-only
/* The manifest: what is written comes back, and nothing from outside is trusted. */
#include <ctype.h>
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
	m->has_secret = true;
	memcpy(m->secret, "0123456789abcdef", TAKEOVER_SECRET_LEN);
	memcpy(m->source[1], "\x02\x00\x00\x00\x00\x0a", TAKEOVER_MAC_LEN);
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
	assert_string_equal(error, TAKEOVER_MANIFEST_NAME ": a symbolic link; expected a regular "
							  "file");
	unlinkat(dirfd_, TAKEOVER_MANIFEST_NAME, 0);
	/* A pipe would make the reader wait for ever. */
	assert_int_equal(mkfifoat(dirfd_, TAKEOVER_MANIFEST_NAME, 0600), 0);
	assert_int_equal(read_back(&m), -EINVAL);
	assert_string_equal(error, TAKEOVER_MANIFEST_NAME ": expected a regular file");
	unlinkat(dirfd_, TAKEOVER_MANIFEST_NAME, 0);
	assert_int_equal(mkdirat(dirfd_, TAKEOVER_MANIFEST_NAME, 0700), 0);
	assert_int_equal(read_back(&m), -EINVAL);
	unlinkat(dirfd_, TAKEOVER_MANIFEST_NAME, AT_REMOVEDIR);
}

static void no_link_is_written_through(void **state)
{
	char victim[96], text[8] = "";
	struct takeover_manifest m, *back;
	struct stat st;
	int fd;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	fd = open(victim, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "as was", 6), 6);
	assert_int_equal(symlinkat(victim, dirfd_, TAKEOVER_MANIFEST_NAME), 0);
	assert_int_equal(symlinkat(victim, dirfd_, TAKEOVER_MANIFEST_NAME ".tmp"), 0);
	fill(&m);
	assert_int_equal(takeover_manifest_write(dirfd_, &m), 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 6);
	assert_string_equal(text, "as was");
	close(fd);
	unlink(victim);
	assert_int_equal(fstatat(dirfd_, TAKEOVER_MANIFEST_NAME, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(read_back(&back), 0);
	free(back);
}

static void too_large(void **state)
{
	struct takeover_manifest *m;
	char path[96];

	(void)state;
	write_bytes("{}", 2);
	snprintf(path, sizeof(path), "%s/%s", dir, TAKEOVER_MANIFEST_NAME);
	assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
	assert_int_equal(read_back(&m), -EFBIG);
	assert_string_equal(error, TAKEOVER_MANIFEST_NAME ": too large; expected at most 256 KiB");
	assert_int_equal(truncate(path, 256 * 1024), 0);
	assert_int_equal(read_back(&m), -EINVAL);
	assert_int_equal(truncate(path, 1L << 40), 0);
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

#define MANIFEST(v, id, e, w, a, n) "{" v C id C e C w C a C n "}"
#define UUID(text)		    MANIFEST(V, "\"id\": " text, E, W, A, N)
#define EPOCH(text)		    MANIFEST(V, ID, "\"epoch\": " text, W, A, N)
#define WITHDRAWN(text)		    MANIFEST(V, ID, E, "\"withdrawn\": " text, A, N)
#define ADDRESSES(text)		    MANIFEST(V, ID, E, W, "\"addresses\": " text, N)
#define NEIGHBOURS(text)	    MANIFEST(V, ID, E, W, A, "\"neighbours\": " text)
#define X			    "\"x\": 0"

static void each_field_is_checked(void **state)
{
	static const char version[] = "version: expected 1; written by another version";
	static const char id[] = "id: expected a uuid";
	static const char epoch[] = "epoch: expected a positive number";
	static const char withdrawn[] = "withdrawn: expected true or false";
	static const char addresses[] = "addresses: expected 1 to 64 texts like";
	static const char neighbours[] = "neighbours: expected at most 1024 unicast MACs";
	const struct {
		const char *text, *said;
		int ret;
	} cases[] = {
		{ WHOLE, "", 0 },
		{ "[]", version, -EPROTO },
		{ "{}", version, -EPROTO },
		{ "{" ID C E C W C A C N "}", version, -EPROTO },
		{ MANIFEST("\"version\": 0", ID, E, W, A, N), version, -EPROTO },
		{ MANIFEST("\"version\": 2", ID, E, W, A, N), version, -EPROTO },
		{ MANIFEST("\"version\": \"1\"", ID, E, W, A, N), version, -EPROTO },
		{ MANIFEST("\"version\": 1.0", ID, E, W, A, N), version, -EPROTO },
		{ MANIFEST("\"version\": true", ID, E, W, A, N), version, -EPROTO },
		{ MANIFEST("\"version\": 4294967297", ID, E, W, A, N), version, -EPROTO },
		{ "{" V C E C W C A C N "}", id, -EINVAL },
		{ UUID("5"), id, -EINVAL },
		{ UUID("null"), id, -EINVAL },
		{ UUID("\"\""), id, -EINVAL },
		{ UUID("\"../../etc\""), id, -EINVAL },
		{ UUID("\"../../../../../../../../etc/passwd/\""), id, -EINVAL },
		{ UUID("\"01234567-89AB-cdef-0123-456789abcdef\""), id, -EINVAL },
		{ UUID("\"01234567089ab-cdef-0123-456789abcdef\""), id, -EINVAL },
		{ UUID("\"01234567-89ab-cdef-0123-456789abcde\""), id, -EINVAL },
		{ UUID("\"01234567-89ab-cdef-0123-456789abcdef0\""), id, -EINVAL },
		{ UUID("\"0123456/-89ab-cdef-0123-456789abcdef\""), id, -EINVAL },
		{ UUID("\"$(reboo)-89ab-cdef-0123-456789abcdef\""), id, -EINVAL },
		{ "{" V C ID C W C A C N "}", epoch, -EINVAL },
		{ EPOCH("0"), epoch, -EINVAL },
		{ EPOCH("-1"), epoch, -EINVAL },
		{ EPOCH("1.5"), epoch, -EINVAL },
		{ EPOCH("\"5\""), epoch, -EINVAL },
		{ EPOCH("[5]"), epoch, -EINVAL },
		{ EPOCH("9223372036854775807"), "", 0 },
		{ EPOCH("9223372036854775808"), "1: too big integer", -EINVAL },
		{ "{" V C ID C E C A C N "}", withdrawn, -EINVAL },
		{ WITHDRAWN("1"), withdrawn, -EINVAL },
		{ WITHDRAWN("\"true\""), withdrawn, -EINVAL },
		{ WITHDRAWN("null"), withdrawn, -EINVAL },
		{ "{" V C ID C E C W C N "}", addresses, -EINVAL },
		{ ADDRESSES("[]"), addresses, -EINVAL },
		{ ADDRESSES("{}"), addresses, -EINVAL },
		{ ADDRESSES("5"), addresses, -EINVAL },
		{ ADDRESSES("\"192.0.2.100/24\""), addresses, -EINVAL },
		{ ADDRESSES("[5]"), addresses, -EINVAL },
		{ ADDRESSES("[\"\"]"), addresses, -EINVAL },
		{ ADDRESSES("[\"127.0.0.1/8\"]"), addresses, -EINVAL },
		{ ADDRESSES("[\"192.0.2.1/33\"]"), addresses, -EINVAL },
		{ ADDRESSES("[\"192.0.2.1; reboot\"]"), addresses, -EINVAL },
		{ ADDRESSES("[\"192.0.2.1/24\", \"ff02::1\"]"), addresses, -EINVAL },
		{ ADDRESSES("[\"192.0.2.1/24\", \"192.0.2.1\"]"), "addresses: one is named twice",
		  -EINVAL },
		{ "{" V C ID C E C W C A "}", neighbours, -EINVAL },
		{ NEIGHBOURS("{}"), neighbours, -EINVAL },
		{ NEIGHBOURS("\"02:00:00:00:00:01\""), neighbours, -EINVAL },
		{ NEIGHBOURS("[7]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02:00:00:00:00\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02:00:00:00:00:0g\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02:00:00:00:00:+1\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"-2:00:00:00:00:01\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02:     0:0:0:0:1\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02-00-00-00-00-01\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"02:00:00:00:00:01:02\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"ff:ff:ff:ff:ff:ff\"]"), neighbours, -EINVAL },
		{ NEIGHBOURS("[\"01:00:5e:00:00:01\"]"), neighbours, -EINVAL },
		{ MANIFEST(V C X, ID, E, W, A, N), "x: unknown field; known are version, id, epoch",
		  -EINVAL },
		{ MANIFEST(V C "\"\\u001b[2J\": 0", ID, E, W, A, N), "?[2J: unknown field",
		  -EINVAL },
		{ MANIFEST(V C V, ID, E, W, A, N), "1: duplicate object key", -EINVAL },
		{ MANIFEST(V, ID C ID, E, W, A, N), "1: duplicate object key", -EINVAL },
		{ MANIFEST(V, ID, E C E, W, A, N), "1: duplicate object key", -EINVAL },
		{ MANIFEST(V, ID, E, W C W, A, N), "1: duplicate object key", -EINVAL },
		{ MANIFEST(V, ID, E, W, A C A, N), "1: duplicate object key", -EINVAL },
		{ MANIFEST(V, ID, E, W, A, N C N), "1: duplicate object key", -EINVAL },
		{ "\n" WHOLE "\nx", "3: end of file expected", -EINVAL },
		{ WHOLE WHOLE, "1: end of file expected", -EINVAL },
		{ "", "1: '[' or '{' expected", -EINVAL },
		{ "\xff", "1: unable to decode byte 0xff", -EINVAL },
		{ "{" V C "\"id\": \"\\u0000\"}", "1: \\u0000 is not allowed", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const size_t n = sizeof(TAKEOVER_MANIFEST_NAME) - 1;
		struct takeover_manifest *m = NULL;
		const char *said;
		int ret;

		write_bytes(cases[i].text, strlen(cases[i].text));
		ret = read_back(&m);
		/* FILE: FIELD: or FILE:LINE: */
		said = ret == 0 ? error : error + n + (error[n + 1] == ' ' ? 2 : 1);
		if (ret != cases[i].ret || (ret < 0 && strncmp(error, TAKEOVER_MANIFEST_NAME, n)) ||
		    strncmp(said, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("\"%s\" says %d \"%s\", not \"%s\"", cases[i].text, ret, error,
				 cases[i].said);
		assert_true((ret == 0) == (m != NULL));
		free(m);
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
		assert_true(strncmp(error, "ip-takeover.json:", 17) == 0 && isdigit(error[17]));
		/* As a copy that was interrupted may leave it. */
		memcpy(garbled, whole, size);
		memset(garbled + len, 0, size - len);
		write_bytes(garbled, size);
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
		cmocka_unit_test_setup_teardown(no_link_is_written_through, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(each_field_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_and_garbled, setup, teardown),
	};

	return unit_main("manifest", tests, NULL, NULL);
}
