// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "images_file.h"
#include "images_receive.h"
#include "pages.h"

struct images_receiver {
	int dirfd;
	int state; /* as images_receive_take() returned */
	bool begun;
	uint64_t limit, used;
	struct pages store;
	struct images_file spare[IMAGES_SPARE_MAX]; /* for the pages files, in order */
	size_t n_spare, next_spare;
	struct images_file file; /* the one that comes now */
	uint64_t files, bytes;
	char error[200];
};

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

static int say(struct images_receiver *r, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int say(struct images_receiver *r, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->error, sizeof(r->error), format, args);
	va_end(args);
	return ret;
}

static bool fits(const struct images_receiver *r, uint64_t bytes)
{
	return bytes <= r->limit - r->used;
}

static int charge(struct images_receiver *r, uint64_t bytes)
{
	if (!fits(r, bytes))
		return say(r, -EFBIG, "images: larger than the limit of %llu MiB",
			   (unsigned long long)(r->limit >> 20));
	r->used += bytes;
	return 0;
}

static int begin(struct images_receiver *r, const struct channel_message *m)
{
	struct images_begin b;

	if (m->len != sizeof(b))
		return say(r, -EPROTO, "images: a beginning of %zu bytes", m->len);
	memcpy(&b, m->payload, sizeof(b));
	if (ntohl(b.version) != IMAGES_VERSION)
		return say(r, -EPROTO, "images: sent as of version %u, expected %u",
			   ntohl(b.version), IMAGES_VERSION);
	if (ntohl(b.page_size) != r->store.size)
		return say(r, -EPROTO, "images: pages of %u bytes, this host's have %zu",
			   ntohl(b.page_size), r->store.size);
	r->begun = true;
	return 0;
}

static int take_pages(struct images_receiver *r, const struct channel_message *m)
{
	int ret;

	if (r->files > 0 || m->len == 0 || m->len % r->store.size != 0)
		return say(r, -EPROTO, "images: %zu bytes of memory %s", m->len,
			   r->files > 0 ? "after a file" : "are not pages");
	ret = charge(r, m->len);
	if (ret < 0)
		return ret;
	ret = pages_append(&r->store, m->payload, m->len / r->store.size);
	return ret < 0 ? say(r, ret, "images: cannot keep memory: %s", strerror(-ret)) : 0;
}

/* Only to be faster: what cannot be had is done without. */
static int expect(struct images_receiver *r, const struct channel_message *m)
{
	size_t n = m->len / sizeof(uint64_t);

	if (r->files > 0 || m->len % sizeof(uint64_t) != 0 || n > IMAGES_SPARE_MAX)
		return say(r, -EPROTO, "images: %zu bytes of sizes", m->len);
	while (r->n_spare < n)
		r->spare[r->n_spare++] = IMAGES_FILE_NONE;
	for (size_t i = 0; i < n; i++) {
		struct images_file *spare = &r->spare[i];
		uint64_t size, more;

		memcpy(&size, m->payload + i * sizeof(size), sizeof(size));
		size = be64toh(size);
		more = size > spare->mapped ? size - spare->mapped : 0;
		if (size % r->store.size != 0)
			return say(r, -EPROTO, "images: a size that is not of pages");
		if (fits(r, more) && images_file_prepare(spare, r->dirfd, size) == 0)
			r->used += more;
	}
	return 0;
}

static int finish_file(struct images_receiver *r)
{
	uint64_t prepared = r->file.mapped, size = r->file.size;
	int ret;

	if (r->file.fd < 0)
		return 0;
	ret = images_file_finish(&r->file);
	if (ret < 0)
		return say(r, ret, "images: cannot finish a file: %s", strerror(-ret));
	if (size < prepared)
		r->used -= (prepared - size) / r->store.size * r->store.size;
	return 0;
}

static int begin_file(struct images_receiver *r, const struct channel_message *m)
{
	char name[IMAGES_NAME_MAX + 1];
	int ret = finish_file(r);

	if (ret < 0)
		return ret;
	if (!images_name_is_plain((const char *)m->payload, m->len))
		return say(r, -EPROTO, "images: a file with a name that none has");
	if (r->files >= IMAGES_FILES_MAX)
		return say(r, -EFBIG, "images: more than %d files", IMAGES_FILES_MAX);
	memcpy(name, m->payload, m->len);
	name[m->len] = '\0';
	/* What the file itself takes. */
	ret = charge(r, r->store.size);
	if (ret < 0)
		return ret;
	if (images_pages_number(name) >= 0 && r->next_spare < r->n_spare) {
		struct images_file *spare = &r->spare[r->next_spare++];

		r->file = *spare;
		*spare = IMAGES_FILE_NONE;
	}
	ret = images_file_create(&r->file, r->dirfd, name);
	if (ret < 0)
		return say(r, ret, "images: cannot create %s: %s", name, strerror(-ret));
	r->files++;
	return 0;
}

/* The file grows by @len bytes: what has been prepared is paid for. */
static int grow(struct images_receiver *r, uint64_t len)
{
	uint64_t size = r->file.size, prepared = r->file.mapped > size ? r->file.mapped - size : 0;
	int ret = charge(r, len > prepared ? len - prepared : 0);

	if (ret == 0)
		r->bytes += len;
	return ret;
}

static int append(struct images_receiver *r, const void *data, size_t len)
{
	int ret = grow(r, len);

	if (ret < 0)
		return ret;
	ret = images_file_write(&r->file, data, len);
	return ret < 0 ? say(r, ret, "images: cannot write: %s", strerror(-ret)) : 0;
}

static int take_run(struct images_receiver *r, const struct images_run *run,
		    const unsigned char **raw, size_t *raw_len)
{
	uint64_t len = run->count * (uint64_t)r->store.size;
	int ret;

	if (run->first == IMAGES_ZERO) {
		ret = grow(r, len);
		if (ret == 0)
			images_file_write_zeros(&r->file, len);
		return ret;
	}
	if (run->first == IMAGES_RAW) {
		if (len > *raw_len)
			return say(r, -EPROTO, "images: pages are missing");
		ret = append(r, *raw, len);
		*raw += len;
		*raw_len -= len;
		return ret;
	}
	if (run->count == 0 || run->first > r->store.n || run->count > r->store.n - run->first)
		return say(r, -EPROTO, "images: pages that have not been sent");
	return append(r, pages_at(&r->store, run->first), len);
}

static int take_runs(struct images_receiver *r, const struct channel_message *m)
{
	const unsigned char *at = m->payload + sizeof(uint32_t), *raw;
	uint32_t n = 0;
	size_t raw_len;
	int ret = 0;

	if (m->len >= sizeof(n))
		memcpy(&n, m->payload, sizeof(n));
	n = ntohl(n);
	if (n == 0 || n > IMAGES_RUNS_MAX || m->len - sizeof(n) < n * sizeof(struct images_run))
		return say(r, -EPROTO, "images: %u runs in %zu bytes", n, m->len);
	raw = at + n * sizeof(struct images_run);
	raw_len = m->payload + m->len - raw;
	for (; n > 0 && ret == 0; n--, at += sizeof(struct images_run)) {
		struct images_run run;

		memcpy(&run, at, sizeof(run));
		run.first = ntohl(run.first);
		run.count = ntohl(run.count);
		ret = take_run(r, &run, &raw, &raw_len);
	}
	if (ret == 0 && raw_len > 0)
		ret = say(r, -EPROTO, "images: %zu bytes of pages too many", raw_len);
	return ret;
}

static int end(struct images_receiver *r, const struct channel_message *m)
{
	struct images_end e = { 0 };
	int ret = finish_file(r);

	if (ret < 0)
		return ret;
	if (m->len == sizeof(e))
		memcpy(&e, m->payload, sizeof(e));
	if (m->len != sizeof(e) || be64toh(e.files) != r->files || be64toh(e.bytes) != r->bytes)
		return say(r, -EPROTO, "images: %llu files of %llu bytes have come, not as sent",
			   (unsigned long long)r->files, (unsigned long long)r->bytes);
	return 1;
}

static int take(struct images_receiver *r, const struct channel_message *m)
{
	if (r->begun != (m->type != IMAGES_BEGIN))
		return say(r, -EPROTO, "images: a message of type %u %s", m->type,
			   r->begun ? "again" : "before their beginning");
	switch (m->type) {
	case IMAGES_BEGIN:
		return begin(r, m);
	case IMAGES_PAGES:
		return take_pages(r, m);
	case IMAGES_EXPECT:
		return expect(r, m);
	case IMAGES_FILE:
		return begin_file(r, m);
	case IMAGES_END:
		return end(r, m);
	}
	if (r->file.fd < 0)
		return say(r, -EPROTO, "images: a message of type %u before a file", m->type);
	if (m->type == IMAGES_RUNS)
		return take_runs(r, m);
	if (m->type == IMAGES_DATA)
		return append(r, m->payload, m->len);
	return say(r, -EPROTO, "images: a message of type %u, which is not known", m->type);
}

int images_receive_take(struct images_receiver *r, const struct channel_message *m)
{
	if (r->state == 1)
		r->state = say(r, -EPROTO, "images: a message of type %u after their end", m->type);
	if (r->state == 0)
		r->state = take(r, m);
	return r->state;
}
