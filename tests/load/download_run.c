// SPDX-License-Identifier: GPL-2.0-only
/* Asks for a file by HTTP/1.0 and reads it, at a bounded rate if so told. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "download.h"

#define READY_BYTES (1024 * 1024)
/* At a bounded rate, reads are at least this far apart ... */
#define PACE (5 * LOAD_MS)
/* ... and what a pause left unread is not made up for by more than this. */
#define BURST (100 * LOAD_MS)

/* 0 when fd has one of the events (fd -1: when the time is over), else an errno. */
static int wait_for(const struct download *d, int fd, short events, int64_t ns)
{
	struct pollfd fds[] = {
		{ .fd = d->signals, .events = POLLIN },
		{ .fd = fd, .events = events },
	};
	int64_t ms = ns / LOAD_MS;
	int n = poll(fds, 2, ms > INT32_MAX ? INT32_MAX : (int)ms);

	if (n < 0)
		return errno;
	if (fds[0].revents)
		return ECANCELED;
	return n == 0 && fd >= 0 ? ETIMEDOUT : 0;
}

static int ask(struct download *d)
{
	const struct download_options *options = d->options;
	bool v6 = options->target.addr.ss_family == AF_INET6;
	char request[4096];
	socklen_t len = sizeof(int);
	int err = 0, ret, n;

	ret = wait_for(d, d->fd, POLLOUT, options->timeout);
	if (ret)
		return ret;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return errno;
	if (err)
		return err;
	n = snprintf(request, sizeof(request),
		     "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\nConnection: close\r\n\r\n",
		     options->path, v6 ? "[" : "", options->address, v6 ? "]" : "", options->port);
	if (n < 0 || (size_t)n >= sizeof(request))
		return ENAMETOOLONG;
	/* It fits into the empty send buffer of a new connection. */
	if (send(d->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		return errno ? errno : EIO;
	return 0;
}

static int take_body(struct download *d, const char *data, size_t len)
{
	if (len && EVP_DigestUpdate(d->sha, data, len) != 1)
		return EIO;
	d->bytes += (int64_t)len;
	if (!d->ready && (d->bytes >= READY_BYTES || d->bytes >= d->options->size)) {
		d->ready = true;
		return d->options->ready ? -load_touch(d->options->ready) : 0;
	}
	return 0;
}

static int take(struct download *d, const char *data, size_t len)
{
	const char *end;
	size_t rest;

	if (d->in_body)
		return take_body(d, data, len);
	rest = sizeof(d->head) - 1 - d->head_len;
	if (len > rest)
		return EBADMSG;
	memcpy(d->head + d->head_len, data, len);
	d->head_len += len;
	end = strstr(d->head, "\r\n\r\n");
	if (!end)
		return 0;
	if (d->head_len < 12 || strncmp(d->head, "HTTP/1.", 7) != 0 ||
	    strncmp(d->head + 8, " 200", 4) != 0)
		return EBADMSG;
	d->in_body = true;
	end += 4;
	return take_body(d, end, (size_t)(d->head + d->head_len - end));
}

/* How much may be read now; waits until that is worth a read. */
static int pace(const struct download *d, int64_t *credit, int64_t *filled)
{
	int64_t rate = d->options->rate, now;
	int err;

	for (;;) {
		now = load_now();
		*credit += (int64_t)((double)(now - *filled) * (double)rate / 1e9);
		*filled = now;
		if (*credit > rate / (LOAD_SECOND / BURST) + 1)
			*credit = rate / (LOAD_SECOND / BURST) + 1;
		if (*credit >= rate / (LOAD_SECOND / PACE) + 1)
			return 0;
		err = wait_for(d, -1, 0, PACE);
		if (err)
			return err;
	}
}

/* 0, an errno, or -1 at the end of the stream. */
static int read_some(struct download *d, int64_t *credit, int64_t *filled)
{
	char data[65536];
	size_t want = d->in_body ? sizeof(data) : 4096;
	int64_t now;
	ssize_t n;
	int err;

	if (d->options->rate) {
		err = pace(d, credit, filled);
		if (err)
			return err;
		if ((size_t)*credit < want)
			want = (size_t)*credit;
	}
	err = wait_for(d, d->fd, POLLIN, d->options->timeout);
	if (err)
		return err;
	n = recv(d->fd, data, want, 0);
	now = load_now();
	if (now - d->last > d->longest) {
		d->longest = now - d->last;
		d->longest_at = now;
		d->longest_realtime = load_realtime();
	}
	d->last = now;
	if (n < 0)
		return errno == EAGAIN ? 0 : errno;
	if (n == 0)
		return -1;
	*credit -= n;
	return take(d, data, (size_t)n);
}

void download_run(struct download *d)
{
	int64_t credit = 0, filled, progress = 0;
	int err;

	d->begun = load_now();
	err = ask(d);
	d->last = filled = load_now();
	while (!err) {
		err = read_some(d, &credit, &filled);
		if (d->options->progress && d->last >= progress) {
			progress = d->last + 100 * LOAD_MS;
			fprintf(stderr, "\rdownload %lld of %lld bytes longest gap %.3f s ",
				(long long)d->bytes, (long long)d->options->size,
				load_seconds(d->longest));
		}
	}
	if (d->options->progress)
		fputc('\n', stderr);
	d->ended = load_now();
	d->complete = err == -1 && d->in_body && d->bytes == d->options->size;
	d->err = err == -1 ? 0 : err;
}
