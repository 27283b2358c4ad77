// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <string.h>

#include "images_runs.h"

static int send_runs(struct images_runs *r, const unsigned char *raw, size_t raw_len)
{
	uint32_t n = r->n;

	if (n == 0)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		r->head.run[i].first = htonl(r->head.run[i].first);
		r->head.run[i].count = htonl(r->head.run[i].count);
	}
	r->head.n = htonl(n);
	r->n = 0;
	r->waiting = 0;
	return channel_send_frame(r->channel, IMAGES_RUNS, &r->head,
				  sizeof(r->head.n) + n * sizeof(struct images_run), raw, raw_len);
}

int images_runs_flush(struct images_runs *r)
{
	return send_runs(r, NULL, 0);
}

static void add_one(struct images_runs *r, uint32_t first)
{
	struct images_run *last = r->n > 0 ? &r->head.run[r->n - 1] : NULL;
	bool numbered = first != IMAGES_ZERO && first != IMAGES_RAW;

	r->waiting++;
	if (last && first == (numbered ? last->first + last->count : last->first))
		last->count++;
	else
		r->head.run[r->n++] = (struct images_run){ first, 1 };
}

int images_runs_add(struct images_runs *r, const unsigned char *pages, uint32_t n)
{
	size_t size = r->store->size, raw = 0;
	int ret = r->n + n > IMAGES_RUNS_MAX ? images_runs_flush(r) : 0;

	for (uint32_t i = 0; i < n; i++) {
		const unsigned char *page = pages + i * size;
		uint32_t found, hash;

		if (pages_is_zero(page, size)) {
			add_one(r, IMAGES_ZERO);
			r->zeros += size;
			continue;
		}
		found = pages_find(r->store, page, r->hint, &hash);
		if (found == PAGES_NONE) {
			add_one(r, IMAGES_RAW);
			memcpy(r->raw_pages + raw, page, size);
			raw += size;
			continue;
		}
		add_one(r, found);
		r->hint = found + 1;
		r->referred += size;
	}
	r->raw += raw;
	return ret == 0 && (raw > 0 || r->waiting >= IMAGES_RUNS_WAITING)
		       ? send_runs(r, r->raw_pages, raw)
		       : ret;
}
