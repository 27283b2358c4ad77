// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>

#include "facts_fields.h"
#include "migrate.h"
#include "migrate_clock.h"

int64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int clock_ask(struct channel *channel)
{
	return migrate_say(channel, "clock", NULL);
}

int clock_answer(struct channel *channel, int64_t received_ns)
{
	return migrate_say(channel, "clock",
			   json_pack("{s:I, s:I}", "received_ns", (json_int_t)received_ns,
				     "sent_ns", (json_int_t)clock_now_ns()));
}

void clock_take(struct clock_offset *clock, int64_t asked_ns, const json_t *json,
		int64_t answered_ns)
{
	json_int_t received_ns, sent_ns;
	int64_t round_trip_ns;

	/* Halved: the sums below stay within the type. */
	if (!facts_number(json, "received_ns", 0, INT64_MAX / 2, &received_ns) ||
	    !facts_number(json, "sent_ns", received_ns, INT64_MAX / 2, &sent_ns))
		return;
	round_trip_ns = (answered_ns - asked_ns) - (sent_ns - received_ns);
	if (round_trip_ns <= 0 ||
	    (clock->round_trip_ns > 0 && clock->round_trip_ns <= round_trip_ns))
		return;
	clock->round_trip_ns = round_trip_ns;
	clock->offset_ns = ((received_ns - asked_ns) + (sent_ns - answered_ns)) / 2;
}
