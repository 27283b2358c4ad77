/* SPDX-License-Identifier: GPL-2.0-only */
/* How far the other host's clock is from ours, by the way of NTP (RFC 5905 section 8): of some
 * questions the one whose answer came soonest. */
#ifndef MIGRATE_CLOCK_H
#define MIGRATE_CLOCK_H

#include <stdint.h>

#include "channel.h"

#define CLOCK_QUESTIONS 5

struct clock_offset {
	int64_t offset_ns;     /* theirs less ours */
	int64_t round_trip_ns; /* at most half of it is the error; 0: not known */
};

/* CLOCK_REALTIME, as keepers have it. */
int64_t clock_now_ns(void);

/* Ask: "clock". As of channel_send(). */
int clock_ask(struct channel *channel);

/* Answer what came at @received_ns. */
int clock_answer(struct channel *channel, int64_t received_ns);

/* Take the answer @json to what was asked at @asked_ns and answered at @answered_ns, unless it
 * makes no sense or there was a better one. */
void clock_take(struct clock_offset *clock, int64_t asked_ns, const json_t *json,
		int64_t answered_ns);

#endif
