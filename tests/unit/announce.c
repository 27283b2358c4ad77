// SPDX-License-Identifier: GPL-2.0-only
/* Golden bytes of every frame, and the parser against what a segment may carry. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "announce.h"
#include "unit.h"

static const unsigned char mac[] = { 0x02, 0, 0, 0, 0, 0x0b };
static const unsigned char peer[] = { 0x02, 0, 0, 0, 0, 0x0c };
static struct takeover_address v4, v6;

static int parse(void **state)
{
	(void)state;
	return takeover_address_parse("192.0.2.100/24", &v4)
		       ?: takeover_address_parse("2001:db8::100/64", &v6);
}

static void golden_frames(void **state)
{
	static const unsigned char request[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0,
						 0,    0,    0x0b, 8,	 6,    0,    1, 8, 0,
						 6,    4,    0,	   1,	 2,    0,    0, 0, 0,
						 0x0b, 192,  0,	   2,	 100,  0,    0, 0, 0,
						 0,    0,    192,  0,	 2,    100 };
	static const unsigned char reply[] = { 2,    0, 0, 0, 0,    0x0c, 2,   0, 0,  0,   0,
					       0x0b, 8, 6, 0, 1,    8,	  0,   6, 4,  0,   2,
					       2,    0, 0, 0, 0,    0x0b, 192, 0, 2,  100, 2,
					       0,    0, 0, 0, 0x0b, 192,  0,   2, 100 };
	static const unsigned char probe[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0,  0, 0,
					       0x0b, 8,	   6,	 0,    1,    8,	   0, 6, 4,  0, 1,
					       2,    0,	   0,	 0,    0,    0x0b, 0, 0, 0,  0, 0,
					       0,    0,	   0,	 0,    0,    192,  0, 2, 100 };
	/* The checksum as the kernel computes it for the same advertisement. */
	static const unsigned char advert[] = {
		0x33, 0x33, 0, 0,  0,  1,   2,	  0, 0,	   0,	 0,    0x0b, 0x86, 0xdd, 0x60, 0,
		0,    0,    0, 32, 58, 255, 0x20, 1, 0x0d, 0xb8, 0,    0,    0,	   0,	 0,    0,
		0,    0,    0, 0,  1,  0,   0xff, 2, 0,	   0,	 0,    0,    0,	   0,	 0,    0,
		0,    0,    0, 0,  0,  1,   136,  0, 0xfd, 0x0f, 0x20, 0,    0,	   0,	 0x20, 1,
		0x0d, 0xb8, 0, 0,  0,  0,   0,	  0, 0,	   0,	 0,    0,    1,	   0,	 2,    1,
		2,    0,    0, 0,  0,  0x0b
	};
	unsigned char buf[TAKEOVER_ANNOUNCE_MAX];
	size_t len;

	(void)state;
	assert_int_equal(takeover_announce_build(buf, sizeof(buf), &v4, mac, NULL, &len), 0);
	assert_int_equal(len, sizeof(request));
	assert_memory_equal(buf, request, len);
	assert_int_equal(takeover_announce_build(buf, sizeof(buf), &v4, mac, peer, &len), 0);
	assert_int_equal(len, sizeof(reply));
	assert_memory_equal(buf, reply, len);
	assert_int_equal(takeover_probe_build(buf, sizeof(buf), &v4, mac, &len), 0);
	assert_int_equal(len, sizeof(probe));
	assert_memory_equal(buf, probe, len);
	assert_int_equal(takeover_announce_build(buf, sizeof(buf), &v6, mac, NULL, &len), 0);
	assert_int_equal(len, sizeof(advert));
	assert_memory_equal(buf, advert, 56);
	assert_memory_equal(buf + 58, advert + 58, len - 58);
}

/* RFC 4443: summed over pseudo-header and message, a right checksum gives all ones. */
static void checksum_verifies(void **state)
{
	unsigned char buf[TAKEOVER_ANNOUNCE_MAX];
	uint32_t sum = IPPROTO_ICMPV6;
	size_t len;

	(void)state;
	for (int which = 0; which < 2; which++) {
		sum = IPPROTO_ICMPV6;
		if (which)
			assert_int_equal(takeover_probe_build(buf, sizeof(buf), &v6, mac, &len), 0);
		else
			assert_int_equal(
				takeover_announce_build(buf, sizeof(buf), &v6, mac, peer, &len), 0);
		sum += len - 54;
		for (size_t i = 22; i < len; i += 2)
			sum += buf[i] << 8 | buf[i + 1];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
	}
}

static void too_small_a_buffer(void **state)
{
	unsigned char buf[41];
	size_t len = 7;

	(void)state;
	assert_int_equal(takeover_announce_build(buf, sizeof(buf), &v4, mac, NULL, &len),
			 -EMSGSIZE);
	assert_int_equal(takeover_announce_build(buf, sizeof(buf), &v6, mac, NULL, &len),
			 -EMSGSIZE);
	assert_int_equal(takeover_probe_build(buf, sizeof(buf), &v6, mac, &len), -EMSGSIZE);
	assert_int_equal(len, 7);
}

static void hears_the_owner_and_nobody_else(void **state)
{
	const struct takeover_address *addresses[] = { &v4, &v6 };
	unsigned char buf[TAKEOVER_ANNOUNCE_MAX], heard[TAKEOVER_MAC_LEN];
	size_t len;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			takeover_announce_build(buf, sizeof(buf), addresses[i], mac, NULL, &len),
			0);
		assert_true(takeover_announce_parse(buf, len, addresses[i], heard));
		assert_memory_equal(heard, mac, sizeof(heard));
		assert_false(takeover_announce_parse(buf, len, addresses[!i], heard));
		for (size_t cut = 0; cut < len; cut++)
			assert_false(takeover_announce_parse(buf, cut, addresses[i], heard));
		assert_int_equal(takeover_probe_build(buf, sizeof(buf), addresses[i], mac, &len),
				 0);
		assert_false(takeover_announce_parse(buf, len, addresses[i], heard));
	}
}

/* A copy of just @len bytes, so that ASAN sees a read beyond them. Whoever is heard
 * must stand in the frame, beside the address. */
static bool check_frame(const unsigned char *frame, size_t len,
			const struct takeover_address *address)
{
	static const unsigned char untouched[TAKEOVER_MAC_LEN] = { 1, 2, 3, 4, 5, 6 };
	bool ip4 = address->family == AF_INET;
	unsigned char heard[TAKEOVER_MAC_LEN];
	unsigned char *exact = malloc(len ? len : 1);
	bool found;

	assert_non_null(exact);
	memcpy(exact, frame, len);
	memcpy(heard, untouched, sizeof(heard));
	found = takeover_announce_parse(exact, len, address, heard);
	free(exact);
	if (!found) {
		assert_memory_equal(heard, untouched, sizeof(heard));
		return false;
	}
	assert_in_range(len, ip4 ? 42 : 86, TAKEOVER_ANNOUNCE_MAX);
	assert_memory_equal(frame + (ip4 ? 28 : 62), address->ip, ip4 ? 4 : 16);
	assert_memory_equal(heard, frame + (ip4 ? 22 : 80), sizeof(heard));
	return true;
}

static void garbled_and_random_frames(void **state)
{
	const struct takeover_address *addresses[] = { &v4, &v6 };
	unsigned char good[TAKEOVER_ANNOUNCE_MAX], buf[TAKEOVER_ANNOUNCE_MAX];
	size_t len, heard = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		const struct takeover_address *address = addresses[i % 2];

		for (size_t b = 0; b < sizeof(buf); b++)
			buf[b] = random();
		assert_false(check_frame(buf, random() % (sizeof(buf) + 1), address));
		assert_int_equal(
			takeover_announce_build(good, sizeof(good), address, mac, NULL, &len), 0);
		memcpy(buf, good, len);
		for (int n = random() % 3; n >= 0; n--)
			buf[random() % len] ^= 1U << random() % 8;
		heard += check_frame(buf, len + random() % (sizeof(buf) - len + 1), address);
		check_frame(buf, random() % len, address);
		check_frame(buf, len, addresses[!(i % 2)]);
	}
	assert_in_range(heard, 1, 19999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_frames),
		cmocka_unit_test(checksum_verifies),
		cmocka_unit_test(too_small_a_buffer),
		cmocka_unit_test(hears_the_owner_and_nobody_else),
		cmocka_unit_test(garbled_and_random_frames),
	};

	return unit_main("announce", tests, parse, NULL);
}
