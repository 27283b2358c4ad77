// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images_receiver.h"

int images_receive_open(int dirfd, uint64_t limit, struct images_receiver **ret_receiver)
{
	struct images_receiver *r = calloc(1, sizeof(*r));
	int ret = r ? pages_open(&r->store, limit) : -ENOMEM;

	if (ret < 0) {
		free(r);
		return ret;
	}
	r->dirfd = dirfd;
	r->limit = limit;
	r->file = IMAGES_FILE_NONE;
	*ret_receiver = r;
	return 0;
}

void images_receive_close(struct images_receiver *r)
{
	if (!r)
		return;
	images_file_drop(&r->file);
	for (size_t i = 0; i < r->n_spare; i++)
		images_file_drop(&r->spare[i]);
	pages_close(&r->store);
	free(r);
}

const char *images_receive_error(const struct images_receiver *r)
{
	return r->error;
}

uint64_t images_receive_bytes(const struct images_receiver *r)
{
	return r->bytes;
}

uint64_t images_receive_stored(const struct images_receiver *r)
{
	return (uint64_t)r->store.n * r->store.size;
}

int images_refuse(struct images_receiver *r, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	return ret;
}

int images_cannot(struct images_receiver *r, int ret, const char *what)
{
	return images_refuse(r, ret, "images: cannot %s: %s", what, strerror(-ret));
}

bool images_fit(const struct images_receiver *r, uint64_t bytes)
{
	return bytes <= r->limit - r->used;
}

int images_charge(struct images_receiver *r, uint64_t bytes)
{
	if (!images_fit(r, bytes))
		return images_refuse(r, -EFBIG, "images: larger than the limit of %llu MiB",
				     (unsigned long long)(r->limit >> 20));
	r->used += bytes;
	return 0;
}

static int begin(struct images_receiver *r, const struct channel_message *m)
{
	struct images_begin b;

	if (m->len != sizeof(b))
		return images_refuse(r, -EPROTO, "images: a beginning of %zu bytes", m->len);
	memcpy(&b, m->payload, sizeof(b));
	if (ntohl(b.version) != IMAGES_VERSION)
		return images_refuse(r, -EPROTO, "images: sent as of version %u, expected %u",
				     ntohl(b.version), IMAGES_VERSION);
	if (ntohl(b.page_size) != r->store.size)
		return images_refuse(r, -EPROTO, "images: pages of %u bytes, this host's have %zu",
				     ntohl(b.page_size), r->store.size);
	r->begun = true;
	return 0;
}

static int take_pages(struct images_receiver *r, const struct channel_message *m)
{
	int ret;

	if (r->files > 0 || m->len == 0 || m->len % r->store.size != 0)
		return images_refuse(r, -EPROTO, "images: %zu bytes of memory %s", m->len,
				     r->files > 0 ? "after a file" : "are not pages");
	ret = images_charge(r, m->len);
	if (ret < 0)
		return ret;
	ret = pages_append(&r->store, m->payload, m->len / r->store.size);
	return ret < 0 ? images_cannot(r, ret, "keep memory") : 0;
}

/* Only to be faster: what cannot be had is done without. */
static int expect(struct images_receiver *r, const struct channel_message *m)
{
	size_t n = m->len / sizeof(uint64_t);

	if (r->files > 0 || m->len % sizeof(uint64_t) != 0 || n > IMAGES_SPARE_MAX)
		return images_refuse(r, -EPROTO, "images: %zu bytes of sizes", m->len);
	while (r->n_spare < n)
		r->spare[r->n_spare++] = IMAGES_FILE_NONE;
	for (size_t i = 0; i < n; i++) {
		struct images_file *spare = &r->spare[i];
		uint64_t size, more;

		memcpy(&size, m->payload + i * sizeof(size), sizeof(size));
		size = be64toh(size);
		more = size > spare->mapped ? size - spare->mapped : 0;
		if (size % r->store.size != 0)
			return images_refuse(r, -EPROTO, "images: a size that is not of pages");
		if (images_fit(r, more) && images_file_prepare(spare, r->dirfd, size) == 0)
			r->used += more;
	}
	return 0;
}

static int end(struct images_receiver *r, const struct channel_message *m)
{
	struct images_end e = { 0 };
	int ret = images_fill_end(r);

	if (ret < 0)
		return ret;
	if (m->len == sizeof(e))
		memcpy(&e, m->payload, sizeof(e));
	if (m->len != sizeof(e) || be64toh(e.files) != r->files || be64toh(e.bytes) != r->bytes)
		return images_refuse(r, -EPROTO,
				     "images: %llu files of %llu bytes have come, not as sent",
				     (unsigned long long)r->files, (unsigned long long)r->bytes);
	return 1;
}

static int take(struct images_receiver *r, const struct channel_message *m)
{
	if (r->begun != (m->type != IMAGES_BEGIN))
		return images_refuse(r, -EPROTO, "images: a message of type %u %s", m->type,
				     r->begun ? "again" : "before their beginning");
	switch (m->type) {
	case IMAGES_BEGIN:
		return begin(r, m);
	case IMAGES_PAGES:
		return take_pages(r, m);
	case IMAGES_EXPECT:
		return expect(r, m);
	case IMAGES_FILE:
		return images_fill_file(r, m);
	case IMAGES_END:
		return end(r, m);
	}
	if (r->file.fd < 0)
		return images_refuse(r, -EPROTO, "images: a message of type %u before a file",
				     m->type);
	if (m->type == IMAGES_RUNS)
		return images_fill_runs(r, m);
	if (m->type == IMAGES_DATA)
		return images_fill_data(r, m);
	return images_refuse(r, -EPROTO, "images: a message of type %u, which is not known",
			     m->type);
}

int images_receive_take(struct images_receiver *r, const struct channel_message *m)
{
	if (r->state == 1)
		r->state = images_refuse(r, -EPROTO, "images: a message of type %u after their end",
					 m->type);
	if (r->state == 0)
		r->state = take(r, m);
	return r->state;
}
