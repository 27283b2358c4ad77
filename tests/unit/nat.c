// SPDX-License-Identifier: GPL-2.0-only
/* Translated connections as JSON: there and back, and what is not believed. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "nat.h"
#include "unit.h"

static struct takeover_address addresses[2];
static char error[200];

#define GOOD                                                                                       \
	"{\"protocol\": \"tcp\", \"peer\": [\"192.0.2.3\", 41234], "                               \
	"\"address\": [\"192.0.2.100\", 6379], \"to\": [\"198.51.100.5\", 7000], "                 \
	"\"seconds\": 431999}"

static int setup(void **state)
{
	(void)state;
	return takeover_address_parse("192.0.2.100/24", &addresses[0])
		       ?: takeover_address_parse("2001:db8::100/64", &addresses[1]);
}

static int parse(const char *text, struct takeover_nats *nats)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	int ret;

	error[0] = '\0';
	ret = takeover_nat_parse(json, addresses, 2, nats, error, sizeof(error));
	json_decref(json);
	return ret;
}

static void what_is_formatted_is_parsed(void **state)
{
	static const char text[] =
		"[" GOOD ", {\"protocol\": \"udp\", \"peer\": [\"fe80::1\", 1], "
		"\"address\": [\"2001:db8::100\", 65535], \"to\": [\"2001:db8:88::5\", 53], "
		"\"seconds\": 2147483647, \"from\": [\"2001:db8:88::1\", 9], "
		"\"mark\": 4294967295}, {\"protocol\": \"tcp\", \"peer\": [\"192.0.2.3\", 2], "
		"\"address\": [\"192.0.2.100\", 80], \"to\": [\"192.0.2.100\", 8080], "
		"\"seconds\": 1, \"state\": \"time-wait\"}]";
	struct takeover_nats nats;
	json_t *json, *again;

	(void)state;
	assert_int_equal(parse(text, &nats), 0);
	assert_int_equal(nats.n, 3);
	assert_int_equal(nats.all[0].family, AF_INET);
	assert_int_equal(nats.all[0].protocol, IPPROTO_TCP);
	assert_int_equal(nats.all[0].state, TCP_CONNTRACK_ESTABLISHED);
	assert_int_equal(nats.all[0].original.sport, 41234);
	assert_int_equal(nats.all[0].reply.sport, 7000);
	assert_int_equal(nats.all[0].reply.dport, 41234);
	assert_memory_equal(nats.all[0].reply.dst, nats.all[0].original.src, 16);
	assert_int_equal(nats.all[1].mark, 4294967295);
	assert_int_equal(nats.all[1].reply.dport, 9);
	assert_int_equal(nats.all[2].state, TCP_CONNTRACK_TIME_WAIT);
	assert_int_equal(takeover_nat_format(&nats, &json), 0);
	again = json_loads(text, 0, NULL);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	free(nats.all);
	assert_int_equal(parse("[]", &nats), 0);
	assert_int_equal(nats.n, 0);
	free(nats.all);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *field, *value, *error;
	} wrong[] = {
		{ "protocol", "\"icmp\"", "protocol: expected" },
		{ "protocol", "6", "protocol: expected" },
		{ "peer", "null", "peer: expected" },
		{ "peer", "[\"192.0.2.3\"]", "peer: expected" },
		{ "peer", "[\"192.0.2.3\", 1, 2]", "peer: expected" },
		{ "peer", "[\"192.0.2.3\", 0]", "peer: expected" },
		{ "peer", "[\"192.0.2.3\", 65536]", "peer: expected" },
		{ "peer", "[\"192.0.2.3\", \"1\"]", "peer: expected" },
		{ "peer", "[\"192.0.2.3/24\", 1]", "peer: expected" },
		{ "peer", "[\"2001:db8::3\", 1]", "peer: expected" },
		{ "peer", "[\"127.0.0.1\", 1]", "expected a peer's" },
		{ "peer", "[\"255.255.255.255\", 1]", "expected a peer's" },
		{ "address", "[\"\", 6379]", "address: expected" },
		{ "address", "\"192.0.2.100\"", "address: expected" },
		{ "address", "[\"192.0.2.101\", 6379]", "expected a peer's" },
		{ "address", "[\"2001:db8::100\", 6379]", "peer: expected" },
		{ "to", "[\"2001:db8::5\", 7000]", "to: expected" },
		{ "to", "[\"127.0.0.1\", 7000]", "expected a peer's" },
		{ "to", "[\"224.0.0.1\", 7000]", "expected a peer's" },
		{ "to", "[\"0.0.0.0\", 7000]", "expected a peer's" },
		{ "to", "[\"192.0.2.100\", 6379]", "expected a peer's" },
		{ "from", "[\"2001:db8::5\", 7000]", "from: expected" },
		{ "from", "null", "from: expected" },
		{ "seconds", "0", "seconds: expected" },
		{ "seconds", "-1", "seconds: expected" },
		{ "seconds", "2147483648", "seconds: expected" },
		{ "seconds", "1.5", "seconds: expected" },
		{ "seconds", "\"1\"", "seconds: expected" },
		{ "mark", "0", "mark: expected" },
		{ "mark", "4294967296", "mark: expected" },
		{ "state", "\"syn-sent\"", "state: expected" },
		{ "state", "\"\"", "state: expected" },
		{ "state", "3", "state: expected" },
		{ "zone", "1", "zone: unknown field" },
	};
	struct takeover_nats nats;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		json_t *list = json_loads("[" GOOD ", " GOOD "]", 0, NULL);
		char *text;

		json_object_set_new(json_array_get(list, 1), wrong[i].field,
				    json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
		text = json_dumps(list, 0);
		assert_int_equal(parse(text, &nats), -EINVAL);
		if (!strstr(error, wrong[i].error) || strncmp(error, "nat: connection 2: ", 19))
			fail_msg("%s: %s: %s", wrong[i].field, wrong[i].value, error);
		free(text);
		json_decref(list);
	}
}

static void what_is_no_list_of_objects_is_refused(void **state)
{
	static const char *const texts[] = { "{}", "1", "null", "[1]", "[[]]", "[{}]" };
	struct takeover_nats nats;
	json_t *many = json_array();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse(texts[i], &nats), -EINVAL);
	for (size_t i = 0; i <= TAKEOVER_NAT_MAX; i++)
		json_array_append_new(many, json_null());
	assert_int_equal(takeover_nat_parse(many, addresses, 2, &nats, error, sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "at most 65536"));
	json_decref(many);
	assert_int_equal(takeover_nat_parse(NULL, addresses, 2, &nats, error, sizeof(error)),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_formatted_is_parsed),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_is_no_list_of_objects_is_refused),
	};

	return unit_main("nat", tests, setup, NULL);
}
