/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of a migration, in order, on either host: one list, for those who go them, those
 * who watch, and the tests that fail at each. */
#ifndef STEPS_H
#define STEPS_H

#include <jansson.h>

enum migrate_step {
	/* The source's */
	STEP_CONNECT,
	STEP_GREET,
	STEP_PREFLIGHT,
	STEP_AHEAD,
	STEP_DUMP,
	STEP_IMAGES,
	STEP_RESTORE,
	STEP_COMMIT,
	STEP_COMMITTED,
	STEP_DONE,
	/* The destination's */
	STEP_GREETED,
	STEP_JUDGED,
	STEP_WAITING,
	STEP_FILLED,
	STEP_RESTORING,
	STEP_READY,
	STEP_RUNNING,
	STEP_RUNS,
	STEPS,
};

/* A process whose environment has IP_TAKEOVER_STOP_AT with this name stops itself here, until
 * SIGCONT: somebody wants to look, or to test. */
void step_stop_at(const char *name);

/* This host has come to @step, and stops there if it is to. */
void migrate_step(enum migrate_step step);

/* Whoever wants to know of each step, first. */
void migrate_on_step(void (*listener)(enum migrate_step step));

/* Those that this process has come to: a list of { at_ns, what }. */
json_t *migrate_steps_taken(void);

const char *migrate_step_name(enum migrate_step step);

/* ip-takeover steps source|destination: their names, one a line. */
int cli_steps(int argc, char **argv);

#endif
