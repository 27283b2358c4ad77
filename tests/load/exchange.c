// SPDX-License-Identifier: GPL-2.0-only
/* Requests and answers in redis' protocol (RESP2). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exchange.h"

#define VALUE_LEN 100

static void __attribute__((format(printf, 4, 5)))
append(char *text, size_t size, size_t *len, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*len += (size_t)vsnprintf(text + *len, size - *len, format, args);
	va_end(args);
}

/* A padding of its own for each value: bytes of another answer do not pass for it. */
static void make_value(struct exchange *x, uint32_t run, unsigned int connection)
{
	uint64_t state =
		(x->sequence + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ connection ^ (uint64_t)run << 32;
	size_t len = 0;

	append(x->value, sizeof(x->value), &len, "%08x-%u-%llu-", run, connection,
	       (unsigned long long)x->sequence);
	while (len < VALUE_LEN) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		x->value[len++] = (char)('a' + (state >> 33) % 26);
	}
	x->value[len] = '\0';
}

void exchange_next(struct exchange *x, uint32_t run, unsigned int connection, bool pipeline)
{
	bool get = pipeline || x->stored, set = pipeline || !x->stored;
	char key[32];
	int key_len;

	/* The run is in the key, so that two loads on one server do not meet. */
	key_len = snprintf(key, sizeof(key), "key:%08x:%u", run, connection);
	x->commands = 0;
	x->request_len = x->sent = 0;
	x->answer_len = x->received = 0;
	if (set) {
		x->sequence++;
		make_value(x, run, connection);
		append(x->request, sizeof(x->request), &x->request_len,
		       "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%zu\r\n%s\r\n", key_len, key,
		       strlen(x->value), x->value);
		append(x->answer, sizeof(x->answer), &x->answer_len, "+OK\r\n");
		x->commands++;
	}
	if (get) {
		append(x->request, sizeof(x->request), &x->request_len,
		       "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", key_len, key);
		append(x->answer, sizeof(x->answer), &x->answer_len, "$%zu\r\n%s\r\n",
		       strlen(x->value), x->value);
		x->commands++;
	}
	x->stored = !get;
}

int exchange_take(struct exchange *x, const char *data, size_t len)
{
	if (len > x->answer_len - x->received || memcmp(x->answer + x->received, data, len) != 0)
		return -EBADMSG;
	x->received += len;
	return x->received == x->answer_len;
}
