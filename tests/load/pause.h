/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pause: the longest time in which requests were outstanding and no
 * answer came on any connection; and how the answers came back after it.
 *
 * Call pause_asked() and pause_answered() for each request in the order in
 * which they happen. When pause_answered() is true this answer ended the
 * longest pause so far: the caller then calls pause_owe() for each connection
 * that has a request outstanding, the answered one included, and
 * pause_settle() at the next answer of each connection that owes one.
 */
#ifndef TAKEOVER_LOAD_PAUSE_H
#define TAKEOVER_LOAD_PAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pause {
	size_t outstanding;
	int64_t since;	    /* no answer since then; of no meaning if none is outstanding */
	unsigned int count; /* pauses so far */
	unsigned int id;    /* the longest one; 0 is none */
	size_t owing;	    /* connections still without an answer after it */
	int64_t length, first_answer, last_first_answer;
	double first_answer_realtime; /* 0: the run ended in the pause */
};

void pause_asked(struct pause *pause, int64_t now);
bool pause_answered(struct pause *pause, int64_t now);
void pause_lost(struct pause *pause);
void pause_owe(struct pause *pause, unsigned int *owes);
void pause_settle(struct pause *pause, unsigned int *owes, int64_t now);
/* The run is over: a pause that goes on counts up to now. */
void pause_finish(struct pause *pause, int64_t now);

#endif
