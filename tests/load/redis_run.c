// SPDX-License-Identifier: GPL-2.0-only
/* The event loop of the redis load. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "redis.h"

#define EVENTS 1024
#define PROGRESS (100 * LOAD_MS)
/* Fewer than any listen backlog: a SYN dropped there costs a second. */
#define CONNECTING_AT_ONCE 64
#define ID_SIGNAL UINT32_MAX
#define ID_STDIN (UINT32_MAX - 1)

static int watch_ends(struct redis_load *load)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = ID_SIGNAL };

	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->signals, &event))
		return -errno;
	event.data.u32 = ID_STDIN;
	if (load->options->until_eof && epoll_ctl(load->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event))
		return -errno; /* EPERM: a plain file or /dev/null */
	return 0;
}

static void stop(struct redis_load *load)
{
	if (!load->stopped)
		load->stopped = load_now();
}

/* A second signal ends the wait for the answers that are still to come. */
static void read_signal(struct redis_load *load)
{
	struct signalfd_siginfo info;

	if (read(load->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (load->stopped)
		load->stopped = INT64_MIN / 2;
	stop(load);
}

static void read_stdin(struct redis_load *load)
{
	char data[512];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	epoll_ctl(load->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	stop(load);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Asks on each connection whose time has come; the time of the next one. */
static int64_t ask_due(struct redis_load *load)
{
	int64_t now = load_now(), next = INT64_MAX;
	unsigned int i;

	if (load->stopped)
		return next;
	while (load->started < load->options->connections && load->connecting < CONNECTING_AT_ONCE)
		redis_start(load, load->started);
	for (i = 0; i < load->started; i++) {
		if (load->due[i] <= now)
			redis_ask(load, i);
		else
			next = earlier(next, load->due[i]);
	}
	return next;
}

static bool over(struct redis_load *load)
{
	if (load->started == load->options->connections && load->live == 0)
		return true;
	if (!load->stopped)
		return false;
	return load->pause.outstanding == 0 || load_now() - load->stopped >= load->options->drain;
}

/* All events are read before anything is asked: our own sending delays no time stamp. */
static int wait_events(struct redis_load *load, int64_t wake)
{
	struct epoll_event events[EVENTS];
	int64_t ns = wake - load_now();
	int i, n;

	n = epoll_wait(load->epoll, events, EVENTS,
		       ns <= 0 ? 0 : (int)((ns + LOAD_MS - 1) / LOAD_MS));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < n; i++) {
		if (events[i].data.u32 == ID_SIGNAL)
			read_signal(load);
		else if (events[i].data.u32 == ID_STDIN)
			read_stdin(load);
		else
			redis_event(load, events[i].data.u32, events[i].events);
	}
	return 0;
}

static int run(struct redis_load *load)
{
	const struct redis_options *options = load->options;
	int64_t progress = load->begun, next;
	bool ready = false;
	int err;

	while (!over(load)) {
		next = earlier(ask_due(load), progress);
		err = wait_events(load, next);
		if (err)
			return err;
		if (!ready && load->answered == options->connections) {
			ready = true;
			err = options->ready ? load_touch(options->ready) : 0;
			if (err)
				return err;
		}
		if (load_now() < progress)
			continue;
		progress += PROGRESS;
		if (options->progress)
			redis_progress(load);
		if (options->duration && load_now() - load->begun >= options->duration)
			stop(load);
	}
	return 0;
}

int redis_run(struct redis_load *load)
{
	unsigned int i;
	int err;

	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		return -errno;
	for (i = 0; i < load->options->connections; i++)
		load->due[i] = INT64_MAX;
	err = watch_ends(load);
	if (err) {
		if (err == -EPERM)
			fputs("takeover-load: --until-eof wants a pipe or a terminal\n", stderr);
		goto out;
	}
	load->begun = load_now();
	err = run(load);
	load->unanswered = load->pause.outstanding;
	pause_finish(&load->pause, load_now());
	if (load->options->progress) {
		redis_progress(load);
		fputc('\n', stderr);
	}
	for (i = 0; i < load->started; i++) {
		if (load->connections[i].fd >= 0)
			close(load->connections[i].fd);
	}
out:
	close(load->epoll);
	return err;
}
