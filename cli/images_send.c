// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "images_memory.h"
#include "images_sender.h"

uint64_t images_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int images_say(struct images_sender *s, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->error, sizeof(s->error), format, args);
	va_end(args);
	return ret;
}

int images_sent(struct images_sender *s, int ret)
{
	return ret < 0 ? images_say(s, ret, "images: cannot send: %s",
				    ret == -ETIMEDOUT ? "the other side takes nothing"
				    : ret == -EPIPE   ? "the other side has ended"
						      : strerror(-ret))
		       : 0;
}

int images_send_open(struct channel *channel, int dirfd, uint64_t limit,
		     struct images_sender **ret_sender)
{
	struct images_sender *s = calloc(1, sizeof(*s));
	struct images_begin begin = { htonl(IMAGES_VERSION), htonl(sysconf(_SC_PAGESIZE)) };
	int ret = s ? pages_open(&s->store, limit) : -ENOMEM;

	if (ret < 0) {
		free(s);
		return ret;
	}
	s->channel = channel;
	s->dirfd = dirfd;
	s->more = -1;
	s->fd = -1;
	s->number = 1;
	s->runs.channel = channel;
	s->runs.store = &s->store;
	s->buf = malloc(IMAGES_CHUNK);
	ret = s->buf ? channel_send_frame(channel, IMAGES_BEGIN, NULL, 0, &begin, sizeof(begin))
		     : -ENOMEM;
	if (ret < 0)
		images_send_close(s);
	else
		*ret_sender = s;
	return ret;
}

void images_send_close(struct images_sender *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	pages_close(&s->store);
	free(s->buf);
	free(s);
}

const char *images_send_error(const struct images_sender *s)
{
	return s->error;
}

struct images_stats images_send_stats(const struct images_sender *s)
{
	struct images_stats stats = s->stats;

	stats.stored = (uint64_t)s->store.n * s->store.size;
	stats.referred = s->runs.referred;
	stats.zeros = s->runs.zeros;
	stats.raw += s->runs.raw;
	return stats;
}

void images_send_watch(struct images_sender *s, void (*watch)(struct images_sender *sender))
{
	s->watch = watch;
}

/* What the store has more than was sent. */
static int send_store(struct images_sender *s)
{
	while (s->sent < s->store.n) {
		uint32_t n = s->store.n - s->sent, most = CHANNEL_PAYLOAD_MAX / s->store.size;
		int ret;

		if (n > most)
			n = most;
		ret = channel_send_frame(s->channel, IMAGES_PAGES, NULL, 0,
					 pages_at(&s->store, s->sent), n * s->store.size);
		if (ret < 0)
			return ret;
		s->sent += n;
		if (s->watch)
			s->watch(s);
	}
	return 0;
}

/* Enough is there, or no memory for more: the rest of it goes with the files. */
static int keep(void *arg, const unsigned char *pages, uint32_t n)
{
	struct images_sender *s = arg;
	size_t size = s->store.size;
	int ret = 0;

	for (uint32_t i = 0; i < n && ret == 0; i++) {
		const unsigned char *page = pages + i * size;
		uint32_t found, hash;

		if (pages_is_zero(page, size))
			continue;
		found = pages_find(&s->store, page, s->hint, &hash);
		if (found == PAGES_NONE) {
			ret = pages_add(&s->store, page, hash);
			found = s->store.n - 1;
		}
		s->hint = found + 1;
	}
	s->stats.full |= ret < 0;
	s->ahead_error = send_store(s);
	return s->ahead_error ?: ret;
}

int images_send_memory(struct images_sender *s, const pid_t *pids, size_t n)
{
	uint64_t begin = images_now_ns(), expect[IMAGES_SPARE_MAX] = { 0 };
	size_t expected = n < IMAGES_SPARE_MAX ? n : IMAGES_SPARE_MAX;
	int ret;

	s->hint = 0;
	for (size_t i = 0; i < n && s->ahead_error == 0; i++) {
		uint64_t bytes = 0;

		if (!s->stats.full)
			images_memory_read(pids[i], keep, s, &bytes);
		if (i < expected)
			expect[i] = htobe64(bytes);
	}
	ret = s->ahead_error
		      ?: channel_send_frame(s->channel, IMAGES_EXPECT, NULL, 0, expect,
					    expected * sizeof(*expect));
	s->stats.ahead_ns += images_now_ns() - begin;
	return images_sent(s, ret);
}
