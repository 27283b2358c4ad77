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

#define CHECKPOINT_FORMAT    1
#define CHECKPOINT_TEXT_MAX  64
#define CHECKPOINT_PORTS_MAX 1024
#define CHECKPOINT_RECORD    "checkpoint.json"

/* What is known of the service before its dump. */
json_t *checkpoint_describe(pid_t root, const char *const *options);

/* What the keeper has written down, and what criu has, in the directory of images @dirfd; and the
 * record itself is put there. 0, or -errno and @error. */
int checkpoint_record_write(json_t *record, int dirfd, char *error, size_t len);

/* How many images there are in @dirfd, and how large. 0 or -errno. */
int checkpoint_record_measure(int dirfd, json_int_t *ret_files, json_int_t *ret_bytes);

/* From its text; every field that is used is checked. Free with json_decref(). -EINVAL: @error
 * says what is wrong. */
int checkpoint_record_parse(const char *text, size_t n, json_t **ret_record, char *error,
			    size_t len);

/* Read it, of the directory @dirfd, and see whether the images are those that it names. */
int checkpoint_record_read(int dirfd, json_t **ret_record, char *error, size_t len);

#endif
