/* SPDX-License-Identifier: GPL-2.0-only */
/* Payloads of a channel, by zstd: each stands alone, as one frame of it (RFC 8878). */
#ifndef PACKED_H
#define PACKED_H

#include <stddef.h>
#include <stdint.h>

struct packed;

/* For payloads of at most @max bytes. -ENOMEM. */
int packed_open(size_t max, struct packed **ret_packed);

/* NULL is allowed. */
void packed_close(struct packed *packed);

/* The frame for a payload of @type that is @head and then @data, until the next call; 0: it would
 * not be smaller. */
size_t packed_pack(struct packed *packed, uint32_t type, const void *head, size_t head_len,
		   const void *data, size_t len, const void **ret_frame);

/* What is in @frame (untrusted); *@ret_payload until the next call. -EPROTO: it is none, or
 * has more than @max bytes. */
int packed_unpack(struct packed *packed, const void *frame, size_t len, uint32_t *ret_type,
		  const unsigned char **ret_payload, size_t *ret_len);

#endif
