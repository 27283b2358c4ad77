// SPDX-License-Identifier: GPL-2.0-only
/* Who stands by for an address, asked on its segment. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "netlink.h"
#include "segment.h"

#define ASK_MS	   100 /* a LAN's answer takes less than one */
#define AGAIN_MS   20
#define FRAMES_MAX 16 /* at once; then the others have their turn */

/* Of this worker; the next one makes its own. */
static int fds[TAKEOVER_ADDRESSES_MAX]; /* one an address; 0: none */

static const unsigned char no_secret[TAKEOVER_SECRET_LEN];

int takeover_segment_open(const char *device)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(TAKEOVER_WORD_ETHERTYPE),
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (void *)&sll, sizeof(sll)) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd < 0 ? -errno : fd;
}

/* close() of a packet socket waits for the kernel's RCU (linux net/packet/af_packet.c,
 * packet_release): too long where milliseconds count. */
int takeover_segment_fd(const struct takeover_keeper *k, size_t i)
{
	if (fds[i] <= 0)
		fds[i] = takeover_segment_open(k->manifest->addresses[i].device);
	return fds[i];
}

/* An IPv4 address as IPv6 maps it (RFC 4291 section 2.5.5.2). */
static const char *id_of(const struct takeover_address *a, char buf[33])
{
	unsigned char ip[16] = { [10] = 0xff, [11] = 0xff };

	if (a->family == AF_INET)
		memcpy(ip + 12, a->ip, 4);
	else
		memcpy(ip, a->ip, sizeof(ip));
	for (int i = 0; i < 16; i++)
		snprintf(buf + 2 * i, 3, "%02x", ip[i]);
	return buf;
}

void takeover_segment_say(int fd, const struct takeover_wire *wire,
			  const struct takeover_address *a, enum takeover_word_state state,
			  uint64_t nonce, const unsigned char *to)
{
	unsigned char frame[TAKEOVER_WORD_LEN];
	char id[33];
	const struct takeover_word word = { state, id_of(a, id), 0, nonce };

	takeover_word_build(frame, &word, no_secret, takeover_wire_mac(wire), to);
	if (fd >= 0)
		send(fd, frame, sizeof(frame), MSG_NOSIGNAL);
}

bool takeover_segment_hear(int fd, const struct takeover_address *a,
			   enum takeover_word_state *ret_state, uint64_t *ret_nonce,
			   unsigned char *ret_from)
{
	unsigned char frame[256];
	char id[33];

	for (int n = 0; fd >= 0 && n < FRAMES_MAX; n++) {
		struct takeover_word word = { .id = id_of(a, id) };
		ssize_t len = recv(fd, frame, sizeof(frame), 0);

		if (len < 0)
			return false;
		if (takeover_word_parse(frame, len, &word, no_secret) < 0)
			continue;
		*ret_state = word.state;
		*ret_nonce = word.nonce;
		memcpy(ret_from, frame + TAKEOVER_MAC_LEN, TAKEOVER_MAC_LEN);
		return true;
	}
	return false;
}

/* Until one has answered this question. */
static bool is_answered(int fd, const struct takeover_address *a, uint64_t nonce)
{
	unsigned char from[TAKEOVER_MAC_LEN];
	enum takeover_word_state state;
	uint64_t heard;

	while (takeover_segment_hear(fd, a, &state, &heard, from))
		if (state == TAKEOVER_WORD_PREPARED && heard == nonce)
			return true;
	return false;
}

int takeover_segment_ask(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	long deadline = takeover_now_ms() + ASK_MS;
	struct pollfd pfd = { .fd = takeover_segment_open(a->device), .events = POLLIN };
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool answered = false;
	uint64_t nonce = 0;

	if (pfd.fd < 0 || getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce)) {
		if (pfd.fd >= 0)
			close(pfd.fd);
		return takeover_keeper_say(k, -EIO, "%s: cannot ask who stands by: %s", a->device,
					   strerror(pfd.fd < 0 ? -pfd.fd : EIO));
	}
	while (!answered && takeover_now_ms() < deadline) {
		takeover_segment_say(pfd.fd, k->wires[i], a, TAKEOVER_WORD_WHO, nonce, NULL);
		poll(&pfd, 1, AGAIN_MS);
		answered = is_answered(pfd.fd, a, nonce);
	}
	close(pfd.fd);
	if (answered)
		return 0;
	takeover_address_ip(a, text, sizeof(text));
	return takeover_keeper_say(k, -EHOSTUNREACH,
				   "no host of the segment stands by for %s, and keepalived would "
				   "move it to one whose kernel answers with resets; on the "
				   "destination first: ip-takeover prepare %s",
				   text, text);
}

void takeover_segment_take_back(int fd, const struct takeover_wire *wire,
				const struct takeover_address *a)
{
	takeover_segment_say(fd, wire, a, TAKEOVER_WORD_TAKE_BACK, 0, NULL);
}
