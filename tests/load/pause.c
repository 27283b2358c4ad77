// SPDX-License-Identifier: GPL-2.0-only
/* The longest time without an answer. */
#include "load.h"
#include "pause.h"

#define SHORTEST (20 * LOAD_MS)

void pause_asked(struct pause *pause, int64_t now)
{
	if (pause->outstanding++ == 0)
		pause->since = now;
}

static bool is_longest(struct pause *pause, int64_t now)
{
	int64_t length = now - pause->since;

	if (length <= SHORTEST)
		return false;
	pause->count++;
	if (length <= pause->length)
		return false;
	pause->id = pause->count;
	pause->length = length;
	pause->first_answer = now;
	pause->last_first_answer = now;
	pause->owing = 0;
	return true;
}

bool pause_answered(struct pause *pause, int64_t now)
{
	bool longest = is_longest(pause, now);

	if (longest)
		pause->first_answer_realtime = load_realtime();
	pause->outstanding--;
	pause->since = now;
	return longest;
}

void pause_lost(struct pause *pause)
{
	pause->outstanding--;
}

void pause_owe(struct pause *pause, unsigned int *owes)
{
	*owes = pause->id;
	pause->owing++;
}

void pause_settle(struct pause *pause, unsigned int *owes, int64_t now)
{
	if (*owes && *owes == pause->id) {
		pause->owing--;
		pause->last_first_answer = now;
	}
	*owes = 0;
}

void pause_finish(struct pause *pause, int64_t now)
{
	if (!pause->outstanding || !is_longest(pause, now))
		return;
	pause->first_answer_realtime = 0;
	pause->owing = pause->outstanding;
}
