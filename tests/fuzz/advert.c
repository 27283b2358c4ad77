// SPDX-License-Identifier: GPL-2.0-only
/* Advertisements of VRRP from the segment. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "advert.h"
#include "fuzz.h"

static void check(const uint8_t *data, size_t size, struct takeover_advert *a)
{
	int priority = takeover_advert_priority(data, size, a->source, a);

	if (priority < 0)
		return;
	assert(size >= 8 && data[0] == (a->version << 4 | 1) && data[1] == 51);
	assert(priority == data[2]);
	/* What is read there: the addresses, and version 2's authentication. */
	assert(size >= 8 + data[3] * (a->family == AF_INET ? 4u : 16u) + (a->version == 2 ? 8 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct takeover_advert a = { .family = AF_INET, .version = 2, .vrid = 51 };

	assert(inet_pton(AF_INET, "192.0.2.2", a.source) == 1);
	assert(inet_pton(AF_INET, "224.0.0.18", a.group) == 1);
	check(data, size, &a);
	a.version = 3;
	check(data, size, &a);
	a.family = AF_INET6;
	assert(inet_pton(AF_INET6, "fe80::2", a.source) == 1);
	assert(inet_pton(AF_INET6, "ff02::12", a.group) == 1);
	check(data, size, &a);
	return 0;
}
