/* SPDX-License-Identifier: GPL-2.0-only */
/* The journals in /run/ip-takeover, for the verbs that read them. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "keeper.h"

/* All journals of this host, in a JSON array; NULL, said why, when they cannot be read. Each
 * has "keeper", whether its keeper lives, and "path" besides what the keeper wrote. */
json_t *cli_journals(void);

/* A text of it, "" when it has none. */
const char *journal_field(const json_t *journal, const char *name);

bool journal_has_state(const json_t *journal, enum takeover_state state);
bool journal_is_source(const json_t *journal);

/* Rolled back or abandoned: history. */
bool journal_has_ended(const json_t *journal);

/* It says that it was, at some time. */
bool journal_has_event(const json_t *journal, const char *what);

/* The source's, under a mover: whatever has become of it or its keeper since, it has committed. */
bool journal_has_committed(const json_t *journal);

/* @address is here: take away guards that ended takeovers of it have left. */
void journal_make_way(const struct takeover_address *address);

/* Its criu is at work still. */
bool journal_has_criu(const json_t *journal);

/* Enter the network namespace that it is in; journal_leave() then. 0; -ENOENT when that is gone;
 * else -errno: said why. */
int journal_enter(const json_t *journal, int *ret_back);
void journal_leave(int back);

/* "in the network namespace of nginx (pid 1234)", or "" when it is that of this process. */
const char *journal_place(const json_t *journal, char *buf, size_t len);

/* The keeper was killed, and nobody watches: do what it would have done. 0, or 1: said why. */
int journal_rollback(const json_t *journal);

/* Ask its keeper, which lives. 0, or 1: said why. */
int journal_ask(const json_t *journal, enum takeover_request_verb verb, int value);

/* The main of a verb with an ID: @verb for each journal of that takeover; the exit status. */
int journal_verb(int argc, char **argv, int (*verb)(const json_t *journal));

#endif
