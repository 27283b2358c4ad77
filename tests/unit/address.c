// SPDX-License-Identifier: GPL-2.0-only
/* Service addresses: text in and out, and on a device of a namespace of our own. */
#include <errno.h>
#include <string.h>

#include "address.h"
#include "unit.h"

static void parses_what_a_person_writes(void **state)
{
	static const char *const texts[] = { "192.0.2.100/24", "192.0.2.7/32", "2001:db8::100/64" };
	char buf[TAKEOVER_ADDRESS_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct takeover_address address;

		assert_int_equal(takeover_address_parse(texts[i], &address), 0);
		assert_string_equal(takeover_address_format(&address, buf, sizeof(buf)), texts[i]);
	}
}

static void refuses_what_no_host_can_own(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "", -EINVAL },
		{ "192.0.2", -EINVAL },
		{ "192.0.2.1/", -EINVAL },
		{ "192.0.2.1/24x", -EINVAL },
		{ "192.0.2.1/-1", -EINVAL },
		{ "192.0.2.1/33", -ERANGE },
		{ "192.0.2.1/4294967320", -ERANGE },
		{ "2001:db8::1/129", -ERANGE },
		{ "0.0.0.0/0", -EADDRNOTAVAIL },
		{ "127.0.0.1/8", -EADDRNOTAVAIL },
		{ "224.0.0.1/4", -EADDRNOTAVAIL },
		{ "255.255.255.255/32", -EADDRNOTAVAIL },
		{ "::/0", -EADDRNOTAVAIL },
		{ "::1/128", -EADDRNOTAVAIL },
		{ "fe80::1/64", -EADDRNOTAVAIL },
		{ "::ffff:192.0.2.1/96", -EADDRNOTAVAIL },
		{ "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/64", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct takeover_address address = { .family = 77 };

		assert_int_equal(takeover_address_parse(bad[i].text, &address), bad[i].err);
		assert_int_equal(address.family, 77);
	}
}

static void adds_and_deletes_on_a_device(void **state)
{
	static const char *const texts[] = { "192.0.2.100/24", "2001:db8::100/64" };

	(void)state;
	unit_need_netns();
	unit_run("ip link add eth0 type veth peer name peer0 && ip link set eth0 up && "
		 "ip link set peer0 up && ip addr add 192.0.2.1/24 dev eth0");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct takeover_address address;
		bool present = true;

		assert_int_equal(takeover_address_parse(texts[i], &address), 0);
		strcpy(address.device, "eth0");
		assert_int_equal(takeover_address_present(&address, &present), 0);
		assert_false(present);
		assert_int_equal(takeover_address_delete(&address, 1000), 0);
		assert_int_equal(takeover_address_add(&address), 0);
		assert_int_equal(takeover_address_add(&address), 0);
		assert_int_equal(takeover_address_present(&address, &present), 0);
		assert_true(present);
		assert_int_equal(takeover_address_delete(&address, 1000), 0);
		assert_int_equal(takeover_address_present(&address, &present), 0);
		assert_false(present);
	}
	unit_run("ip route show | grep -q '192.0.2.0/24 dev eth0'");
}

static void names_a_missing_device(void **state)
{
	struct takeover_address address;

	(void)state;
	unit_need_netns();
	assert_int_equal(takeover_address_parse("192.0.2.100/24", &address), 0);
	strcpy(address.device, "nosuch0");
	assert_int_equal(takeover_address_add(&address), -ENODEV);
	assert_int_equal(takeover_address_delete(&address, 10), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_a_person_writes),
		cmocka_unit_test(refuses_what_no_host_can_own),
		cmocka_unit_test(adds_and_deletes_on_a_device),
		cmocka_unit_test(names_a_missing_device),
	};

	return unit_main("address", tests, NULL, NULL);
}
