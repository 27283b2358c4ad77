/* SPDX-License-Identifier: GPL-2.0-only */
/* Base64 (RFC 4648 section 4), for bytes in JSON. */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* @n bytes as text with padding; free() it. NULL: no memory. */
char *base64_encode(const unsigned char *bytes, size_t n);

/* The bytes of @text to @ret_bytes; returns their number. -EINVAL when it is not what
 * base64_encode() writes, -EMSGSIZE when there are more than @max. */
ssize_t base64_decode(const char *text, unsigned char *ret_bytes, size_t max);

#endif
