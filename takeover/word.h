/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the keepers of one takeover say to each other without a connection: a destination in doubt
 * asks the source's, which answers; and it says when it lets packets in. Ethernet frames of the
 * EtherType for local experiments (IEEE 802). Both know a secret from the manifest, which no frame
 * shows: it signs them.
 *
 *   14  Ethernet header
 *    4  "ipto"
 *    1  version, 1
 *    1  enum takeover_word_state: what is asked, answered or said
 *    2  zeros
 *   16  id of the takeover
 *    8  its epoch
 *    8  a random number of the question, which its answer repeats
 *    8  SipHash-2-4 of all from "ipto" on, by the secret
 */
#ifndef TAKEOVER_WORD_H
#define TAKEOVER_WORD_H

#include <stddef.h>
#include <stdint.h>

#include "announce.h"
#include "siphash.h"

#define TAKEOVER_WORD_ETHERTYPE 0x88b5
#define TAKEOVER_WORD_LEN	62

enum takeover_word_state {
	TAKEOVER_WORD_QUESTION,
	TAKEOVER_WORD_UNDECIDED,
	TAKEOVER_WORD_COMMITTED,
	TAKEOVER_WORD_ROLLED_BACK,
	TAKEOVER_WORD_RELEASED, /* by a destination, unasked: what is not relayed yet is too late */
	/* The new owner, with keepalived: whose announcements prove nothing. */
	TAKEOVER_WORD_CLAIMED,
	/* About an address; segment.h */
	TAKEOVER_WORD_WHO,	 /* who stands by for it? */
	TAKEOVER_WORD_PREPARED,	 /* I do */
	TAKEOVER_WORD_TAKE_BACK, /* it stays with me */
	TAKEOVER_WORD_RUNS,	 /* as TAKEOVER_WORD_CLAIMED, and the service runs there */
	TAKEOVER_WORD_STATES,
};

struct takeover_word {
	enum takeover_word_state state;
	const char *id; /* a uuid */
	uint64_t epoch, nonce;
};

/* From @from to @to (NULL: to all). */
void takeover_word_build(unsigned char buf[TAKEOVER_WORD_LEN], const struct takeover_word *word,
			 const unsigned char secret[TAKEOVER_SECRET_LEN], const unsigned char *from,
			 const unsigned char *to);

/* Whether the @n bytes of @frame (untrusted) are a word about the takeover @word->id of the
 * epoch @word->epoch, signed by @secret: then its state and nonce are in @word. */
int takeover_word_parse(const unsigned char *frame, size_t n, struct takeover_word *word,
			const unsigned char secret[TAKEOVER_SECRET_LEN]);

#endif
