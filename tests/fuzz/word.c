// SPDX-License-Identifier: GPL-2.0-only
/* Words about a takeover in doubt from the segment. */
#include <endian.h>

#include "fuzz.h"
#include "word.h"

/* The last 8 bytes are made right: who knows the secret may say anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char secret[TAKEOVER_SECRET_LEN] = "0123456789abcdef";
	static const unsigned char mac[TAKEOVER_MAC_LEN] = { 2 };
	struct takeover_word word = { .id = "30303030-3030-4030-8030-303030303030",
				      .epoch = 0x3030303030303030 };
	unsigned char frame[256], again[TAKEOVER_WORD_LEN];
	uint64_t tag;

	if (size > sizeof(frame))
		return 0;
	memcpy(frame, data, size);
	if (size >= TAKEOVER_WORD_LEN) {
		tag = htobe64(takeover_siphash(secret, frame + 14, TAKEOVER_WORD_LEN - 14 - 8));
		memcpy(frame + TAKEOVER_WORD_LEN - 8, &tag, sizeof(tag));
	}
	if (takeover_word_parse(frame, size, &word, secret) < 0)
		return 0;
	assert(size >= TAKEOVER_WORD_LEN && word.state < TAKEOVER_WORD_STATES);
	takeover_word_build(again, &word, secret, mac, NULL);
	assert(memcmp(frame + 12, again + 12, sizeof(again) - 12) == 0);
	return 0;
}
