// SPDX-License-Identifier: GPL-2.0-only
/* Frames of ARP and neighbour discovery from the segment. */
#include "announce.h"
#include "fuzz.h"

/* Who is heard stands in the frame, beside the address (RFC 826, RFC 4861 section 4.4). */
static void check_frame(const unsigned char *frame, size_t size, const char *text)
{
	unsigned char mac[TAKEOVER_MAC_LEN] = "12345";
	struct takeover_address address;
	bool v4;

	assert(takeover_address_parse(text, &address) == 0);
	v4 = address.family == AF_INET;
	if (!takeover_announce_parse(frame, size, &address, mac)) {
		assert(memcmp(mac, "12345", sizeof(mac)) == 0);
		return;
	}
	assert(size >= (v4 ? 42 : 86));
	assert(memcmp(frame + (v4 ? 28 : 62), address.ip, v4 ? 4 : 16) == 0);
	assert(memcmp(frame + (v4 ? 22 : 80), mac, sizeof(mac)) == 0);
	assert(!(mac[0] & 1) && memcmp(mac, "\0\0\0\0\0", sizeof(mac)) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_frame(data, size, "192.0.2.100/24");
	check_frame(data, size, "2001:db8::100/64");
	return 0;
}
