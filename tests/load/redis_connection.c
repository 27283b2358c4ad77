// SPDX-License-Identifier: GPL-2.0-only
/* One connection: it asks, waits, checks, and is dead after its first failure. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "redis.h"

#define FAILURES_SHOWN 5

static void watch(struct redis_load *load, unsigned int i, int op, bool out)
{
	struct epoll_event event = {
		.events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0),
		.data.u32 = i,
	};

	load->connections[i].wants_out = out;
	epoll_ctl(load->epoll, op, load->connections[i].fd, &event);
}

/* err is an errno; 0 is the end of the stream, EBADMSG a wrong answer. */
static void fail(struct redis_load *load, unsigned int i, int err)
{
	struct connection *c = &load->connections[i];

	if (load->reset + load->closed + load->wrong + load->errors < FAILURES_SHOWN)
		fprintf(stderr, "takeover-load: %.6f connection %u, %llu answers: %s\n",
			load_realtime(), i, (unsigned long long)c->requests,
			err == 0	 ? "closed by the server"
			: err == EBADMSG ? "wrong answer"
					 : strerror(err));
	if (err == ECONNRESET || err == EPIPE || err == ECONNREFUSED)
		load->reset++;
	else if (err == 0)
		load->closed++;
	else if (err == EBADMSG)
		load->wrong++;
	else
		load->errors++;
	if (c->state == CONNECTION_ASKED)
		pause_lost(&load->pause);
	if (c->state == CONNECTION_CONNECTING)
		load->connecting--;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->state = CONNECTION_DEAD;
	load->due[i] = INT64_MAX;
	load->live--;
}

int redis_start(struct redis_load *load, unsigned int i)
{
	struct connection *c = &load->connections[i];
	int err;

	load->started++;
	load->live++;
	err = load_connect(&load->options->target, 0, &c->fd);
	if (err) {
		c->fd = -1;
		fail(load, i, -err);
		return err;
	}
	c->state = CONNECTION_CONNECTING;
	load->connecting++;
	watch(load, i, EPOLL_CTL_ADD, true);
	return 0;
}

static void send_rest(struct redis_load *load, unsigned int i)
{
	struct connection *c = &load->connections[i];
	struct exchange *x = &c->exchange;
	bool out;

	while (x->sent < x->request_len) {
		ssize_t n =
			send(c->fd, x->request + x->sent, x->request_len - x->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			fail(load, i, errno);
			return;
		}
		x->sent += (size_t)n;
	}
	out = x->sent < x->request_len;
	if (out != c->wants_out)
		watch(load, i, EPOLL_CTL_MOD, out);
}

void redis_ask(struct redis_load *load, unsigned int i)
{
	struct connection *c = &load->connections[i];

	exchange_next(&c->exchange, load->run, i, load->options->pipeline);
	c->state = CONNECTION_ASKED;
	c->asked = load_now();
	load->due[i] = INT64_MAX;
	pause_asked(&load->pause, c->asked);
	send_rest(load, i);
}

static void answered(struct redis_load *load, unsigned int i)
{
	const struct redis_options *options = load->options;
	struct connection *c = &load->connections[i];
	int64_t now = load_now(), wait = now - c->asked;
	unsigned int j;

	waits_add(&load->waits, wait);
	if (wait > c->longest) {
		c->longest = wait;
		c->longest_at = now;
		c->longest_realtime = load_realtime();
	}
	if (pause_answered(&load->pause, now)) {
		for (j = 0; j < load->started; j++) {
			if (load->connections[j].state == CONNECTION_ASKED)
				pause_owe(&load->pause, &load->connections[j].owes);
		}
	}
	pause_settle(&load->pause, &c->owes, now);
	if (c->requests == 0)
		load->answered++;
	c->requests += c->exchange.commands;
	load->requests += c->exchange.commands;
	c->state = CONNECTION_IDLE;
	load->due[i] = now + options->interval_min;
	if (options->interval_max > options->interval_min)
		load->due[i] += (int64_t)(drand48() *
					  (double)(options->interval_max - options->interval_min));
}

static void receive(struct redis_load *load, unsigned int i)
{
	struct connection *c = &load->connections[i];
	char data[512];
	ssize_t n;
	int ret;

	n = recv(c->fd, data, sizeof(data), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(load, i, n ? errno : 0);
		return;
	}
	ret = c->state == CONNECTION_ASKED ? exchange_take(&c->exchange, data, (size_t)n)
					   : -EBADMSG;
	if (ret < 0)
		fail(load, i, -ret);
	else if (ret)
		answered(load, i);
}

static void connected(struct redis_load *load, unsigned int i)
{
	struct connection *c = &load->connections[i];
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (err) {
		fail(load, i, err);
		return;
	}
	load->connecting--;
	c->state = CONNECTION_IDLE;
	load->due[i] = load_now();
	watch(load, i, EPOLL_CTL_MOD, false);
}

void redis_event(struct redis_load *load, unsigned int i, uint32_t events)
{
	struct connection *c = &load->connections[i];

	if (c->state == CONNECTION_CONNECTING) {
		connected(load, i);
		return;
	}
	if (c->state != CONNECTION_DEAD && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		receive(load, i);
	if (c->state == CONNECTION_ASKED && events & EPOLLOUT)
		send_rest(load, i);
}
