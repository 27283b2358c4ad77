// SPDX-License-Identifier: GPL-2.0-only
/* Journals: nothing in them is believed that could make rollback touch what is not ours. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"
#include "unit.h"

#define NAME "/run/ip-takeover/x.json"

/* A good one, in which each test changes one field. */
static json_t *whole(void)
{
	json_t *journal = json_pack(
		"{s:s, s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:[{s:s, s:s, s:b}]}", "id",
		"01234567-89ab-cdef-0123-456789abcdef", "epoch", 5, "role", "source", "state",
		"prepared", "message", "", "criu_pid", 7, "root_pid", 8, "keeper_pid", 9, "guard",
		"01234567-source", "socket", "/run/ip-takeover/criu-7-55.sock", "addresses",
		"address", "192.0.2.100/24", "device", "eth0", "was_here", 0);

	assert_non_null(journal);
	return journal;
}

static char error[200];

static int parse(const char *text, size_t n)
{
	json_t *journal = NULL;
	int ret;

	error[0] = '\0';
	ret = takeover_journal_parse(text, n, NAME, &journal, error, sizeof(error));
	assert_true((ret == 0) == (journal != NULL));
	json_decref(journal);
	return ret;
}

/* @value is JSON; NULL takes the field away. */
static int parse_with(const char *name, const char *value)
{
	json_t *journal = whole();
	char *text;
	int ret;

	if (value)
		json_object_set_new(journal, name, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(journal, name);
	text = json_dumps(journal, 0);
	assert_non_null(text);
	ret = parse(text, strlen(text));
	free(text);
	json_decref(journal);
	return ret;
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse_with("id", "\"01234567-89ab-cdef-0123-456789abcdef\""), 0);
	assert_int_equal(parse_with("root_pid", "0"), 0);
	assert_int_equal(parse_with("root_pid", "2147483647"), 0);
	assert_int_equal(parse_with("message", "\"said\""), 0);
	assert_int_equal(parse_with("members", "[]"), 0);
	assert_int_equal(parse_with("members", "[{\"root_pid\": 12, \"criu_pid\": 0}]"), 0);
	assert_int_equal(parse_with("netns", "{\"inode\": 1, \"cookie\": 0, \"path\": \"\"}"), 0);
	assert_int_equal(parse_with("netns", "{\"inode\": 4026532764, \"cookie\": 4097, "
					     "\"path\": \"/proc/12/ns/net\"}"),
			 0);
	/* What later versions may add. */
	assert_int_equal(parse_with("colour", "\"blue\""), 0);
	for (int state_ = 0; state_ < TAKEOVER_STATES; state_++) {
		char quoted[32];

		snprintf(quoted, sizeof(quoted), "\"%s\"", takeover_state_name(state_));
		assert_int_equal(parse_with("state", quoted), 0);
	}
}

static void each_field_is_checked(void **state)
{
	static const struct {
		const char *name, *value, *expected;
	} cases[] = {
		{ "id", NULL, "a uuid" },
		{ "id", "5", "a uuid" },
		{ "id", "\"\"", "a uuid" },
		{ "id", "\"../../etc/passwd\"", "a uuid" },
		{ "id", "\"01234567-89ab-cdef-0123-456789abcde;\"", "a uuid" },
		{ "role", NULL, "source or destination" },
		{ "role", "\"peer\"", "source or destination" },
		{ "role", "1", "source or destination" },
		{ "state", NULL, "one like \"prepared\"" },
		{ "state", "\"lost\"", "one like" },
		{ "state", "3", "one like" },
		{ "message", NULL, "a text" },
		{ "message", "[]", "a text" },
		{ "criu_pid", NULL, "a PID" },
		{ "criu_pid", "0", "a PID" },
		{ "criu_pid", "-1", "a PID" },
		{ "criu_pid", "2147483648", "a PID" },
		{ "criu_pid", "4294967303", "a PID" },
		{ "criu_pid", "\"7\"", "a PID" },
		{ "criu_pid", "7.0", "a PID" },
		{ "mover_pid", "-1", "a PID or 0" },
		{ "mover_pid", "\"7\"", "a PID or 0" },
		{ "keeper_pid", NULL, "a PID" },
		{ "keeper_pid", "0", "a PID" },
		{ "keeper_pid", "2147483648", "a PID" },
		{ "keeper_pid", "true", "a PID" },
		{ "root_pid", NULL, "a PID or 0" },
		{ "root_pid", "-1", "a PID or 0" },
		{ "root_pid", "2147483648", "a PID or 0" },
		{ "root_pid", "null", "a PID or 0" },
		{ "members", "{}", "at most 15" },
		{ "members", "[12]", "at most 15" },
		{ "members", "[{\"root_pid\": 12, \"criu_pid\": -1}]", "at most 15" },
		{ "netns", "4026532764", "{ \"inode\"" },
		{ "netns", "{}", "{ \"inode\"" },
		{ "netns", "{\"inode\": 0, \"cookie\": 0, \"path\": \"\"}", "{ \"inode\"" },
		{ "netns", "{\"inode\": \"7\", \"cookie\": 0, \"path\": \"\"}", "{ \"inode\"" },
		{ "netns", "{\"inode\": 7, \"cookie\": -1, \"path\": \"\"}", "{ \"inode\"" },
		{ "netns", "{\"inode\": 7, \"cookie\": 0}", "{ \"inode\"" },
		{ "netns", "{\"inode\": 7, \"cookie\": 0, \"path\": \"etc\"}", "{ \"inode\"" },
		{ "socket", NULL, "a keeper's in /run/ip-takeover" },
		{ "socket", "\"/etc/passwd\"", "a keeper's in" },
		{ "socket", "\"/run/ip-takeover/criu-08-55.sock\"", "a keeper's in" },
		{ "socket", "\"/run/ip-takeover/criu-7-.sock\"", "a keeper's in" },
		{ "socket", "\"/run/ip-takeover/criu-7-/../../etc/passwd\"", "a keeper's in" },
		{ "socket", "\"/run/ip-takeover/criu-7-5.sock/../x\"", "a keeper's in" },
		{ "socket",
		  "\"/run/ip-takeover/"
		  "criu-7-1234567890123456789012345678901234567890123456789012345"
		  "678901234567890123456789012345678901234567890.sock\"",
		  "a keeper's in" },
		{ "guard", NULL, "the first 8 digits of the id, and the role" },
		{ "guard", "\"\"", "the first 8 digits" },
		{ "guard", "\"filter\"", "the first 8 digits" },
		{ "guard", "\"01234567-destination\"", "the first 8 digits" },
		{ "guard", "[\"01234567-source\"]", "the first 8 digits" },
		{ "addresses", NULL, "1 to 64" },
		{ "addresses", "[]", "1 to 64" },
		{ "addresses", "{}", "1 to 64" },
		{ "addresses", "\"192.0.2.100/24\"", "1 to 64" },
		{ "addresses", "[5]", "{ \"address\": \"192.0.2.100/24\", \"device\"" },
		{ "addresses", "[{}]", "{ \"address\"" },
		{ "addresses", "[{\"address\": \"192.0.2.100/24\"}]", "{ \"address\"" },
		{ "addresses", "[{\"device\": \"eth0\"}]", "{ \"address\"" },
		{ "addresses",
		  "[{\"address\": \"127.0.0.1\", \"device\": \"eth0\", \"was_here\": true}]",
		  "{ \"address\"" },
		{ "addresses",
		  "[{\"address\": \"192.0.2.1\", \"device\": \"a/b\", \"was_here\": true}]",
		  "{ \"address\"" },
		{ "addresses", "[{\"address\": \"192.0.2.1\", \"device\": 5}]", "{ \"address\"" },
		{ "addresses", "[{\"address\": \"192.0.2.1\", \"device\": \"eth0\"}]",
		  "{ \"address\"" },
		{ "addresses",
		  "[{\"address\": \"192.0.2.1\", \"device\": \"eth0\", \"was_here\": 1}]",
		  "{ \"address\"" },
		{ "addresses",
		  "[{\"address\": \"192.0.2.1\", \"device\": \"eth0\", \"was_here\": true, "
		  "\"track_file\": \"/run/../etc/passwd\"}]",
		  "an absolute path as track_file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = parse_with(cases[i].name, cases[i].value);
		char said[200];

		snprintf(said, sizeof(said), NAME ": %s: expected %s", cases[i].name,
			 cases[i].expected);
		if (ret != -EINVAL || strncmp(error, said, strlen(said)) != 0)
			fail_msg("%s says %d \"%s\", not \"%s\"",
				 cases[i].value ? cases[i].value : "none", ret, error, said);
	}
}

static void every_beginning_is_refused(void **state)
{
	json_t *journal = whole();
	char *text = json_dumps(journal, JSON_INDENT(1));

	(void)state;
	assert_non_null(text);
	assert_int_equal(parse(text, strlen(text)), 0);
	for (size_t n = 0; n < strlen(text); n++) {
		assert_int_equal(parse(text, n), -EINVAL);
		assert_int_equal(strncmp(error, NAME ":", strlen(NAME) + 1), 0);
	}
	free(text);
	json_decref(journal);
	assert_int_equal(parse("[]", 2), -EINVAL);
	assert_int_equal(parse("{\"id\": \"\", \"id\": \"\"}", 20), -EINVAL);
	assert_non_null(strstr(error, NAME ":1: duplicate object key"));
}

static void only_files(void **state)
{
	char dir[] = "/tmp/unit-journal.XXXXXX", path[64];
	json_t *journal = whole(), *back;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	assert_int_equal(takeover_journal_read(path, &back, error, sizeof(error)), -ENOENT);
	assert_int_equal(strncmp(error, path, strlen(path)), 0);
	assert_int_equal(json_dump_file(journal, path, 0), 0);
	assert_int_equal(takeover_journal_read(path, &back, error, sizeof(error)), 0);
	assert_true(json_equal(journal, back));
	json_decref(back);
	json_decref(journal);
	assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
	assert_int_equal(takeover_journal_read(path, &back, error, sizeof(error)), -EFBIG);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(takeover_journal_read(path, &back, error, sizeof(error)), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(takeover_journal_read(path, &back, error, sizeof(error)), -EINVAL);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(each_field_is_checked),
		cmocka_unit_test(every_beginning_is_refused),
		cmocka_unit_test(only_files),
	};

	return unit_main("journal", tests, NULL, NULL);
}
