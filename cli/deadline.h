/* SPDX-License-Identifier: GPL-2.0-only */
/* A limit in time for all that is done over one connection: when it has passed, the connection
 * is shut down, and whoever waits for it fails. One a process, by SIGALRM. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>

/* In place of the last one. */
void deadline_set(unsigned int seconds, int socket);

/* From now on there is none. */
void deadline_forget(void);

/* Since deadline_set(); or, once and for all, somebody has interrupted us. */
bool deadline_passed(void);

/* Take SIGINT, SIGTERM and SIGHUP for such an end. */
void deadline_at_signals(void);
bool deadline_interrupted(void);

#endif
