// SPDX-License-Identifier: GPL-2.0-only
/* The source before the freeze: what it needs, the guard, and sockets that come to rest. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "armed.h"
#include "backend.h"
#include "freezer.h"
#include "netlink.h"
#include "inner.h"
#include "service.h"
#include "source.h"
#include "words.h"

int takeover_source_open(struct takeover_keeper *k)
{
	int ret;

	k->manifest = calloc(1, sizeof(*k->manifest));
	if (!k->manifest)
		return takeover_keeper_say(k, -ENOMEM, "no memory");
	ret = takeover_manifest_init(k->manifest) ?: takeover_service_find(k);
	k->manifest->translated = takeover_inner_is_open();
	if (ret < 0)
		return ret;
	if (k->manifest->n_addresses == 0)
		return takeover_keeper_say(k, 1,
					   "no configured service address on this host has a "
					   "socket of this service: nothing to take over");
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		ret = takeover_wire_open(k->manifest->addresses[i].device, &k->wires[i]);
		if (ret < 0)
			return takeover_keeper_say(
				k, ret, "%s: cannot listen for announcements: %s",
				k->manifest->addresses[i].device,
				ret == -EPERM ? "no permission (CAP_NET_RAW); run criu as root"
					      : strerror(-ret));
		ret = takeover_kept_find(&k->manifest->addresses[i], &k->kept[i]);
		if (ret < 0)
			return takeover_keeper_say(k, ret, "cannot list addresses: %s",
						   strerror(-ret));
	}
	ret = takeover_words_prepare(k);
	/* A copy moves nothing. */
	if (ret == 0 && !k->checkpoint)
		ret = takeover_backend_prepare(k);
	if (ret < 0)
		return ret;
	ret = takeover_routes_find(k->manifest->addresses, k->manifest->n_addresses, &k->routes);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list routes: %s", strerror(-ret));
	return takeover_keeper_hold(k, true);
}

static int look(struct takeover_keeper *k)
{
	int ret =
		takeover_quiesce_look(k->manifest->addresses, k->manifest->n_addresses, &k->unrest);

	return ret < 0 ? takeover_keeper_say(k, ret, "cannot list sockets: %s", strerror(-ret)) : 0;
}

/* New connections wait already. Let the others get so far that criu can dump them, or end;
 * then hold all, and let the service read its datagrams: not one that a runtime has frozen, as
 * containerd does before it starts criu. */
static int quiesce(struct takeover_keeper *k)
{
	long patience = takeover_freezer_has(k->root_pid) ? 0 : k->config.quiesce_ms;
	long begin = takeover_now_ms(), deadline = begin + patience;
	struct takeover_unrest *u = &k->unrest;
	int ret;

	takeover_event(k, "quiesce");
	while ((ret = look(k)) == 0 && u->handshakes + u->accepts + u->closing > 0 &&
	       takeover_now_ms() < deadline)
		poll(NULL, 0, 1);
	if (ret < 0)
		return ret;
	/* A runtime takes a while to start criu, in which the service still answers. What comes by
	 * TCP until criu is there goes along in the sockets' queues; a datagram would be lost. */
	k->hold_later = getenv(TAKEOVER_RUNTIME_ENV) && u->udp == 0;
	ret = k->hold_later ? 0 : takeover_guard_hold(k->guard);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot hold by the guard: %s", strerror(-ret));
	/* Anew: some may have arrived since the last look. */
	while ((ret = look(k)) == 0 && u->accepts + u->datagrams > 0 &&
	       takeover_now_ms() < deadline)
		poll(NULL, 0, 1);
	if (ret < 0)
		return ret;
	k->quiesced_ms = takeover_now_ms() - begin;
	if (u->handshakes + u->accepts + u->closing + u->datagrams > 0)
		takeover_keeper_add(
			k,
			"not quiet after %ld ms (quiesce_ms): %u handshakes, %u connections "
			"not accepted (criu refuses those: In-flight connection), %u "
			"closing ones, %u sockets with unread datagrams",
			patience, u->handshakes, u->accepts, u->closing, u->datagrams);
	return 0;
}

int takeover_source_begin(struct takeover_keeper *k)
{
	int ret;

	/* A copy gives nobody a reason to make way. */
	ret = takeover_others(k, !k->checkpoint);
	if (ret < 0)
		return ret;
	ret = k->checkpoint ? 0 : takeover_manifest_write(k->images_fd, k->manifest);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot write %s into the image directory: %s",
					   TAKEOVER_MANIFEST_NAME, strerror(-ret));
	ret = takeover_keeper_guard(k) ?: quiesce(k);
	if (ret < 0)
		return ret;
	k->state = TAKEOVER_PREPARED;
	takeover_journal(k, "prepared");
	return 0;
}
