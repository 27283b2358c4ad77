// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "json.h"
#include "netlink.h"
#include "packed.h"

#define HEADER	 8
#define TEXT_MAX 160 /* of what is no message, for channel_error() */

struct channel {
	int in, out;
	int patience_ms;
	int send_error, receive_error;
	bool greeted;	  /* a message has come */
	size_t have, len; /* of the message that is coming; its payload */
	uint32_t type;
	json_t *json;
	struct packed *packs, *unpacks; /* NULL until there is something to */
	unsigned char header[HEADER];
	unsigned char *payload;
	char error[TEXT_MAX + 80];
};

int channel_open(int in, int out, struct channel **ret_channel)
{
	struct channel *c = calloc(1, sizeof(*c));
	const int fds[] = { in, out };
	int ret = 0;

	if (!c)
		return -ENOMEM;
	c->in = in;
	c->out = out;
	c->patience_ms = CHANNEL_PATIENCE_MS;
	c->payload = malloc(CHANNEL_PAYLOAD_MAX);
	if (!c->payload)
		ret = -ENOMEM;
	for (size_t i = 0; i < 2 && ret == 0; i++) {
		int flags = fcntl(fds[i], F_GETFL);

		if (flags < 0 || fcntl(fds[i], F_SETFL, flags | O_NONBLOCK) < 0)
			ret = -errno;
		/* Fewer turns with ssh; not for a socket, and not above a user's share. */
		fcntl(fds[i], F_SETPIPE_SZ, CHANNEL_PAYLOAD_MAX);
	}
	if (ret < 0) {
		free(c->payload);
		free(c);
		return ret;
	}
	*ret_channel = c;
	return 0;
}

void channel_close(struct channel *c)
{
	if (!c)
		return;
	json_decref(c->json);
	close(c->in);
	if (c->out != c->in)
		close(c->out);
	packed_close(c->packs);
	packed_close(c->unpacks);
	free(c->payload);
	free(c);
}

int channel_compress(struct channel *c)
{
	return c->packs ? 0 : packed_open(CHANNEL_PAYLOAD_MAX, &c->packs);
}

int channel_fd(const struct channel *c)
{
	return c->in;
}

void channel_set_patience(struct channel *c, int patience_ms)
{
	c->patience_ms = patience_ms;
}

const char *channel_error(const struct channel *c)
{
	return c->error;
}

/* A pipe without a reader is an error here, and no signal: not even for another thread of
 * this process, nor is SIGPIPE ignored in the programs that it runs. */
static ssize_t write_quietly(int fd, const struct iovec *iov, int n)
{
	const struct timespec now = { 0 };
	sigset_t pipe, before, pending;
	ssize_t ret;
	int error;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	ret = writev(fd, iov, n);
	error = errno;
	if (ret < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret < 0 ? -error : ret;
}

static int wait_for_room(struct channel *c, long deadline)
{
	struct pollfd pfd = { .fd = c->out, .events = POLLOUT };
	long left = deadline - takeover_now_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	return poll(&pfd, 1, left) < 0 && errno != EINTR ? -errno : 0;
}

static int send_all(struct channel *c, struct iovec *iov, int n)
{
	long deadline = takeover_now_ms() + c->patience_ms;

	while (n > 0) {
		ssize_t done = iov->iov_len > 0 ? write_quietly(c->out, iov, n) : 0;

		if (done == -EAGAIN) {
			int ret = wait_for_room(c, deadline);

			if (ret < 0)
				return ret;
			continue;
		}
		if (done == -EINTR)
			continue;
		if (done < 0)
			return done == -ECONNRESET ? -EPIPE : done;
		if (done > 0)
			deadline = takeover_now_ms() + c->patience_ms;
		for (; n > 0 && (size_t)done >= iov->iov_len; iov++, n--)
			done -= iov->iov_len;
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= done;
		}
	}
	return 0;
}

int channel_send_frame(struct channel *c, uint32_t type, const void *head, size_t head_len,
		       const void *data, size_t len)
{
	uint32_t header[2];
	struct iovec iov[] = { { header, HEADER },
			       { (void *)head, head_len },
			       { (void *)data, len } };
	size_t packed = 0;

	if (head_len > CHANNEL_PAYLOAD_MAX || len > CHANNEL_PAYLOAD_MAX - head_len)
		return -EMSGSIZE;
	if (c->packs && type != CHANNEL_JSON) {
		const void *frame;

		packed = packed_pack(c->packs, type, head, head_len, data, len, &frame);
		if (packed > 0) {
			iov[1].iov_len = 0;
			iov[2] = (struct iovec){ (void *)frame, packed };
		}
	}
	header[0] = htonl(packed > 0 ? CHANNEL_PACKED : type);
	header[1] = htonl(packed > 0 ? packed : head_len + len);
	/* After half a frame, what follows would be taken for its rest. */
	if (c->send_error == 0)
		c->send_error = send_all(c, iov, 3);
	return c->send_error;
}

int channel_send(struct channel *c, const json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	int ret;

	if (!text)
		return -ENOMEM;
	ret = channel_send_frame(c, CHANNEL_JSON, NULL, 0, text, strlen(text));
	free(text);
	return ret;
}

/* Read what there is until @want bytes are there: 1; 0: not yet; -errno. */
static int fill(struct channel *c, unsigned char *buf, size_t offset, size_t want)
{
	while (c->have < offset + want) {
		ssize_t n = read(c->in, buf + c->have - offset, offset + want - c->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
		c->have += n;
	}
	return 1;
}

/* A login script that prints is the usual cause: show what it said. */
static int quote(struct channel *c)
{
	char text[TEXT_MAX + 1];
	size_t used = c->have, n = 0;
	ssize_t more;

	memcpy(text, c->header, used);
	more = read(c->in, text + used, TEXT_MAX - used);
	if (more > 0)
		used += more;
	for (size_t i = 0; i < used; i++) {
		bool plain = text[i] > ' ' && text[i] <= '~';

		/* Spaces, ends of lines and the like: one space. */
		if (plain || (n > 0 && text[n - 1] != ' '))
			text[n++] = plain ? text[i] : ' ';
	}
	text[n] = '\0';
	snprintf(c->error, sizeof(c->error), "expected %s, not: %s",
		 c->greeted ? "a message of ip-takeover" : "ip-takeover's greeting",
		 n > 0 ? text : "(nothing printable)");
	return -EPROTO;
}

static int read_header(struct channel *c)
{
	uint32_t words[2];
	int ret = fill(c, c->header, 0, HEADER);

	if (c->have > 0 && c->header[0] != 0)
		return quote(c);
	if (ret <= 0)
		return ret;
	memcpy(words, c->header, HEADER);
	c->type = ntohl(words[0]);
	c->len = ntohl(words[1]);
	return c->type == 0 || c->type > CHANNEL_TYPE_MAX || c->len > CHANNEL_PAYLOAD_MAX ? quote(c)
											  : 1;
}

static int parse(struct channel *c)
{
	int ret = takeover_json_parse((char *)c->payload, c->len, "message", &c->json, c->error,
				      sizeof(c->error));

	if (ret == 0 && !json_is_object(c->json)) {
		snprintf(c->error, sizeof(c->error), "message: expected an object");
		ret = -EINVAL;
	}
	return ret < 0 ? -EPROTO : 1;
}

/* JSON is never inside, nor another such frame. */
static int unpack(struct channel *c, struct channel_message *m)
{
	int ret = c->unpacks ? 0 : packed_open(CHANNEL_PAYLOAD_MAX, &c->unpacks);

	if (ret == 0)
		ret = packed_unpack(c->unpacks, c->payload, c->len, &m->type, &m->payload, &m->len);
	if (ret == 0 && m->type > CHANNEL_JSON && m->type < CHANNEL_PACKED)
		return 1;
	if (ret == 0 || ret == -EPROTO)
		snprintf(c->error, sizeof(c->error),
			 "message: expected a whole frame of zstd, with a message inside");
	return ret == 0 ? -EPROTO : ret;
}

static int receive(struct channel *c, struct channel_message *m)
{
	int ret = c->have < HEADER ? read_header(c) : 1;

	if (ret == 1)
		ret = fill(c, c->payload, HEADER, c->len);
	if (ret == 1 && c->type == CHANNEL_JSON)
		ret = parse(c);
	if (ret == 1)
		*m = (struct channel_message){ c->type, c->payload, c->len, c->json };
	if (ret == 1 && c->type == CHANNEL_PACKED)
		ret = unpack(c, m);
	if (ret == -EPIPE)
		snprintf(c->error, sizeof(c->error), "the other side has ended%s",
			 c->have > 0 ? " within a message" : "");
	else if (ret < 0 && ret != -EPROTO)
		snprintf(c->error, sizeof(c->error), "cannot read: %s", strerror(-ret));
	return ret;
}

int channel_receive(struct channel *c, struct channel_message *ret_message)
{
	int ret;

	if (c->receive_error < 0)
		return c->receive_error;
	json_decref(c->json);
	c->json = NULL;
	ret = receive(c, ret_message);
	if (ret < 0)
		c->receive_error = ret;
	if (ret == 1) {
		c->greeted = true;
		c->have = 0;
	}
	return ret;
}
