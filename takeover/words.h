/* SPDX-License-Identifier: GPL-2.0-only */
/* What the keepers of one takeover say to each other on the segment (word.h). Whoever has no
 * manifest with a secret, as of an older version, neither speaks nor hears. */
#ifndef TAKEOVER_WORDS_H
#define TAKEOVER_WORDS_H

#include "keeper.h"
#include "word.h"

/* On the source, before the manifest is written: a secret, and by which MACs it will be known. */
int takeover_words_prepare(struct takeover_keeper *keeper);

/* What is said from now on will be heard; else from the first takeover_words_hear() on. */
void takeover_words_listen(const struct takeover_keeper *keeper);

/* The next word about this takeover on the segment of address @i, without waiting; false:
 * none. @ret_from: 6 bytes. */
bool takeover_words_hear(const struct takeover_keeper *keeper, size_t i,
			 struct takeover_word *ret_word, unsigned char *ret_from);

/* Say @state to the MAC @to (NULL: to all). A frame may be lost. */
void takeover_words_say(const struct takeover_keeper *keeper, size_t i,
			enum takeover_word_state state, uint64_t nonce, const unsigned char *to);

#endif
