/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One exchange with redis: what is sent, and the only bytes that are the
 * right answer. A connection alternates SET of a value used nowhere else and
 * GET of the same; pipelined, it sends both at once. No I/O.
 */
#ifndef TAKEOVER_LOAD_EXCHANGE_H
#define TAKEOVER_LOAD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange {
	uint64_t sequence;
	unsigned int commands; /* in this exchange */
	bool stored;	       /* the value is set and not read back yet */
	size_t request_len, sent;
	size_t answer_len, received;
	char value[128];
	char request[384];
	char answer[192];
};

/* Makes the next request of this connection and its answer. */
void exchange_next(struct exchange *x, uint32_t run, unsigned int connection, bool pipeline);
/* 1: the answer is complete; 0: more to come; -EBADMSG: not the right answer. */
int exchange_take(struct exchange *x, const char *data, size_t len);

#endif
