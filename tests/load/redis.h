/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The redis load. redis.c reads the options, redis_run.c has the event loop,
 * redis_connection.c one connection, redis_report.c what is said of it all.
 */
#ifndef TAKEOVER_LOAD_REDIS_H
#define TAKEOVER_LOAD_REDIS_H

#include <stdbool.h>

#include "exchange.h"
#include "load.h"
#include "pause.h"
#include "waits.h"

enum connection_state {
	CONNECTION_NEW,
	CONNECTION_CONNECTING,
	CONNECTION_IDLE, /* between two requests */
	CONNECTION_ASKED,
	CONNECTION_DEAD,
};

struct connection {
	int fd;
	enum connection_state state;
	bool wants_out;	   /* EPOLLOUT is on */
	unsigned int owes; /* see pause.h */
	int64_t asked;
	uint64_t requests;
	int64_t longest, longest_at; /* the longest wait, and when it ended */
	double longest_realtime;
	struct exchange exchange;
};

struct redis_options {
	struct load_target target;
	unsigned int connections;
	bool pipeline, progress, until_eof;
	int64_t interval_min, interval_max;
	int64_t duration; /* 0: until told */
	int64_t drain;
	const char *json, *ready;
};

struct redis_load {
	const struct redis_options *options;
	int epoll, signals;
	uint32_t run;
	struct connection *connections;
	int64_t *due; /* when each connection asks next; INT64_MAX: not now */
	unsigned int started, connecting, live, answered;
	int64_t begun, stopped; /* stopped: since then nothing new is asked; 0 is not yet */
	struct pause pause;
	struct waits waits;
	uint64_t requests;
	uint64_t reset, closed, wrong, errors, unanswered;
};

/* redis_connection.c */
int redis_start(struct redis_load *load, unsigned int i);
void redis_ask(struct redis_load *load, unsigned int i);
void redis_event(struct redis_load *load, unsigned int i, uint32_t events);

/* redis_run.c: 0 when the load ran to its end, whatever it found. */
int redis_run(struct redis_load *load);

/* redis_report.c */
void redis_progress(const struct redis_load *load);
void redis_summary(const struct redis_load *load);
bool redis_passed(const struct redis_load *load);
json_t *redis_json(const struct redis_load *load);

#endif
