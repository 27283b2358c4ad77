// SPDX-License-Identifier: GPL-2.0-only
/* What another ip-takeover, or a login script, sends: the first byte says how much at once. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "fuzz.h"

/* Messages that are whole; the last return. */
static int receive(struct channel *c, size_t *messages)
{
	struct channel_message m;
	int ret;

	while ((ret = channel_receive(c, &m)) == 1) {
		assert(m.type > 0 && m.type < CHANNEL_PACKED);
		assert(m.len <= CHANNEL_PAYLOAD_MAX);
		assert((m.type == CHANNEL_JSON) == (m.json != NULL));
		assert(!m.json || json_is_object(m.json));
		++*messages;
	}
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? data[0] + 1 : 1, messages = 0;
	const char *error;
	struct channel *c;
	int fds[2], ret = 0;

	if (size > 16384)
		return 0;
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	assert(channel_open(fds[0], fds[0], &c) == 0);
	for (size_t i = size > 0; i < size && ret == 0; i += step) {
		size_t n = size - i < step ? size - i : step;

		assert(write(fds[1], data + i, n) == (ssize_t)n);
		ret = receive(c, &messages);
	}
	close(fds[1]);
	if (ret == 0)
		ret = receive(c, &messages);
	assert(ret == -EPIPE || ret == -EPROTO);
	assert(messages <= size / 8);
	assert(receive(c, &messages) == ret);
	error = channel_error(c);
	assert(strlen(error) > 20 && strlen(error) < 300);
	for (; *error; error++)
		assert(*error >= ' ' && *error <= '~');
	channel_close(c);
	return 0;
}
