// SPDX-License-Identifier: GPL-2.0-only
/* Judgement: whether this host may and can take the addresses, and who has them now. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "judge.h"
#include "keeper.h"
#include "netlink.h"

struct probe {
	struct takeover_wire *wire;
	bool source;			       /* has answered */
	bool taken;			       /* another has */
	unsigned char other[TAKEOVER_MAC_LEN]; /* which */
};

static bool is_source(const struct facts *f, const unsigned char *mac)
{
	for (size_t i = 0; i < f->n_macs; i++)
		if (memcmp(f->macs[i], mac, TAKEOVER_MAC_LEN) == 0)
			return true;
	return false;
}

static int ask(const struct takeover_address *a, struct probe *p)
{
	unsigned char frame[TAKEOVER_ANNOUNCE_MAX];
	size_t len;
	int ret = takeover_wire_open(a->device, &p->wire);

	if (ret == 0)
		ret = takeover_probe_build(frame, sizeof(frame), a, takeover_wire_mac(p->wire),
					   &len);
	if (ret == 0)
		ret = takeover_wire_send(p->wire, frame, len);
	return ret;
}

static void hear(const struct facts *f, const struct takeover_address *a, struct probe *p,
		 long deadline)
{
	struct pollfd pfd = { .fd = takeover_wire_fd(p->wire), .events = POLLIN };

	while (!p->taken) {
		long left = deadline - takeover_now_ms();
		unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
		ssize_t n = takeover_wire_receive(p->wire, frame, sizeof(frame));

		if (n == -EAGAIN && left > 0) {
			poll(&pfd, 1, left);
			continue;
		}
		if (n < 0)
			break;
		if (!takeover_announce_parse(frame, n, a, mac))
			continue;
		if (is_source(f, mac)) {
			p->source = true;
		} else {
			p->taken = true;
			memcpy(p->other, mac, sizeof(mac));
		}
	}
}

static void say_owner(struct checks *c, const char *name, const struct probe *p)
{
	const unsigned char *m = p->other;

	if (p->taken)
		check_say(c, CHECK_NO, name, "withdraw it there first",
			  "is in use by %02x:%02x:%02x:%02x:%02x:%02x, which is not the source",
			  m[0], m[1], m[2], m[3], m[4], m[5]);
	else if (!p->source)
		check_say(c, CHECK_WARNING, name,
			  "see that its device here and on the source are on one segment: "
			  "announcements reach no other",
			  "nobody answers for it, not even the source");
	else
		check_say(c, CHECK_OK, name, NULL, "the source answers for it, nobody else");
}

/* Of those that are not here; the questions go out together. */
static void probe_all(const struct facts *f, struct checks *c)
{
	struct probe probes[TAKEOVER_ADDRESSES_MAX] = { 0 };
	char name[TAKEOVER_ADDRESS_STRLEN + 16], text[TAKEOVER_ADDRESS_STRLEN];
	int asked[TAKEOVER_ADDRESSES_MAX];
	long deadline;

	for (size_t i = 0; i < c->config.n_addresses; i++) {
		struct takeover_address anywhere = c->config.addresses[i];
		bool here = false;

		anywhere.device[0] = '\0';
		asked[i] = takeover_address_present(&anywhere, &here);
		if (asked[i] == 0)
			asked[i] = here ? -EEXIST : ask(&c->config.addresses[i], &probes[i]);
	}
	deadline = takeover_now_ms() + c->config.probe_ms;
	for (size_t i = 0; i < c->config.n_addresses; i++) {
		const struct takeover_address *a = &c->config.addresses[i];

		snprintf(name, sizeof(name), "owner %s",
			 takeover_address_ip(a, text, sizeof(text)));
		if (asked[i] == 0)
			hear(f, a, &probes[i], deadline);
		if (asked[i] == 0)
			say_owner(c, name, &probes[i]);
		else if (asked[i] == -EEXIST)
			check_say(c, CHECK_NO, name,
				  "see `ip-takeover status`, then ip-takeover withdraw",
				  "this host has it already");
		else
			check_say(c, CHECK_NO, name, "see the device above",
				  "cannot probe for it: %s", strerror(-asked[i]));
		takeover_wire_close(probes[i].wire);
	}
}

/* The device of the configuration will be in the container; what can be looked at already is the
 * host's that it will be on. */
static void look_outside(const struct facts *f, struct checks *c)
{
	for (size_t i = 0; i < c->config.n_addresses; i++) {
		struct takeover_address *a = &c->config.addresses[i];
		char text[TAKEOVER_ADDRESS_STRLEN], name[TAKEOVER_ADDRESS_STRLEN + 16];

		if (container_device(f->spec, a, a->device) == 0)
			continue;
		snprintf(name, sizeof(name), "address %s",
			 takeover_address_format(a, text, sizeof(text)));
		check_say(c, CHECK_NO, name, "see to the container's networks below",
			  "is of none of the container's networks here");
	}
}

void judge_addresses(const struct facts *f, struct checks *c)
{
	struct takeover_config own = c->config;

	/* The rest of the configuration has no part in this. */
	c->config.n_addresses = 0;
	for (size_t i = 0; i < f->n_addresses; i++) {
		const struct takeover_address *a = takeover_config_find(&own, &f->addresses[i]);
		char text[TAKEOVER_ADDRESS_STRLEN], name[TAKEOVER_ADDRESS_STRLEN + 16];

		if (a) {
			c->config.backends[c->config.n_addresses] =
				*takeover_config_backend(&own, a);
			c->config.addresses[c->config.n_addresses++] = *a;
			continue;
		}
		snprintf(name, sizeof(name), "address %s",
			 takeover_address_format(&f->addresses[i], text, sizeof(text)));
		check_say(c, CHECK_NO, name, "add it to " TAKEOVER_CONFIG_PATH " on this host",
			  "is not in this host's configuration");
	}
	if (container_has_network(f->spec))
		look_outside(f, c);
	check_devices(c);
	check_addresses(c);
	check_keepalived(c);
	check_programs(c);
	if (c->root)
		probe_all(f, c);
	else
		check_needs_root(c, "owner");
}

void judge_takeovers(const struct facts *f, struct checks *c)
{
	struct takeover_keeper *k = calloc(1, sizeof(*k));
	struct takeover_manifest *m = calloc(1, sizeof(*m));

	if (!k || !m) {
		check_say(c, CHECK_NO, "takeovers", NULL, "no memory");
	} else {
		m->n_addresses = f->n_addresses;
		memcpy(m->addresses, f->addresses, sizeof(m->addresses));
		k->manifest = m;
		if (takeover_others(k, false) < 0)
			check_say(c, CHECK_NO, "takeovers", "see `ip-takeover status`", "%s",
				  k->message);
		else
			check_say(c, CHECK_OK, "takeovers", NULL,
				  "none of these addresses under way");
	}
	free(m);
	free(k);
}
