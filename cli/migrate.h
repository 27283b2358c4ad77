/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ip-takeover migrate: what both ends of it share. The source (migrate.c) starts the
 * destination (receive.c) by ssh, and they say to one another, in JSON:
 *
 *   source        destination
 *   hello         hello           whether they understand one another
 *   clock         clock           five times, to compare them
 *   facts         findings        preflight
 *   begin         waiting         a directory for the images
 *   (images.h)                    memory ahead, then files while criu dumps
 *   restore       ready           the tasks are there, frozen; or failed, and why
 *   commit        runs            only now, with a record (report.h); or abort, aborted
 */
#ifndef MIGRATE_H
#define MIGRATE_H

#include <jansson.h>
#include <stdbool.h>

#include "channel.h"

#define MIGRATE_PROTOCOL 1

/* Say @word, with the fields of @more, which it takes (NULL: none). As of channel_send(). */
int migrate_say(struct channel *channel, const char *word, json_t *more);

/* @text for a message or an event. What others have said, cut somewhere, need not be UTF-8, which
 * JSON refuses: then all that is not ASCII becomes "?". */
json_t *migrate_text(const char *text);

/* The word of a message; "" for what is none. */
const char *migrate_word(const struct channel_message *message);

/* A text field of it, "" when there is none; control characters are taken out. */
const char *migrate_field(const struct channel_message *message, const char *name);

/* Tell the destination of the takeover @id, which is in doubt, what this host's journal says.
 * The exit status. */
int migrate_resume(const char *id, const char *rsh, const char *host, const char *program);

#endif
