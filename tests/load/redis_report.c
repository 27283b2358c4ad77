// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a redis load: while it runs, in one line, in JSON. */
#include <stdio.h>

#include "redis.h"

void redis_progress(const struct redis_load *load)
{
	int64_t now = load_now(), longest = load->waits.longest;
	unsigned int i;

	/* A wait that goes on counts too: the number is seen to grow in a pause. */
	for (i = 0; i < load->started; i++) {
		const struct connection *c = &load->connections[i];

		if (c->state == CONNECTION_ASKED && now - c->asked > longest)
			longest = now - c->asked;
	}
	fprintf(stderr,
		"\rredis %u connections %llu requests %llu reset %llu wrong longest %.3f s ",
		load->live, (unsigned long long)load->requests, (unsigned long long)load->reset,
		(unsigned long long)load->wrong, load_seconds(longest));
	fflush(stderr);
}

static double spread_ms(const struct pause *pause)
{
	return (double)(pause->last_first_answer - pause->first_answer) / 1e6;
}

void redis_summary(const struct redis_load *load)
{
	printf("%u connections, %llu requests, %llu reset, %llu wrong, ",
	       load->options->connections, (unsigned long long)load->requests,
	       (unsigned long long)load->reset, (unsigned long long)load->wrong);
	if (load->closed)
		printf("%llu closed, ", (unsigned long long)load->closed);
	if (load->errors)
		printf("%llu errors, ", (unsigned long long)load->errors);
	if (load->unanswered)
		printf("%llu unanswered, ", (unsigned long long)load->unanswered);
	if (load->answered < load->options->connections)
		printf("%u never answered, ", load->options->connections - load->answered);
	printf("pause %.3f s, spread %.1f ms, longest wait %.3f s\n",
	       load_seconds(load->pause.length), spread_ms(&load->pause),
	       load_seconds(load->waits.longest));
}

bool redis_passed(const struct redis_load *load)
{
	return load->reset + load->closed + load->wrong + load->errors + load->unanswered == 0 &&
	       load->answered == load->options->connections;
}

static json_t *connection_json(const struct connection *c)
{
	return json_pack("{sI sf sf sf sb}", "requests", (json_int_t)c->requests, "longest_wait_s",
			 load_seconds(c->longest), "longest_wait_end_monotonic",
			 load_seconds(c->longest_at), "longest_wait_end_realtime",
			 c->longest_realtime, "alive", c->state != CONNECTION_DEAD);
}

static json_t *pause_json(const struct pause *pause)
{
	bool ended = pause->first_answer_realtime != 0;

	return json_pack("{sf sf sI sI so so so}", "pause_s", load_seconds(pause->length),
			 "spread_ms", spread_ms(pause), "pauses", (json_int_t)pause->count,
			 "unanswered_after_pause", (json_int_t)pause->owing,
			 "first_answer_realtime",
			 ended ? json_real(pause->first_answer_realtime) : json_null(),
			 "first_answer_monotonic",
			 ended ? json_real(load_seconds(pause->first_answer)) : json_null(),
			 "last_first_answer_monotonic",
			 ended ? json_real(load_seconds(pause->last_first_answer)) : json_null());
}

json_t *redis_json(const struct redis_load *load)
{
	json_t *json, *connections = json_array();
	unsigned int i;

	for (i = 0; i < load->options->connections; i++)
		json_array_append_new(connections, connection_json(&load->connections[i]));
	json = json_pack("{sb sI sI sI sI sI sI sI sI sf sf sf}", "passed", redis_passed(load),
			 "connections", (json_int_t)load->options->connections, "requests",
			 (json_int_t)load->requests, "reset", (json_int_t)load->reset, "closed",
			 (json_int_t)load->closed, "wrong", (json_int_t)load->wrong, "errors",
			 (json_int_t)load->errors, "unanswered", (json_int_t)load->unanswered,
			 "never_answered",
			 (json_int_t)(load->options->connections - load->answered),
			 "longest_wait_s", load_seconds(load->waits.longest), "p50_s",
			 load_seconds(waits_quantile(&load->waits, 0.50)), "p99_s",
			 load_seconds(waits_quantile(&load->waits, 0.99)));
	json_object_update_new(json, pause_json(&load->pause));
	json_object_set_new(json, "per_connection", connections);
	return json;
}
