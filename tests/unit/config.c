// SPDX-License-Identifier: GPL-2.0-only
/* The configuration: what it takes, and what it says of what it does not take. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "unit.h"

#define ONE "addresses = ({ address = \"192.0.2.100/24\"; device = \"eth0\"; });\n"

static char path[64];
static char error[200];

static int read_text(const char *text, struct takeover_config *config)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0644);
	error[0] = '\0';
	return takeover_config_read(config, error, sizeof(error));
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/unit-config.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return setenv(TAKEOVER_CONFIG_ENV, path, 1);
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void one_address_and_defaults(void **state)
{
	struct takeover_config config;
	struct takeover_address a;

	(void)state;
	assert_int_equal(read_text(ONE, &config), 0);
	assert_int_equal(config.n_addresses, 1);
	assert_string_equal(config.addresses[0].device, "eth0");
	assert_int_equal(config.addresses[0].prefixlen, 24);
	assert_int_equal(config.hold_packets, 65536);
	assert_int_equal(config.hold_seconds, 120);
	assert_int_equal(config.probe_ms, 30);
	assert_int_equal(takeover_address_parse("192.0.2.100", &a), 0);
	assert_ptr_equal(takeover_config_find(&config, &a), &config.addresses[0]);
	assert_int_equal(takeover_address_parse("192.0.2.101", &a), 0);
	assert_null(takeover_config_find(&config, &a));
}

static void every_setting(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text("addresses = (\n"
				   "{ address = \"192.0.2.100/24\"; device = \"eth0\"; "
				   "backend = \"garp\"; },\n"
				   "{ address = \"2001:db8::100/64\"; device = \"br-lan\"; });\n"
				   "hold_packets = 7; hold_seconds = 3; probe_ms = 50;\n",
				   &config),
			 0);
	assert_int_equal(config.n_addresses, 2);
	assert_int_equal(config.addresses[1].prefixlen, 64);
	assert_int_equal(config.backends[0].kind, TAKEOVER_BACKEND_GARP);
	assert_int_equal(config.hold_packets, 7);
	assert_int_equal(config.hold_seconds, 3);
	assert_int_equal(config.probe_ms, 50);
}

static void a_program(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text("addresses = ({ address = \"192.0.2.100\"; device = \"eth0\"; "
				   "backend = \"exec\"; program = \"/a/b c\"; seconds = 10; },\n"
				   "{ address = \"2001:db8::100\"; device = \"eth0\"; "
				   "backend = \"exec\"; program = \"/d\"; });\n",
				   &config),
			 0);
	assert_int_equal(config.backends[0].kind, TAKEOVER_BACKEND_EXEC);
	assert_string_equal(config.backends[0].program, "/a/b c");
	assert_int_equal(config.backends[0].seconds, 10);
	assert_string_equal(config.backends[1].program, "/d");
	assert_int_equal(config.backends[1].seconds, 5);
	assert_ptr_equal(takeover_config_backend(&config, &config.addresses[1]),
			 &config.backends[1]);
}

#define ADDRESS(text) "addresses = ({ address = \"" text "\"; device = \"eth0\"; });\n"
#define DEVICE(text)  "addresses = ({ address = \"192.0.2.1/24\"; device = \"" text "\"; });\n"
#define MORE(text)                                                                                 \
	"addresses = ({\n address = \"192.0.2.1/24\";\n device = \"eth0\";\n" text "\n});\n"

static void by_keepalived(void **state)
{
	static const char text[] =
		"addresses = ({ address = \"192.0.2.100/24\"; device = \"eth0\"; "
		"backend = \"keepalived\"; instance = \"VI_1\"; track_file = \"/run/VI_1\"; },\n"
		"{ address = \"192.0.2.101\"; device = \"eth0\"; backend = \"keepalived\"; },\n"
		"{ address = \"192.0.2.102\"; device = \"eth0\"; });\n"
		"keepalived_seconds = 7;\n";
	const struct takeover_backend_settings *s;
	struct takeover_config config;
	struct takeover_address a;

	(void)state;
	assert_int_equal(read_text(text, &config), 0);
	assert_int_equal(config.keepalived_seconds, 7);
	s = takeover_config_backend(&config, &config.addresses[0]);
	assert_int_equal(s->kind, TAKEOVER_BACKEND_KEEPALIVED);
	assert_string_equal(s->instance, "VI_1");
	assert_string_equal(s->track_file, "/run/VI_1");
	s = takeover_config_backend(&config, &config.addresses[1]);
	assert_int_equal(s->kind, TAKEOVER_BACKEND_KEEPALIVED);
	assert_string_equal(s->instance, "");
	assert_string_equal(s->track_file, "");
	s = takeover_config_backend(&config, &config.addresses[2]);
	assert_int_equal(s->kind, TAKEOVER_BACKEND_GARP);
	assert_int_equal(takeover_address_parse("192.0.2.7", &a), 0);
	assert_int_equal(takeover_config_backend(&config, &a)->kind, TAKEOVER_BACKEND_GARP);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", ": addresses: expected a list" },
		{ "hold_seconds = 1;\n", ": addresses: expected a list" },
		{ "addresses = ();\n", ":1: addresses: expected a list ( { ... }, ... ) of 1" },
		{ "addresses = \"192.0.2.100/24\";\n", ":1: addresses: expected a list" },
		{ "addresses = [ \"192.0.2.1/24\" ];\n", ":1: addresses: expected a list" },
		{ "addresses = { address = \"192.0.2.1\"; };\n", ":1: addresses: expected a list" },
		{ "\naddresses = 5;\n", ":2: addresses: expected a list" },
		{ "addresses = (\"192.0.2.100/24\");\n", ":1: expected {" },
		{ "addresses = (());\n", ":1: expected {" },
		{ "addresses = ({});\n", ":1: expected {" },
		{ "\n\naddresses = ({ address = \"192.0.2.100/24\"; });\n", ":3: expected {" },
		{ "addresses = ({ device = \"eth0\"; });\n", ":1: expected {" },
		{ "addresses = ({ address = 5; device = \"eth0\"; });\n", ":1: expected {" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = 5; });\n",
		  ":1: expected {" },
		{ "addresses = ({ address = (); device = \"eth0\"; });\n", ":1: expected {" },
		{ ADDRESS(""), ":1: address: expected" },
		{ ADDRESS("192.0.2"), ":1: address: expected" },
		{ ADDRESS("192.0.2.300"), ":1: address: expected" },
		{ ADDRESS("192.0.2.1/33"), ":1: address: expected" },
		{ ADDRESS("192.0.2.1/"), ":1: address: expected" },
		{ ADDRESS("192.0.2.1/-1"), ":1: address: expected" },
		{ ADDRESS("192.0.2.1 "), ":1: address: expected" },
		{ ADDRESS("service.example"), ":1: address: expected" },
		{ ADDRESS("0.0.0.0/0"), ":1: address: expected" },
		{ ADDRESS("127.0.0.1/8"), ":1: address: expected" },
		{ ADDRESS("224.0.0.1/4"), ":1: address: expected" },
		{ ADDRESS("255.255.255.255"), ":1: address: expected" },
		{ ADDRESS("fe80::1/64"), ":1: address: expected" },
		{ ADDRESS("ff02::1/64"), ":1: address: expected" },
		{ ADDRESS("::/0"), ":1: address: expected" },
		{ ADDRESS("::1/128"), ":1: address: expected" },
		{ ADDRESS("::ffff:192.0.2.1"), ":1: address: expected" },
		{ ADDRESS("2001:db8::1/129"), ":1: address: expected" },
		{ "addresses = ({\n device = \"eth0\";\n address = \"x\"; });\n", ":3: address:" },
		{ DEVICE(""), ":1: device: expected" },
		{ DEVICE("a/b"), ":1: device: expected" },
		{ DEVICE("a:1"), ":1: device: expected" },
		{ DEVICE("a b"), ":1: device: expected" },
		{ DEVICE("a\\nb"), ":1: device: expected" },
		{ DEVICE("\xc3\xa9"), ":1: device: expected" },
		{ DEVICE(".."), ":1: device: expected" },
		{ DEVICE("sixteen-letters-"), ":1: device: expected" },
		{ "addresses = ({\n address = \"192.0.2.1\";\n device = \"/\"; });\n",
		  ":3: device:" },
		{ MORE("backend = \"vrrp\";"), ":4: backend: expected \"garp\"" },
		{ MORE("backend = \"exec\";"), ":1: program: expected an absolute path" },
		{ MORE("backend = \"exec\"; program = \"move\";"), ":4: program: expected" },
		{ MORE("backend = \"exec\"; program = 5;"), ":4: program: expected" },
		{ MORE("backend = \"exec\"; program = \"/a\nb\";"), ":4: program: expected" },
		{ MORE("backend = \"exec\"; program = \"/a\"; seconds = 0;"), ":4: seconds: exp" },
		{ MORE("backend = \"exec\"; program = \"/a\"; seconds = 11;"), ":4: seconds: e" },
		{ MORE("backend = \"exec\"; program = \"/a\"; seconds = \"1\";"), ":4: seconds" },
		{ MORE("program = \"/a\";"), ":4: unknown setting" },
		{ MORE("backend = 5;"), ":4: backend: expected \"garp\"" },
		{ MORE("\nbakend = \"garp\";"), ":5: unknown setting; known are address, device" },
		{ MORE("instance = \"VI_1\";"), ":4: unknown setting; known are address" },
		{ MORE("backend = \"keepalived\"; instance = \"\";"), ":4: instance: expected" },
		{ MORE("backend = \"keepalived\"; instance = 1;"), ":4: instance: expected" },
		{ MORE("backend = \"keepalived\"; track_file = \"VI_1\";"),
		  ":4: track_file: expected an absolute path" },
		{ MORE("backend = \"keepalived\"; track_file = \"/run/../x\";"),
		  ":4: track_file: expected" },
		{ ONE "keepalived_seconds = 0;\n", ":2: keepalived_seconds: expected a number" },
		{ MORE("device = \"eth1\";"), ":4: duplicate setting name; expected" },
		{ ONE ONE, ":2: duplicate setting name; expected" },
		{ ONE "hold_packets = 0;\n",
		  ":2: hold_packets: expected a number from 1 to 1000000" },
		{ ONE "hold_packets = -1;\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = 1000001;\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = 99999999999;\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = 5L;\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = 1.5;\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = (1);\n", ":2: hold_packets: expected" },
		{ ONE "hold_packets = 1;\nhold_packets = 1;\n", ":3: duplicate setting name" },
		{ ONE "hold_seconds = 0;\n", ":2: hold_seconds: expected a number from 1 to 3600" },
		{ ONE "hold_seconds = 3601;\n", ":2: hold_seconds: expected" },
		{ ONE "hold_seconds = \"long\";\n", ":2: hold_seconds: expected" },
		{ ONE "hold_seconds = 1;\n\nhold_seconds = 1;\n", ":4: duplicate setting name" },
		{ ONE "probe_ms = 0;\n", ":2: probe_ms: expected a number from 1 to 10000" },
		{ ONE "probe_ms = 10001;\n", ":2: probe_ms: expected" },
		{ ONE "probe_ms = true;\n", ":2: probe_ms: expected" },
		{ ONE "probe_ms = {};\n", ":2: probe_ms: expected" },
		{ ONE "probe_ms = 1; probe_ms = 1;\n", ":2: duplicate setting name" },
		{ ONE "in_doubt = \"stay\";\n", ":2: in_doubt: expected \"wait\", \"go\" or" },
		{ ONE "in_doubt = 1;\n", ":2: in_doubt: expected" },
		{ ONE "in_doubt_seconds = 0;\n", ":2: in_doubt_seconds: expected a number from 1" },
		{ ONE "checkpoint_max_age = 0;\n",
		  ":2: checkpoint_max_age: expected a number from 1" },
		{ ONE "quiesce_ms = -1;\n", ":2: quiesce_ms: expected a number from 0 to 10000" },
		{ ONE "quiesce_ms = 10001;\n", ":2: quiesce_ms: expected" },
		{ ONE "quiesce_ms = \"0\";\n", ":2: quiesce_ms: expected" },
		{ ONE "quiesce_ms = [ 1 ];\n", ":2: quiesce_ms: expected" },
		{ ONE "quiesce_ms = 1; quiesce_ms = 1;\n", ":2: duplicate setting name" },
		{ ONE "other_processes = \"allow\";\n",
		  ":2: other_processes: expected \"refuse\" or \"ignore\"" },
		{ ONE "other_processes = \"\";\n", ":2: other_processes: expected" },
		{ ONE "other_processes = true;\n", ":2: other_processes: expected" },
		{ ONE "other_processes = 0;\n", ":2: other_processes: expected" },
		{ ONE "other_processes = \"ignore\"; other_processes = \"ignore\";\n",
		  ":2: duplicate setting name" },
		{ ONE "\nhold_second = 1;\n",
		  ":3: unknown setting; known are addresses, hold_packets" },
		{ ONE "@include \"/etc/passwd\"\n", ":2: @include: expected all settings" },
		{ "\t @include \"x\"\n" ONE, ":1: @include: expected all settings" },
		{ ONE "@include\n", ":2: @include: expected" },
		{ "addresses = (", ":1: syntax error; expected NAME = VALUE" },
		{ ONE "quiesce_ms 5;\n", ":2: syntax error; expected" },
		{ ONE "quiesce_ms = = 5;\n", ":2: syntax error; expected" },
		{ "{ hold_seconds = 1; }", ":1: syntax error; expected" },
		{ "\xff\xfe", ":1: syntax error; expected" },
	};
	struct takeover_config config = { .n_addresses = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = read_text(cases[i].text, &config);
		size_t n = strlen(path);

		if (ret != -EINVAL || strncmp(error, path, n) != 0 ||
		    strncmp(error + n, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("\"%s\" says %d \"%s\", not \"%s\"", cases[i].text, ret, error,
				 cases[i].said);
		assert_int_equal(config.n_addresses, 77);
	}
}

static void the_ends_of_the_ranges(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text(ONE "hold_packets = 1; hold_seconds = 1; probe_ms = 1; "
				       "quiesce_ms = 0; other_processes = \"refuse\";",
				   &config),
			 0);
	assert_int_equal(config.hold_packets, 1);
	assert_int_equal(config.hold_seconds, 1);
	assert_int_equal(config.probe_ms, 1);
	assert_int_equal(config.quiesce_ms, 0);
	assert_false(config.ignore_others);
	assert_int_equal(read_text(ONE
				   "hold_packets: 1000000; hold_seconds: 3600, probe_ms = 10000 "
				   "quiesce_ms = 0x2710; other_processes = \"ignore\";",
				   &config),
			 0);
	assert_int_equal(config.hold_packets, 1000000);
	assert_int_equal(config.hold_seconds, 3600);
	assert_int_equal(config.probe_ms, 10000);
	assert_int_equal(config.quiesce_ms, 10000);
	assert_true(config.ignore_others);
}

/* libconfig would take it for the end. */
static void a_zero_byte(void **state)
{
	static const char text[] = ONE "hold_seconds = 1;\n\0hold_seconds = 2;\n";
	struct takeover_config config;

	(void)state;
	assert_int_equal(takeover_config_parse(text, sizeof(text) - 1, "x.conf", &config, error,
					       sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "x.conf:3: a zero byte; expected text");
}

static void every_beginning_of_one(void **state)
{
	struct takeover_config config;

	(void)state;
	for (size_t n = 0; n + 3 < strlen(ONE); n++)
		assert_int_equal(
			takeover_config_parse(ONE, n, "x.conf", &config, error, sizeof(error)),
			-EINVAL);
}

static void too_large(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text(ONE, &config), 0);
	assert_int_equal(truncate(path, 256 * 1024 + 1), 0);
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -EFBIG);
	assert_non_null(strstr(error, "expected at most 256 KiB"));
}

static void a_pipe_is_no_file(void **state)
{
	struct takeover_config config;

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0644), 0);
	alarm(10);
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -EINVAL);
	alarm(0);
	assert_non_null(strstr(error, "expected a file"));
}

/* In a child that is not root: root may read everything. */
static void unreadable(void **state)
{
	struct takeover_config config;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(read_text(ONE, &config), 0);
	chmod(path, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && seteuid(65534) < 0)
			_exit(78);
		_exit(takeover_config_read(&config, error, sizeof(error)) == -EACCES &&
				      strncmp(error, path, strlen(path)) == 0 &&
				      strstr(error, "Permission denied")
			      ? 0
			      : 77);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void one_address_twice(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text("addresses = (\n"
				   "{ address = \"192.0.2.100/24\"; device = \"eth0\"; },\n"
				   "{ address = \"192.0.2.100/32\"; device = \"eth1\"; });\n",
				   &config),
			 -EINVAL);
	assert_non_null(strstr(error, ":3: address: named twice"));
}

static void others_may_not_write_it(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text(ONE, &config), 0);
	chmod(path, 0664);
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "chmod 644"));
	chmod(path, 0646);
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -EPERM);
}

static void none_at_all(void **state)
{
	struct takeover_config config;

	(void)state;
	setenv(TAKEOVER_CONFIG_ENV, "/nonexistent/x.conf", 1);
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/x.conf: No such file"));
}

static void of_another_owner(void **state)
{
	struct takeover_config config;

	(void)state;
	assert_int_equal(read_text(ONE, &config), 0);
	if (chown(path, 65533, -1) < 0)
		skip();
	assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, path));
}

static void as_many_as_there_may_be(void **state)
{
	struct takeover_config config;
	char text[8192];

	(void)state;
	for (int n = TAKEOVER_ADDRESSES_MAX; n <= TAKEOVER_ADDRESSES_MAX + 1; n++) {
		size_t len = snprintf(text, sizeof(text), "addresses = (");

		for (int i = 1; i <= n; i++)
			len += snprintf(text + len, sizeof(text) - len,
					"%s{ address = \"192.0.2.%d/24\"; device = \"eth0\"; }",
					i > 1 ? ",\n" : "", i);
		snprintf(text + len, sizeof(text) - len, ");\n");
		assert_int_equal(read_text(text, &config),
				 n <= TAKEOVER_ADDRESSES_MAX ? 0 : -EINVAL);
		assert_int_equal(config.n_addresses, TAKEOVER_ADDRESSES_MAX);
	}
	assert_non_null(strstr(error, "1 to 64"));
}

/* In a child: libconfig's scanner ends the process when it cannot read. */
static void a_directory_is_no_file(void **state)
{
	struct takeover_config config;
	int status;
	pid_t pid;

	(void)state;
	setenv(TAKEOVER_CONFIG_ENV, "/", 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(takeover_config_read(&config, error, sizeof(error)) == -EINVAL &&
				      strncmp(error, "/:", 2) == 0
			      ? 0
			      : 77);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Last: /etc stays hidden. */
static void the_usual_place(void **state)
{
	struct takeover_config config;

	(void)state;
	unit_need_run();
	assert_int_equal(mount("tmpfs", "/etc", "tmpfs", 0, NULL), 0);
	for (int empty = 0; empty < 2; empty++) {
		if (empty)
			setenv(TAKEOVER_CONFIG_ENV, "", 1);
		else
			unsetenv(TAKEOVER_CONFIG_ENV);
		assert_int_equal(takeover_config_read(&config, error, sizeof(error)), -ENOENT);
		assert_non_null(strstr(error, TAKEOVER_CONFIG_PATH));
	}
	unit_run("mkdir /etc/criu");
	strcpy(path, TAKEOVER_CONFIG_PATH);
	assert_int_equal(read_text(ONE, &config), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address_and_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(every_setting, setup, teardown),
		cmocka_unit_test_setup_teardown(by_keepalived, setup, teardown),
		cmocka_unit_test_setup_teardown(a_program, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(the_ends_of_the_ranges, setup, teardown),
		cmocka_unit_test(a_zero_byte),
		cmocka_unit_test(every_beginning_of_one),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pipe_is_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(one_address_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(others_may_not_write_it, setup, teardown),
		cmocka_unit_test_setup_teardown(none_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(of_another_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_is_no_file, setup, teardown),
		cmocka_unit_test(the_usual_place),
	};

	return unit_main("config", tests, NULL, NULL);
}
