// SPDX-License-Identifier: GPL-2.0-only
/* The backend garp: addresses that nobody else on this host looks after. */
#include <string.h>

#include "backend.h"
#include "subnet.h"

#define DELADDR_MS 1000

static int withdraw(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool present = false;
	int ret;

	ret = takeover_address_present(a, &present);
	k->withdrew[i] |= present;
	if (ret == 0)
		ret = takeover_address_delete(a, DELADDR_MS);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot withdraw %s from %s: %s",
					   takeover_address_format(a, text, sizeof(text)),
					   a->device, strerror(-ret));
	return 0;
}

/* If it was we who took it off: whoever else did may have put it on another host. */
static int put_back(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool present = false;
	int ret;

	ret = takeover_address_present(a, &present);
	if (!k->withdrew[i]) {
		if (ret == 0 && !present)
			takeover_keeper_add(k,
					    "%s was taken off %s by somebody else, and stays off; "
					    "to have it back: ip-takeover claim",
					    takeover_address_ip(a, text, sizeof(text)), a->device);
		return 0;
	}
	if (ret == 0 && !present)
		ret = k->kept[i] ? takeover_kept_add(k->kept[i]) : takeover_address_add(a);
	if (ret < 0)
		takeover_keeper_add(k, "cannot put %s back on %s: %s",
				    takeover_address_format(a, text, sizeof(text)), a->device,
				    strerror(-ret));
	else if (!present)
		takeover_announce(k->wires[i], a,
				  (const unsigned char(*)[TAKEOVER_MAC_LEN])k->manifest->neighbours,
				  k->manifest->n_neighbours);
	return ret;
}

/* An engine has brought it up, and the kernel asks whether another has it: until it has waited for
 * the answer nobody can bind to it (linux net/ipv6/af_inet6.c, __inet6_bind). We have asked. */
static int end_detection(const struct takeover_address *a)
{
	struct takeover_address as_it_is = *a;
	struct takeover_subnet subnet;
	int ret = a->family == AF_INET6 ? takeover_subnet_find(a, &subnet) : 0;

	if (ret < 0 || a->family != AF_INET6 || !subnet.tentative)
		return ret;
	as_it_is.prefixlen = subnet.prefixlen;
	return takeover_address_delete(a, DELADDR_MS) ?: takeover_address_add(&as_it_is);
}

static int claim(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = takeover_address_add(a) ?: end_detection(a);

	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot add %s to %s: %s",
					   takeover_address_format(a, text, sizeof(text)),
					   a->device, strerror(-ret));
	return 0;
}

static int let_go(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = k->was_here[i] ? 0 : takeover_address_delete(a, DELADDR_MS);

	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot take %s off %s: %s",
					   takeover_address_format(a, text, sizeof(text)),
					   a->device, strerror(-ret));
	return 0;
}

const struct takeover_backend takeover_backend_garp = {
	.withdraw = withdraw,
	.put_back = put_back,
	.claim = claim,
	.let_go = let_go,
};
