// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netlink.h"
#include "segment.h"
#include "track_file.h"

/* Three lost adverts of a second each, the skew, and one to spare (RFC 9568 section 6.1). */
#define COME_MS	 5000
#define LEAVE_MS 1000
#define STEP_MS	 2
#define PROBE_MS 200

/* 0: it is as it is to be; -EAGAIN: not yet. */
static int look(const struct takeover_address *a, bool here)
{
	struct takeover_address anywhere = *a;
	bool present = false;
	int ret;

	anywhere.device[0] = '\0';
	ret = takeover_address_present(&anywhere, &present);
	return ret < 0 ? ret : present == here ? 0 : -EAGAIN;
}

int track_file_set(const struct takeover_address *a, const char *track_file, bool here)
{
	long now = takeover_now_ms(), deadline = now + (here ? COME_MS : LEAVE_MS), say_at = now;
	int ret = takeover_vrrp_fault(track_file, !here);
	int fd = here ? takeover_segment_open(a->device) : -1;
	struct takeover_wire *wire = NULL;

	if (ret == 0 && here)
		ret = takeover_wire_open(a->device, &wire);
	while (ret == 0 && (ret = look(a, here)) == -EAGAIN) {
		now = takeover_now_ms();
		ret = now > deadline ? -ETIMEDOUT : 0;
		/* To a host that stands by for it. */
		if (here && now >= say_at) {
			takeover_segment_take_back(fd, wire, a);
			say_at = now + PROBE_MS;
		}
		poll(NULL, 0, STEP_MS);
	}
	takeover_wire_close(wire);
	if (fd >= 0)
		close(fd);
	return ret;
}

static bool is_owned(const struct takeover_address *a)
{
	long deadline = takeover_now_ms() + PROBE_MS, left;
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	struct takeover_wire *wire = NULL;
	bool owned = false;
	size_t len;

	if (takeover_wire_open(a->device, &wire) < 0)
		return false;
	if (takeover_probe_build(frame, sizeof(frame), a, takeover_wire_mac(wire), &len) == 0)
		takeover_wire_send(wire, frame, len);
	while (!owned && (left = deadline - takeover_now_ms()) > 0) {
		struct pollfd pfd = { .fd = takeover_wire_fd(wire), .events = POLLIN };
		ssize_t n;

		poll(&pfd, 1, left);
		n = takeover_wire_receive(wire, frame, sizeof(frame));
		owned = n >= 0 && takeover_announce_parse(frame, n, a, mac);
	}
	takeover_wire_close(wire);
	return owned;
}

void track_file_settle(const struct takeover_address *a, const char *track_file)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = 0;

	if (!takeover_vrrp_is_faulted(track_file))
		return;
	takeover_address_ip(a, text, sizeof(text));
	if (is_owned(a))
		ret = takeover_vrrp_fault(track_file, false);
	else
		fprintf(stderr,
			"ip-takeover: nobody answers for %s, and keepalived would bring it here: "
			"its instance stays in FAULT; where the service is to run: ip-takeover "
			"claim %s, elsewhere then: echo 0 >%s\n",
			text, text, track_file);
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s: %s\n", track_file, strerror(-ret));
}
