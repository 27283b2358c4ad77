// SPDX-License-Identifier: GPL-2.0-only
/* Questions and answers of a takeover in doubt, as bytes. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "word.h"

#define HEAD	14
#define SIGNED	(TAKEOVER_WORD_LEN - HEAD - 8)
#define VERSION 1

struct body {
	char magic[4];
	uint8_t version, state, zero[2];
	unsigned char id[16];
	uint64_t epoch, nonce, tag;
} __attribute__((packed));

_Static_assert(HEAD + sizeof(struct body) == TAKEOVER_WORD_LEN, "no padding");

static void put_id(const char *text, unsigned char *id)
{
	for (int i = 0; i < 16 && *text; i++) {
		text += *text == '-';
		sscanf(text, "%2hhx", &id[i]);
		text += 2;
	}
}

static uint64_t sign(const struct body *body, const unsigned char *secret)
{
	return htobe64(takeover_siphash(secret, body, SIGNED));
}

void takeover_word_build(unsigned char buf[TAKEOVER_WORD_LEN], const struct takeover_word *word,
			 const unsigned char secret[TAKEOVER_SECRET_LEN], const unsigned char *from,
			 const unsigned char *to)
{
	struct body body = {
		.magic = "ipto",
		.version = VERSION,
		.state = word->state,
		.epoch = htobe64(word->epoch),
		.nonce = htobe64(word->nonce),
	};

	put_id(word->id, body.id);
	body.tag = sign(&body, secret);
	if (to)
		memcpy(buf, to, TAKEOVER_MAC_LEN);
	else
		memset(buf, 0xff, TAKEOVER_MAC_LEN);
	memcpy(buf + TAKEOVER_MAC_LEN, from, TAKEOVER_MAC_LEN);
	buf[12] = TAKEOVER_WORD_ETHERTYPE >> 8;
	buf[13] = TAKEOVER_WORD_ETHERTYPE & 0xff;
	memcpy(buf + HEAD, &body, sizeof(body));
}

int takeover_word_parse(const unsigned char *frame, size_t n, struct takeover_word *word,
			const unsigned char secret[TAKEOVER_SECRET_LEN])
{
	unsigned char id[16] = { 0 };
	struct body body;

	/* A driver may leave the padding of a short frame. */
	if (n < TAKEOVER_WORD_LEN || frame[12] != TAKEOVER_WORD_ETHERTYPE >> 8 ||
	    frame[13] != (TAKEOVER_WORD_ETHERTYPE & 0xff))
		return -EPROTO;
	memcpy(&body, frame + HEAD, sizeof(body));
	put_id(word->id, id);
	if (memcmp(body.magic, "ipto", 4) != 0 || body.version != VERSION ||
	    body.state >= TAKEOVER_WORD_STATES || body.zero[0] || body.zero[1] ||
	    memcmp(body.id, id, sizeof(id)) != 0 || be64toh(body.epoch) != word->epoch ||
	    body.tag != sign(&body, secret))
		return -EPROTO;
	word->state = body.state;
	word->nonce = be64toh(body.nonce);
	return 0;
}
