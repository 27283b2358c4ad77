// SPDX-License-Identifier: GPL-2.0-only
/* Packets that may belong to a connection of no process. */
#include "fuzz.h"
#include "quiesce.h"

#define V6 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0

/* 192.0.2.100:80 with 192.0.2.3:4660, and the same over IPv6; in the order of bsearch(). */
static struct takeover_socket all[] = {
	{ .family = AF_INET,
	  .local = { 192, 0, 2, 100 },
	  .remote = { 192, 0, 2, 3 },
	  .local_port = 80,
	  .remote_port = 0x1234 },
	{ .family = AF_INET6,
	  .local = { V6, 0, 1, 0 },
	  .remote = { V6, 0, 0, 3 },
	  .local_port = 80,
	  .remote_port = 0x1234 },
};

static void check_packet(const unsigned char *packet, size_t size, bool in)
{
	const struct takeover_sockets leftovers = { all, sizeof(all) / sizeof(all[0]) };
	const struct takeover_socket *s = takeover_quiesce_find(&leftovers, packet, size, in);
	const unsigned char *local, *remote, *tcp;
	size_t len;

	if (!s)
		return;
	assert(s == &all[0] || s == &all[1]);
	assert(packet[0] >> 4 == 6 ? s == &all[1] : s == &all[0]);
	len = takeover_family_len(s->family);
	remote = packet + (s == &all[0] ? 12 : 8) + (in ? 0 : len);
	local = packet + (s == &all[0] ? 12 : 8) + (in ? len : 0);
	tcp = packet + (s == &all[0] ? (packet[0] & 15) * 4 : 40);
	assert(tcp + 14 <= packet + size);
	assert(memcmp(local, s->local, len) == 0 && memcmp(remote, s->remote, len) == 0);
	assert(tcp[in ? 3 : 1] == 80 && tcp[in ? 1 : 3] == 0x34);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_packet(data, size, true);
	check_packet(data, size, false);
	return 0;
}
