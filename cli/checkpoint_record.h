/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checkpoint.json, in the directory of a checkpoint beside criu's images:
 *
 *   checkpoint 1, name, pid, host, kernel, criu
 *   at_ns                        the freeze, CLOCK_REALTIME
 *   addresses [{ address, device }]
 *   ports [{ protocol, port }]   where it takes what comes: "tcp", "udp"
 *   connections, options         of criu, for the restore, too
 *   bytes, files                 of the images
 *   pause_ms, duration_ms        frozen, with its packets waiting; until criu's end
 */
#ifndef CHECKPOINT_RECORD_H
#define CHECKPOINT_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#define CHECKPOINT_FORMAT 1
#define CHECKPOINT_RECORD "checkpoint.json"

/* What is known of the service before its dump. */
json_t *checkpoint_describe(pid_t root, const char *const *options);

/* What the keeper has written down, and what criu has, in the directory of images @dirfd; and the
 * record itself is put there. 0, or -errno and @error. */
int checkpoint_record_write(json_t *record, int dirfd, char *error, size_t len);

/* Read it, of the directory @dirfd, and see whether the images are those that it names. Every
 * field that is used is checked. Free with json_decref(). */
int checkpoint_record_read(int dirfd, json_t **ret_record, char *error, size_t len);

#endif
