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
	assert_int_equal(config.hold_packets, 7);
	assert_int_equal(config.hold_seconds, 3);
	assert_int_equal(config.probe_ms, 50);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "addresses" },
		{ "addresses = ();\n", "addresses" },
		{ "addresses = \"192.0.2.100/24\";\n", "addresses" },
		{ "addresses = (\"192.0.2.100/24\");\n", ":1: expected {" },
		{ "\n\naddresses = ({ address = \"192.0.2.100/24\"; });\n", ":3: expected {" },
		{ "addresses = ({ address = \"192.0.2.300\"; device = \"eth0\"; });\n",
		  "address:" },
		{ "addresses = ({ address = \"192.0.2.1/33\"; device = \"eth0\"; });\n",
		  "address:" },
		{ "addresses = ({ address = \"127.0.0.1/8\"; device = \"lo\"; });\n", "address:" },
		{ "addresses = ({ address = \"224.0.0.1/4\"; device = \"eth0\"; });\n",
		  "address:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"\"; });\n", "device:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"a/b\"; });\n", "device:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"sixteen-letters-\"; });\n",
		  "device:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"eth0\"; "
		  "backend = \"vrrp\"; });\n",
		  "backend:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"eth0\"; backend = 5; "
		  "});\n",
		  "backend:" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = \"eth0\"; bakend = \"x\"; "
		  "});\n",
		  "unknown" },
		{ "addresses = ({ address = 5; device = \"eth0\"; });\n", "expected {" },
		{ "addresses = ({ address = \"192.0.2.1/24\"; device = 5; });\n", "expected {" },
		{ "addresses = [ \"192.0.2.1/24\" ];\n", "addresses" },
		{ "addresses = ({ address = \"fe80::1/64\"; device = \"eth0\"; });\n", "address:" },
		{ "addresses = ({ address = \"::1/128\"; device = \"lo\"; });\n", "address:" },
		{ "addresses = ({ address = \"0.0.0.0/0\"; device = \"eth0\"; });\n", "address:" },
		{ "addresses = ({ address = \"2001:db8::1/129\"; device = \"eth0\"; });\n",
		  "address:" },
		{ ONE ONE, ":2: duplicate" },
		{ ONE "hold_packets = -1;\n", ":2: hold_packets:" },
		{ ONE "hold_packets = 1000001;\n", ":2: hold_packets:" },
		{ ONE "hold_packets = 1.5;\n", ":2: hold_packets:" },
		{ ONE "hold_seconds = 0;\n", ":2: hold_seconds:" },
		{ ONE "hold_seconds = 3601;\n", ":2: hold_seconds:" },
		{ ONE "probe_ms = 0;\n", ":2: probe_ms:" },
		{ ONE "probe_ms = true;\n", ":2: probe_ms:" },
		{ ONE "hold_packets = 0;\n", ":2: hold_packets: expected a number from 1" },
		{ ONE "hold_seconds = \"long\";\n", "hold_seconds:" },
		{ ONE "probe_ms = 10001;\n", "probe_ms:" },
		{ ONE "\nhold_second = 1;\n", ":3: unknown setting" },
		{ "addresses = (", ":1:" },
	};
	struct takeover_config config = { .n_addresses = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_text(cases[i].text, &config), -EINVAL);
		if (!strstr(error, cases[i].said) || !strstr(error, path))
			fail_msg("\"%s\" says \"%s\", not \"%s\"", cases[i].text, error,
				 cases[i].said);
		assert_int_equal(config.n_addresses, 77);
	}
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
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
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
