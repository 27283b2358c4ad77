/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A checkpoint goes to the other host, into the same directory there, and under its name only when
 * it is complete. Over a channel, as migrate's:
 *
 *   source        destination
 *   checkpoint    go              version, dir, name, keep; room for its bytes
 *   file, data                    its name and size, then so many bytes in frames; each file
 *   end           kept            on the disk, and under its name; or failed, and why
 */
#ifndef CHECKPOINT_SEND_H
#define CHECKPOINT_SEND_H

#include <stddef.h>

#include "checkpoint_options.h"
#include "checkpoint_store.h"

#define CHECKPOINT_PROTOCOL 1
#define CHECKPOINT_DATA	    2 /* a type of frames */

/* Send the checkpoint @name to @o->host, which keeps @o->keep. 0, or -errno and @error. */
int checkpoint_send(const struct checkpoint_options *o, const struct store *store, const char *name,
		    char *error, size_t len);

#endif
