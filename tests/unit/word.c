// SPDX-License-Identifier: GPL-2.0-only
/* A word between keepers: its bytes, and that nobody else can say it. */
#include <errno.h>
#include <string.h>

#include "unit.h"
#include "word.h"

static const unsigned char mac[] = { 2, 0, 0, 0, 0, 0x0b };
static const unsigned char secret[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const struct takeover_word said = {
	.state = TAKEOVER_WORD_COMMITTED,
	.id = "00112233-4455-4677-8899-aabbccddeeff",
	.epoch = 0x0102030405060708,
	.nonce = 0x1112131415161718,
};

/* From the paper's appendix A, and its authors' table of vectors. */
static void hash(void **state)
{
	unsigned char message[15];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	assert_int_equal(takeover_siphash(secret, message, 15), 0xa129ca6149be45e5);
	assert_int_equal(takeover_siphash(secret, message, 0), 0x726fdb47dd0e0e31);
	assert_int_equal(takeover_siphash(secret, message, 8), 0x93f5f5799a932462);
}

static void there_and_back(void **state)
{
	struct takeover_word heard = { .id = said.id, .epoch = said.epoch };
	unsigned char buf[TAKEOVER_WORD_LEN];

	(void)state;
	takeover_word_build(buf, &said, secret, mac, NULL);
	assert_memory_equal(buf,
			    "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x0b\x88\xb5ipto\x01\x02\0\0"
			    "\x00\x11\x22\x33\x44\x55\x46\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
			    "\1\2\3\4\5\6\7\x08\x11\x12\x13\x14\x15\x16\x17\x18",
			    TAKEOVER_WORD_LEN - 8);
	assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, secret), 0);
	assert_int_equal(heard.state, said.state);
	assert_int_equal(heard.nonce, said.nonce);
	takeover_word_build(buf, &said, secret, mac, mac);
	assert_memory_equal(buf, mac, sizeof(mac));
}

static void of_nobody_else(void **state)
{
	struct takeover_word heard = { .id = said.id, .epoch = said.epoch };
	unsigned char buf[TAKEOVER_WORD_LEN], other[TAKEOVER_SECRET_LEN] = { 1 };

	(void)state;
	takeover_word_build(buf, &said, secret, mac, NULL);
	assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, other), -EPROTO);
	assert_int_equal(takeover_word_parse(buf, sizeof(buf) - 1, &heard, secret), -EPROTO);
	heard.epoch++;
	assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, secret), -EPROTO);
	heard.epoch--;
	heard.id = "00112233-4455-4677-8899-aabbccddeefe";
	assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, secret), -EPROTO);
	heard.id = said.id;
	/* But for the Ethernet addresses each bit counts. */
	for (size_t i = 12 * 8; i < sizeof(buf) * 8; i++) {
		buf[i / 8] ^= 1 << i % 8;
		assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, secret), -EPROTO);
		buf[i / 8] ^= 1 << i % 8;
	}
	assert_int_equal(takeover_word_parse(buf, sizeof(buf), &heard, secret), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(of_nobody_else),
	};

	return unit_main("word", tests, NULL, NULL);
}
