/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words about one address between hosts that know nothing of one another yet: frames as in
 * word.h, whose id is the address, whose epoch is 0 and whose secret is nothing: anybody on the
 * segment can say them, as anybody there can answer for an address.
 */
#ifndef TAKEOVER_SEGMENT_H
#define TAKEOVER_SEGMENT_H

#include <stdbool.h>

#include "keeper.h"
#include "word.h"

/* A packet socket for such frames: close() it. -errno. */
int takeover_segment_open(const char *device);

/* The one for address @i, which stays open. -errno. */
int takeover_segment_fd(const struct takeover_keeper *keeper, size_t i);

/* To all, or to @to. */
void takeover_segment_say(int fd, const struct takeover_wire *wire,
			  const struct takeover_address *address, enum takeover_word_state state,
			  uint64_t nonce, const unsigned char *to);

/* The next one about @address, without waiting; false: none. @ret_from: 6 bytes. */
bool takeover_segment_hear(int fd, const struct takeover_address *address,
			   enum takeover_word_state *ret_state, uint64_t *ret_nonce,
			   unsigned char *ret_from);

/* On the source: whether a host of the segment stands by for address @i, guarded (ip-takeover
 * prepare). -EHOSTUNREACH when none says so, with keeper->message set. */
int takeover_segment_ask(struct takeover_keeper *keeper, size_t i);

/* To all: @address comes back here, or is to; whoever keeps it from others makes way. */
void takeover_segment_take_back(int fd, const struct takeover_wire *wire,
				const struct takeover_address *address);

#endif
