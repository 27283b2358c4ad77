/* SPDX-License-Identifier: GPL-2.0-only */
/* What a person's verbs do about addresses that keepalived has. */
#ifndef TRACK_FILE_H
#define TRACK_FILE_H

#include <stdbool.h>

#include "announce.h"
#include "config.h"

/* Make keepalived take @address, or give it up, and wait until it has. 0; -ETIMEDOUT, or another
 * -errno. */
int track_file_set(const struct takeover_address *address, const char *track_file, bool here);

/* A takeover is over: the instance may be a backup again, unless nobody else has the address,
 * which would come here without its service: then say so. */
void track_file_settle(const struct takeover_address *address, const char *track_file);

#endif
