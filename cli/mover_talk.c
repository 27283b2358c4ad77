// SPDX-License-Identifier: GPL-2.0-only
/* What the source says to the destination before anything is touched, and how it fails. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "deadline.h"
#include "facts_fields.h"
#include "mover.h"
#include "netlink.h"
#include "steps.h"

#define HELLO_S 15

int mover_smaller(long a, long b)
{
	return a < b ? a : b;
}

/* By the alarm, or, where the other host is to say no in peace, by the clock. */
static bool froze_too_long(const struct migrate *m, int ret)
{
	return m->freeze_until_ms > 0 && !m->committed &&
	       (deadline_passed() ||
		(ret == -ETIMEDOUT && takeover_now_ms() >= m->freeze_until_ms));
}

int mover_say(struct migrate *m, int ret, const char *why)
{
	if (m->why[0])
		return ret;
	if (deadline_interrupted() && !m->committed)
		snprintf(m->why, sizeof(m->why), "interrupted");
	else if (froze_too_long(m, ret))
		snprintf(m->why, sizeof(m->why), "not done within %u s (--max-freeze)",
			 m->o.max_freeze_s);
	else if (deadline_passed() && !m->committed)
		snprintf(m->why, sizeof(m->why), "not ready to freeze it within %u s (--timeout)",
			 m->o.timeout_s);
	else
		snprintf(m->why, sizeof(m->why), "%s", why);
	return ret;
}

/* The next word from the destination, which must be @word. */
int mover_expect(struct migrate *m, const char *word, struct channel_message *message)
{
	long deadline = takeover_now_ms() + m->timeout_s * 1000L;
	struct pollfd pfd = { .fd = channel_fd(m->channel), .events = POLLIN };
	int ret;

	while ((ret = channel_receive(m->channel, message)) == 0) {
		long left = deadline - takeover_now_ms();

		if (left <= 0)
			return mover_say(m, -ETIMEDOUT, "the other host does not answer");
		if (deadline_interrupted() && !m->committed && !m->why[0])
			return mover_say(m, -EINTR, "");
		poll(&pfd, 1, left);
	}
	if (ret == -EPIPE)
		return mover_say(m, ret, rsh_why(&m->remote));
	if (ret < 0)
		return mover_say(m, ret, channel_error(m->channel));
	if (message->type == CHANNEL_JSON && strcmp(migrate_word(message), word) == 0)
		return 0;
	return mover_say(m, -EREMOTEIO,
			 message->type == CHANNEL_JSON &&
					 strcmp(migrate_word(message), "failed") == 0
				 ? migrate_field(message, "why")
				 : "the other host said something that makes no sense now");
}

static int take_hello(struct migrate *m, const struct channel_message *message)
{
	json_int_t protocol = json_integer_value(json_object_get(message->json, "protocol"));
	const char *host;
	char why[200];

	if (facts_text(message->json, "host", sizeof(m->there) - 1, false, &host))
		snprintf(m->there, sizeof(m->there), "%s", host);
	if (protocol == MIGRATE_PROTOCOL)
		return 0;
	snprintf(
		why, sizeof(why),
		"ip-takeover %.40s there speaks protocol %lld of migrate, this one %d; install the "
		"same version on both hosts",
		migrate_field(message, "version"), (long long)protocol, MIGRATE_PROTOCOL);
	return mover_say(m, -EPROTO, why);
}

static int compare_clocks(struct migrate *m)
{
	struct channel_message message;
	int ret = 0;

	for (int i = 0; i < CLOCK_QUESTIONS && ret == 0; i++) {
		int64_t asked_ns = clock_now_ns();

		ret = clock_ask(m->channel);
		ret = ret < 0 && ret != -EPIPE ? mover_say(m, ret, strerror(-ret))
					       : mover_expect(m, "clock", &message);
		if (ret == 0)
			clock_take(&m->clock, asked_ns, message.json, clock_now_ns());
	}
	return ret;
}

int mover_greet(struct migrate *m)
{
	struct channel_message message;
	int ret;

	m->timeout_s = mover_smaller(m->o.timeout_s, HELLO_S);

	migrate_step(STEP_GREET);
	ret = migrate_say(
		m->channel, "hello",
		json_pack("{s:s, s:i}", "version", TAKEOVER_VERSION, "protocol", MIGRATE_PROTOCOL));

	if (ret < 0 && ret != -EPIPE)
		return mover_say(m, ret, strerror(-ret));
	ret = mover_expect(m, "hello", &message) ?: take_hello(m, &message) ?: compare_clocks(m);
	if (ret == 0 && m->o.compress && channel_compress(m->channel) < 0)
		ret = mover_say(m, -ENOMEM, "no memory to compress");
	m->timeout_s = mover_smaller(m->o.timeout_s, MOVER_ANSWER_S);
	return ret;
}
