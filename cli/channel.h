/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages between two ip-takeovers over a pair of descriptors, as ssh gives them: a header of
 * 8 bytes, type and length in network order, then the payload. Nothing of it is trusted. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_PAYLOAD_MAX (1024 * 1024)
#define CHANNEL_PATIENCE_MS 30000

/* Types are 1 to 255: a header begins with a NUL, a text never does. */
#define CHANNEL_JSON	 1
#define CHANNEL_PACKED	 255 /* another inside: who receives sees that one */
#define CHANNEL_TYPE_MAX 255

struct channel;

struct channel_message {
	uint32_t type;
	const unsigned char *payload; /* until the next call of channel_receive() */
	size_t len;
	json_t *json; /* of type CHANNEL_JSON: the object; the channel's, as long as @payload */
};

/* Speak over the descriptors @in and @out, which may be the same. They are the channel's from
 * now on, and O_NONBLOCK; on failure they stay the caller's. */
int channel_open(int in, int out, struct channel **ret_channel);

/* NULL is allowed. */
void channel_close(struct channel *channel);

/* Poll it for POLLIN, then channel_receive() until it returns 0. */
int channel_fd(const struct channel *channel);

/* How long channel_send*() waits for an other side that takes nothing. */
void channel_set_patience(struct channel *channel, int patience_ms);

/* From now on what is sent as anything but JSON is compressed, where that makes it smaller.
 * Whoever receives need not be told. -ENOMEM. */
int channel_compress(struct channel *channel);

/* Send the JSON object @message as one frame. As of channel_send_frame(). */
int channel_send(struct channel *channel, const json_t *message);

/* Send @head (may be of no length) and @data as one payload. -ETIMEDOUT: the other side took
 * not one byte for as long as the patience is; -EPIPE: it has ended, and may have said why:
 * channel_receive(). -EMSGSIZE: too long, nothing was sent. After any other error the channel
 * cannot be sent to again: it fails in the same way. */
int channel_send_frame(struct channel *channel, uint32_t type, const void *head, size_t head_len,
		       const void *data, size_t len);

/* Never waits. 1: *@ret_message is a whole message; 0: none is whole yet; -EPIPE: the other side
 * has ended; -EPROTO: what came is no message, channel_error() quotes it. Errors stay. */
int channel_receive(struct channel *channel, struct channel_message *ret_message);

/* One printable line: what was wrong when channel_receive() failed. */
const char *channel_error(const struct channel *channel);

#endif
