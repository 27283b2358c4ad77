// SPDX-License-Identifier: GPL-2.0-only
/* Messages over a socket or pipes; whoever is at the other end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "netlink.h"
#include "unit.h"

/* A channel, and the other end of it. */
static struct channel *channel_to(int *ret_fd)
{
	struct channel *c;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(channel_open(fds[0], fds[0], &c), 0);
	*ret_fd = fds[1];
	return c;
}

static void put(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), len);
}

static int receive(struct channel *c, struct channel_message *m)
{
	struct pollfd pfd = { .fd = channel_fd(c), .events = POLLIN };
	int ret;

	while ((ret = channel_receive(c, m)) == 0)
		assert_int_equal(poll(&pfd, 1, 10000), 1);
	return ret;
}

static void json_there_and_back(void **state)
{
	json_t *said = json_pack("{s:s, s:i}", "verb", "receive", "version", 1);
	struct channel *here, *there;
	struct channel_message m;
	int to[2], fro[2];

	(void)state;
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(fro, O_CLOEXEC), 0);
	assert_int_equal(channel_open(fro[0], to[1], &here), 0);
	assert_int_equal(channel_open(to[0], fro[1], &there), 0);
	assert_int_equal(channel_receive(there, &m), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(channel_send(here, said), 0);
		assert_int_equal(channel_send(here, said), 0);
		assert_int_equal(channel_receive(there, &m), 1);
		assert_int_equal(m.type, CHANNEL_JSON);
		assert_true(json_equal(m.json, said));
		assert_int_equal(channel_receive(there, &m), 1);
		assert_true(json_equal(m.json, said));
		assert_int_equal(channel_receive(there, &m), 0);
		assert_int_equal(channel_send(there, said), 0);
		assert_int_equal(channel_receive(here, &m), 1);
	}
	channel_close(here);
	assert_int_equal(channel_receive(there, &m), -EPIPE);
	assert_string_equal(channel_error(there), "the other side has ended");
	assert_int_equal(channel_send(there, said), -EPIPE);
	channel_close(there);
	json_decref(said);
}

static void a_message_in_pieces(void **state)
{
	static const char frame[] = "\0\0\0\x07\0\0\0\x05hello";
	struct channel_message m = { 0 };
	struct channel *c;
	int fd;

	(void)state;
	c = channel_to(&fd);
	for (size_t i = 0; i < 13; i++) {
		assert_int_equal(channel_receive(c, &m), 0);
		put(fd, frame + i, 1);
	}
	assert_int_equal(channel_receive(c, &m), 1);
	assert_int_equal(m.type, 7);
	assert_int_equal(m.len, 5);
	assert_null(m.json);
	assert_memory_equal(m.payload, "hello", 5);
	put(fd, frame, 10);
	assert_int_equal(channel_receive(c, &m), 0);
	close(fd);
	assert_int_equal(channel_receive(c, &m), -EPIPE);
	assert_string_equal(channel_error(c), "the other side has ended within a message");
	assert_int_equal(channel_receive(c, &m), -EPIPE);
	channel_close(c);
}

/* More than any buffer on the way takes. */
static void large_payloads(void **state)
{
	static unsigned char data[CHANNEL_PAYLOAD_MAX];
	struct channel_message m;
	struct channel *c;
	int fd, status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 31 + i / 4096;
	c = channel_to(&fd);
	pid = fork();
	if (pid == 0) {
		struct channel *other;
		int ret;

		channel_close(c);
		ret = channel_open(fd, fd, &other);
		for (int i = 0; i < 20 && ret == 0; i++)
			ret = channel_send_frame(other, 9, data, 100, data + 100,
						 sizeof(data) - 100);
		if (ret == 0 &&
		    channel_send_frame(other, 9, data, 1, data, sizeof(data)) != -EMSGSIZE)
			ret = 1;
		_exit(ret != 0 || channel_send_frame(other, 10, NULL, 0, NULL, 0) != 0);
	}
	close(fd);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(receive(c, &m), 1);
		assert_int_equal(m.type, 9);
		assert_int_equal(m.len, sizeof(data));
		assert_memory_equal(m.payload, data, sizeof(data));
	}
	assert_int_equal(receive(c, &m), 1);
	assert_int_equal(m.type, 10);
	assert_int_equal(m.len, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	channel_close(c);
}

static void a_text_is_quoted(void **state)
{
	static const char *const texts[][2] = {
		{ "Welcome to Debian!\r\n\r\nLast login: today\n",
		  "Welcome to Debian! Last login: today " },
		{ "x", "x" },
		{ "\x1b[31mred\a", "[31mred " },
		{ "\n\n\n", "(nothing printable)" },
	};
	struct channel_message m;
	char line[300];
	struct channel *c;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		c = channel_to(&fd);
		put(fd, texts[i][0], strlen(texts[i][0]));
		assert_int_equal(channel_receive(c, &m), -EPROTO);
		snprintf(line, sizeof(line), "expected ip-takeover's greeting, not: %s",
			 texts[i][1]);
		assert_string_equal(channel_error(c), line);
		assert_int_equal(channel_receive(c, &m), -EPROTO);
		channel_close(c);
		close(fd);
	}
	c = channel_to(&fd);
	put(fd, "\0\0\0\x01\0\0\0\x02{}no", 12);
	assert_int_equal(channel_receive(c, &m), 1);
	assert_int_equal(channel_receive(c, &m), -EPROTO);
	assert_string_equal(channel_error(c), "expected a message of ip-takeover, not: no");
	channel_close(c);
	close(fd);
}

/* Type and length that none has, and what is no JSON object. */
static void frames_that_are_none(void **state)
{
	static const struct {
		const char *frame;
		size_t len;
	} frames[] = {
		{ "\0\0\0\0\0\0\0\0", 8 },
		{ "\0\0\1\0\0\0\0\0", 8 },
		{ "\0\0\0\2\0\x10\0\1", 8 },
		{ "\0\0\0\1\xff\xff\xff\xff", 8 },
		{ "\0\0\0\1\0\0\0\0", 8 },
		{ "\0\0\0\1\0\0\0\2[]", 10 },
		{ "\0\0\0\1\0\0\0\1{", 9 },
		{ "\0\0\0\1\0\0\0\3{}x", 11 },
		{ "\0\0\0\1\0\0\0\x0d{\"a\":1,\"a\":2}", 21 },
	};
	struct channel_message m;
	struct channel *c;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		c = channel_to(&fd);
		put(fd, frames[i].frame, frames[i].len);
		assert_int_equal(channel_receive(c, &m), -EPROTO);
		assert_true(strlen(channel_error(c)) > 0);
		channel_close(c);
		close(fd);
	}
}

static void who_takes_nothing_is_not_waited_for(void **state)
{
	static char data[CHANNEL_PAYLOAD_MAX];
	struct channel *c;
	long begin;
	int fd;

	(void)state;
	c = channel_to(&fd);
	channel_set_patience(c, 100);
	begin = takeover_now_ms();
	assert_int_equal(channel_send_frame(c, 2, NULL, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_in_range(takeover_now_ms() - begin, 100, 5000);
	/* The rest of the frame was not sent: nothing can follow. */
	assert_int_equal(channel_send_frame(c, 2, NULL, 0, data, 1), -ETIMEDOUT);
	close(fd);
	channel_close(c);
}

/* Each byte taken begins the wait anew: here more than the patience in all. */
static void who_is_slow_is_waited_for(void **state)
{
	static char data[CHANNEL_PAYLOAD_MAX];
	struct channel *c;
	int fd, status;
	long begin;
	pid_t pid;

	(void)state;
	c = channel_to(&fd);
	channel_set_patience(c, 1000);
	pid = fork();
	if (pid == 0) {
		ssize_t n = 1;

		channel_close(c);
		for (int i = 0; i < 15; i++) {
			poll(NULL, 0, 100);
			n = read(fd, data, 30000);
		}
		while (n > 0)
			n = read(fd, data, sizeof(data));
		_exit(n != 0);
	}
	close(fd);
	begin = takeover_now_ms();
	assert_int_equal(channel_send_frame(c, 2, NULL, 0, data, sizeof(data)), 0);
	assert_true(takeover_now_ms() - begin > 1000);
	channel_close(c);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Sends it from a child, so that a full pipe stops nobody; the bytes that it took. */
static size_t sent_packed(size_t len, bool random, struct channel_message *m, struct channel **ret)
{
	unsigned char *data = malloc(len), *raw = malloc(2 * CHANNEL_PAYLOAD_MAX);
	int fds[2], file, status;
	struct channel *c;
	ssize_t n = 0, all = 0;
	pid_t pid;

	for (size_t i = 0; i < len; i++)
		data[i] = (random ? (size_t)rand() : i / 1000) & 0xff;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	if (pid == 0) {
		int bad = channel_open(fds[0], fds[0], &c) ?: channel_compress(c) ?:
			  channel_send_frame(c, 7, "head", 4, data, len);

		_exit(bad != 0);
	}
	close(fds[0]);
	while ((n = read(fds[1], raw + all, 2 * CHANNEL_PAYLOAD_MAX - all)) > 0)
		all += n;
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	file = memfd_create("sent", MFD_CLOEXEC);
	put(file, raw, all);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	assert_int_equal(channel_open(file, file, ret), 0);
	assert_int_equal(receive(*ret, m), 1);
	assert_int_equal(m->type, 7);
	assert_int_equal(m->len, 4 + len);
	assert_memory_equal(m->payload, "head", 4);
	if (len > 0)
		assert_memory_equal(m->payload + 4, data, len);
	free(data);
	free(raw);
	return all;
}

static void compressed(void **state)
{
	static const size_t lens[] = { 0, 1, 4096, 100000, CHANNEL_PAYLOAD_MAX - 4 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct channel_message m;
		struct channel *c;

		/* What does not get smaller is sent as it is. */
		assert_int_equal(sent_packed(lens[i], true, &m, &c), 8 + 4 + lens[i]);
		channel_close(c);
		if (lens[i] > 1)
			assert_true(sent_packed(lens[i], false, &m, &c) < lens[i] / 10);
		else
			sent_packed(lens[i], false, &m, &c);
		channel_close(c);
	}
}

static void compressed_wrongly(void **state)
{
	static const unsigned char bad[][24] = {
		/* No zstd; one that ends early; JSON inside; none of a type inside; too short */
		{ 0, 0, 0, 255, 0, 0, 0, 4, 'a', 'b', 'c', 'd' },
		{ 0, 0, 0, 255, 0, 0, 0, 6, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 5 },
		{ 0,	0,    0, 255,  0, 0, 0, 14, 0x28, 0xb5, 0x2f,
		  0xfd, 0x20, 5, 0x29, 0, 0, 0, 0,  0,	  1,	'{' },
		{ 0,	0,    0, 255,  0, 0, 0, 14, 0x28, 0xb5, 0x2f,
		  0xfd, 0x20, 5, 0x29, 0, 0, 0, 0,  1,	  0,	'{' },
		{ 0, 0, 0, 255, 0, 0, 0, 10, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 'x' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct channel_message m;
		int fd;
		struct channel *c = channel_to(&fd);

		put(fd, bad[i], 8 + bad[i][7]);
		assert_int_equal(receive(c, &m), -EPROTO);
		assert_non_null(strstr(channel_error(c), "zstd"));
		close(fd);
		channel_close(c);
	}
}

static void no_signal_of_a_pipe(void **state)
{
	struct channel *c;
	int in[2], out[2];
	sigset_t pending;

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(channel_open(in[0], out[1], &c), 0);
	close(out[0]);
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	assert_int_equal(channel_send_frame(c, 2, NULL, 0, "x", 1), -EPIPE);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGPIPE));
	close(in[1]);
	channel_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_there_and_back),
		cmocka_unit_test(a_message_in_pieces),
		cmocka_unit_test(large_payloads),
		cmocka_unit_test(a_text_is_quoted),
		cmocka_unit_test(frames_that_are_none),
		cmocka_unit_test(who_takes_nothing_is_not_waited_for),
		cmocka_unit_test(who_is_slow_is_waited_for),
		cmocka_unit_test(compressed),
		cmocka_unit_test(compressed_wrongly),
		cmocka_unit_test(no_signal_of_a_pipe),
	};

	return unit_main("channel", tests, NULL, NULL);
}
