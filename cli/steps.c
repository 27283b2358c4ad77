// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate_clock.h"
#include "steps.h"

static const char *const names[STEPS] = {
	[STEP_CONNECT] = "connect", [STEP_GREET] = "greet",	[STEP_PREFLIGHT] = "preflight",
	[STEP_AHEAD] = "ahead",	    [STEP_DUMP] = "dump",	[STEP_IMAGES] = "images",
	[STEP_RESTORE] = "restore", [STEP_COMMIT] = "commit",	[STEP_COMMITTED] = "committed",
	[STEP_DONE] = "done",	    [STEP_GREETED] = "greeted", [STEP_JUDGED] = "judged",
	[STEP_WAITING] = "waiting", [STEP_FILLED] = "filled",	[STEP_RESTORING] = "restoring",
	[STEP_READY] = "ready",	    [STEP_RUNNING] = "running", [STEP_RUNS] = "runs",
};

static void (*on_step)(enum migrate_step step);

void migrate_on_step(void (*listener)(enum migrate_step step))
{
	on_step = listener;
}
static int64_t taken_ns[STEPS];

const char *migrate_step_name(enum migrate_step step)
{
	return names[step];
}

void step_stop_at(const char *name)
{
	const char *stop = getenv("IP_TAKEOVER_STOP_AT");

	if (stop && strcmp(stop, name) == 0)
		raise(SIGSTOP);
}

void migrate_step(enum migrate_step step)
{
	if (on_step)
		on_step(step);
	taken_ns[step] = clock_now_ns();
	step_stop_at(names[step]);
}

json_t *migrate_steps_taken(void)
{
	json_t *list = json_array();

	for (int step = 0; step < STEPS; step++)
		if (taken_ns[step] != 0)
			json_array_append_new(list, json_pack("{s:I, s:s}", "at_ns",
							      (json_int_t)taken_ns[step], "what",
							      names[step]));
	return list;
}

int cli_steps(int argc, char **argv)
{
	int first = 0, last = STEP_DONE;

	if (argc != 2 || (strcmp(argv[1], "source") != 0 && strcmp(argv[1], "destination") != 0)) {
		fprintf(stderr, "usage: ip-takeover steps source|destination\n");
		return 2;
	}
	if (argv[1][0] == 'd') {
		first = STEP_GREETED;
		last = STEP_RUNS;
	}
	for (int step = first; step <= last; step++)
		puts(names[step]);
	return 0;
}
