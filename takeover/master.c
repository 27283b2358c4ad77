// SPDX-License-Identifier: GPL-2.0-only
/* Whether keepalived is the master here, or just left its addresses. */
#include <stdlib.h>

#include "backend.h"
#include "master.h"
#include "netlink.h"

#define BEGIN_MS 1000 /* no keepalived is a master before */
#define AGAIN_MS 200

void takeover_master_know(struct takeover_keeper *k, size_t i)
{
	k->vrrp[i].known = takeover_vrrp_which();
}

/* Of an instance with both families one address is enough. */
static bool says_master(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp *v = calloc(1, sizeof(*v));
	char error[300];
	bool master = v &&
		      takeover_vrrp_find(&k->manifest->addresses[i], k->vrrp[i].instance,
					 k->vrrp[i].track_file, v, error, sizeof(error)) == 0 &&
		      v->state == TAKEOVER_VRRP_MASTER;

	free(v);
	return master;
}

bool takeover_master_is_known(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	uint64_t which = takeover_vrrp_which();
	long now = takeover_now_ms();

	if (which == 0 || which == t->known)
		return which != 0;
	if (which != t->newer) {
		t->newer = which;
		t->newer_since_ms = now;
	}
	if (now - t->newer_since_ms < BEGIN_MS || now - t->asked_ms < AGAIN_MS)
		return false;
	if (says_master(k, i) && takeover_vrrp_which() == which)
		t->known = which;
	t->asked_ms = takeover_now_ms();
	return t->known == which;
}

bool takeover_master_are_known(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (takeover_backend_is(k, i, TAKEOVER_BACKEND_KEEPALIVED) &&
		    !takeover_master_is_known(k, i))
			return false;
	return true;
}
