// SPDX-License-Identifier: GPL-2.0-only
/* Checkpoints: their names, which of them stay, and what is not believed of a record. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_record.h"
#include "checkpoint_store.h"
#include "unit.h"

static char path[64], error[300];

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/unit-checkpoint.XXXXXX");
	return mkdtemp(path) ? 0 : -1;
}

static int teardown(void **state)
{
	char line[100];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s", path);
	return system(line);
}

static void names_are_those_that_we_write(void **state)
{
	static const char *const no[] = {
		"",
		"20261121T111035Z",
		"20261121T111035Z-",
		"20261121T111035Z-01",
		"20261121T111035Z--1",
		"20261121T111035Z-1 ",
		"20261121T111035Z-1/..",
		"20261321T111035Z-1",
		"20260230T111035Z-1",
		"20261121T111060Z-1",
		"2026112T111035Z-1",
		".partial-20261121T111035Z-1",
		"20261121T111035Z-10000000000",
	};
	struct store_entry entry;
	char name[STORE_NAME_STRLEN];

	(void)state;
	store_name(1795259435, name);
	assert_string_equal(name, "20261121T111035Z");
	assert_true(store_is_name("20261121T111035Z-12", &entry));
	assert_int_equal(entry.at, 1795259435);
	assert_int_equal(entry.number, 12);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (store_is_name(no[i], &entry))
			fail_msg("%s", no[i]);
}

static void make(const struct store *store, const char *name)
{
	char file[80];

	assert_int_equal(mkdirat(store->fd, name, 0700), 0);
	snprintf(file, sizeof(file), "%s/pages-1.img", name);
	close(openat(store->fd, file, O_WRONLY | O_CREAT, 0600));
}

static void the_newest_stay(void **state)
{
	struct store store;
	char name[STORE_NAME_STRLEN];
	struct store_entry *all;
	size_t n;

	(void)state;
	assert_int_equal(store_open(path, true, &store, error, sizeof(error)), 0);
	make(&store, "20261121T111035Z-2");
	make(&store, "20261121T111035Z-10");
	make(&store, "20261121T111034Z-3");
	make(&store, "20251121T111036Z-1");
	make(&store, ".partial-1");
	assert_int_equal(store_list(&store, &all, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(all[0].name, "20261121T111035Z-10");
	assert_string_equal(all[3].name, "20251121T111036Z-1");
	free(all);
	store_prune(&store, 2);
	assert_int_equal(store_list(&store, &all, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(all[1].name, "20261121T111035Z-2");
	free(all);
	/* However the clock goes, and whatever has gone before. */
	assert_int_equal(store_next(&store, 1795259436, name), 0);
	assert_string_equal(name, "20261121T111036Z-1");
	assert_int_equal(store_next(&store, 1795259435, name), 0);
	assert_string_equal(name, "20261121T111035Z-11");
	assert_int_equal(store_next(&store, 0, name), 0);
	assert_string_equal(name, "20261121T111035Z-11");
	store_close(&store);
}

static void half_ones_go_unless_they_are_in_use(void **state)
{
	struct store store;
	int fd;

	(void)state;
	assert_int_equal(store_open(path, true, &store, error, sizeof(error)), 0);
	make(&store, ".partial-left");
	make(&store, ".partial-used");
	fd = openat(store.fd, ".partial-used", O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	store_tidy(&store);
	assert_int_equal(faccessat(store.fd, ".partial-left", F_OK, 0), -1);
	assert_int_equal(faccessat(store.fd, ".partial-used", F_OK, 0), 0);
	close(fd);
	store_tidy(&store);
	assert_int_equal(faccessat(store.fd, ".partial-used", F_OK, 0), -1);
	store_close(&store);
}

static void one_at_a_time_and_only_ours(void **state)
{
	struct store one, two;

	(void)state;
	assert_int_equal(store_open(path, true, &one, error, sizeof(error)), 0);
	assert_int_equal(store_open(path, false, &two, error, sizeof(error)), 0);
	assert_int_equal(store_lock(&one, 0), 0);
	assert_int_equal(store_lock(&two, 30), -EWOULDBLOCK);
	store_unlock(&one);
	assert_int_equal(store_lock(&two, 0), 0);
	store_close(&one);
	store_close(&two);
	chmod(path, 0770);
	assert_int_equal(store_open(path, false, &one, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "others than root may write it"));
	chmod(path, 0700);
	assert_int_equal(store_open("here", true, &one, error, sizeof(error)), -EINVAL);
	assert_int_equal(store_open("/nowhere/at/all", false, &one, error, sizeof(error)), -ENOENT);
}

static json_t *record(void)
{
	return json_pack(
		"{s:i, s:s, s:i, s:s, s:s, s:s, s:[{s:s, s:i}], s:[s], s:f, s:[{s:s, s:s}], "
		"s:i, s:I, s:f, s:i, s:i}",
		"checkpoint", 1, "name", "redis-server", "pid", 1006, "host", "alpha", "kernel",
		"6.18", "criu", "4.2.1", "ports", "protocol", "tcp", "port", 6379, "options",
		"--file-locks", "duration_ms", 105.0, "addresses", "address", "192.0.2.100/24",
		"device", "eth0", "connections", 100, "at_ns", (json_int_t)1795260511037730920,
		"pause_ms", 14.0, "files", 1, "bytes", 3);
}

static int parse(json_t *from, json_t **to)
{
	char *text = json_dumps(from, JSON_COMPACT);
	int ret = checkpoint_record_parse(text, strlen(text), to, error, sizeof(error));

	free(text);
	json_decref(from);
	return ret;
}

static void what_is_wrong_with_a_record_is_named(void **state)
{
	static const struct {
		const char *field, *value, *error;
	} wrong[] = {
		{ "checkpoint", "2", "expected 1" },
		{ "name", "\"a\\nb\"", "expected texts" },
		{ "host", "\"0123456789012345678901234567890123456789012345678901234567890123\"",
		  "expected texts" },
		{ "pid", "0", "expected a PID" },
		{ "at_ns", "-1", "expected numbers" },
		{ "bytes", "\"3\"", "expected numbers" },
		{ "pause_ms", "null", "expected numbers" },
		{ "addresses", "[]", "addresses: expected" },
		{ "addresses", "[{\"address\": \"127.0.0.1\"}]", "addresses: expected" },
		{ "ports", "[{\"protocol\": \"tcp\", \"port\": 65536}]", "ports: expected" },
		{ "ports", "{}", "ports: expected" },
		{ "options", "[\"--action-script\"]", "cannot be given to criu" },
		{ "options", "[1]", "expected texts" },
	};
	json_t *good;

	(void)state;
	assert_int_equal(parse(record(), &good), 0);
	json_decref(good);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		json_t *bad = record(), *none = NULL;

		json_object_set_new(bad, wrong[i].field,
				    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		assert_int_equal(parse(bad, &none), -EINVAL);
		if (!strstr(error, wrong[i].error))
			fail_msg("%s: %s", wrong[i].value, error);
	}
}

static void images_are_those_of_the_record(void **state)
{
	json_t *good, *r = record();
	int dirfd = open(path, O_RDONLY | O_DIRECTORY), fd;
	char file[100];

	(void)state;
	snprintf(file, sizeof(file), "%s/" CHECKPOINT_RECORD, path);
	assert_int_equal(json_dump_file(r, file, 0), 0);
	json_decref(r);
	assert_int_equal(checkpoint_record_read(dirfd, &good, error, sizeof(error)), -EINVAL);
	fd = openat(dirfd, "pages-1.img", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "abc", 3), 3);
	close(openat(dirfd, "dump.log", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(checkpoint_record_read(dirfd, &good, error, sizeof(error)), 0);
	json_decref(good);
	assert_int_equal(write(fd, "d", 1), 1);
	assert_int_equal(checkpoint_record_read(dirfd, &good, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "the images are others"));
	close(fd);
	close(dirfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_that_we_write),
		cmocka_unit_test_setup_teardown(the_newest_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(half_ones_go_unless_they_are_in_use, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_at_a_time_and_only_ours, setup, teardown),
		cmocka_unit_test(what_is_wrong_with_a_record_is_named),
		cmocka_unit_test_setup_teardown(images_are_those_of_the_record, setup, teardown),
	};

	return unit_main("checkpoint", tests, NULL, NULL);
}
