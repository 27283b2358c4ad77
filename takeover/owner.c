// SPDX-License-Identifier: GPL-2.0-only
/* Who answers for an address that keepalived has not brought here. */
#include <stdio.h>
#include <string.h>

#include "netlink.h"
#include "owner.h"

#define AGAIN_MS 100

bool takeover_owner_ask(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	unsigned char frame[TAKEOVER_ANNOUNCE_MAX];
	long now = takeover_now_ms();
	size_t len;

	if (now - t->said_ms < AGAIN_MS)
		return false;
	t->said_ms = now;
	t->answered = false;
	if (takeover_probe_build(frame, sizeof(frame), &k->manifest->addresses[i],
				 takeover_wire_mac(k->wires[i]), &len) == 0)
		takeover_wire_send(k->wires[i], frame, len);
	return true;
}

bool takeover_owner_answers(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	ssize_t n;

	while ((n = takeover_wire_receive(k->wires[i], frame, sizeof(frame))) >= 0) {
		/* What came before we asked may be the word of an owner that has gone. */
		if (t->said_ms == 0 ||
		    !takeover_announce_parse(frame, n, &k->manifest->addresses[i], mac))
			continue;
		t->answered = true;
		memcpy(t->by, mac, sizeof(mac));
	}
	if (!t->answered)
		takeover_owner_ask(k, i);
	return t->answered;
}

const char *takeover_owner_name(const struct takeover_keeper *k, size_t i, char *buf, size_t len)
{
	const struct takeover_vrrp_turn *t = &k->vrrp[i];

	if (t->answered)
		snprintf(buf, len, "%02x:%02x:%02x:%02x:%02x:%02x answers for it", t->by[0],
			 t->by[1], t->by[2], t->by[3], t->by[4], t->by[5]);
	else
		snprintf(buf, len, "nobody answers for it");
	return buf;
}
