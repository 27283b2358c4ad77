// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "packed.h"

/* A core does some 500 MB a second: more than the networks that want it. */
#define LEVEL 1

/* What is compressed is the type and then the payload. */
struct packed {
	size_t max;
	unsigned char *plain, *frame;
};

int packed_open(size_t max, struct packed **ret_packed)
{
	struct packed *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->max = max + sizeof(uint32_t);
	p->plain = malloc(p->max);
	p->frame = malloc(p->max);
	if (!p->plain || !p->frame) {
		packed_close(p);
		return -ENOMEM;
	}
	*ret_packed = p;
	return 0;
}

void packed_close(struct packed *p)
{
	if (!p)
		return;
	free(p->plain);
	free(p->frame);
	free(p);
}

size_t packed_pack(struct packed *p, uint32_t type, const void *head, size_t head_len,
		   const void *data, size_t len, const void **ret_frame)
{
	uint32_t word = htonl(type);
	size_t n = sizeof(word), done;

	if (head_len + len > p->max - n)
		return 0;
	memcpy(p->plain, &word, n);
	if (head_len > 0)
		memcpy(p->plain + n, head, head_len);
	if (len > 0)
		memcpy(p->plain + n + head_len, data, len);
	/* Without room for more it fails, and costs no more than that. */
	done = ZSTD_compress(p->frame, head_len + len, p->plain, n + head_len + len, LEVEL);
	*ret_frame = p->frame;
	return ZSTD_isError(done) ? 0 : done;
}

int packed_unpack(struct packed *p, const void *frame, size_t len, uint32_t *ret_type,
		  const unsigned char **ret_payload, size_t *ret_len)
{
	size_t n = ZSTD_decompress(p->plain, p->max, frame, len);
	uint32_t word;

	if (ZSTD_isError(n) || n < sizeof(word))
		return -EPROTO;
	memcpy(&word, p->plain, sizeof(word));
	*ret_type = ntohl(word);
	*ret_payload = p->plain + sizeof(word);
	*ret_len = n - sizeof(word);
	return 0;
}
