// SPDX-License-Identifier: GPL-2.0-only
/* The configuration: what it takes, and what it says of what it does not take. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address_and_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(every_setting, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(one_address_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(others_may_not_write_it, setup, teardown),
		cmocka_unit_test_setup_teardown(none_at_all, setup, teardown),
	};

	return unit_main("config", tests, NULL, NULL);
}
