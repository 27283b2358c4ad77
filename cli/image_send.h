/* SPDX-License-Identifier: GPL-2.0-only */
/* A container's image to the other host. */
#ifndef IMAGE_SEND_H
#define IMAGE_SEND_H

#include <stddef.h>

/* `PROGRAM save IMAGE` into `PROGRAM load` on @host, over @rsh, within @timeout_ms: 0, or -errno
 * with one line. @program is "docker" or "podman". */
int image_send(const char *program, const char *image, const char *rsh, const char *host,
	       int timeout_ms, char *error, size_t len);

#endif
