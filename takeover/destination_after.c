// SPDX-License-Identifier: GPL-2.0-only
/* After a destination has failed: the source has committed, so nobody has the service. A backup
 * would get its address, and its kernel would answer with resets; where we go on to speak for the
 * instance that has stepped down here, nobody does, until one says that it is to come there. */
#include "backend.h"
#include "destination.h"
#include "master.h"
#include "segment.h"
#include "stand_in.h"

static bool is_called(const struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	unsigned char from[TAKEOVER_MAC_LEN];
	enum takeover_word_state state;
	bool called = false;
	uint64_t nonce;

	while (takeover_segment_hear(takeover_segment_fd(k, i), a, &state, &nonce, from))
		called |= state == TAKEOVER_WORD_TAKE_BACK;
	return called;
}

/* A later restore here, or a person, has it, once its track file is 0. */
static bool is_ours(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (takeover_backend_is(k, i, TAKEOVER_BACKEND_KEEPALIVED) &&
		    !takeover_vrrp_is_faulted(k->vrrp[i].track_file))
			return false;
	return true;
}

/* Before the commit the source has the service, and speaks itself. */
void takeover_destination_give_up(struct takeover_keeper *k)
{
	k->given_up = (k->decided || k->mover_pid == 0) &&
		      takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED) &&
		      takeover_destination_all_here(k) && takeover_master_are_known(k);
	/* The first backup wakes 4 ms after keepalived has stepped down. */
	takeover_stand_in_for_absent(k->given_up);
}

bool takeover_destination_speaks_after(struct takeover_keeper *k)
{
	bool called = false;

	if (!k->given_up || !is_ours(k))
		return false;
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		called |= is_called(k, i);
	k->given_away |= called;
	if (called) {
		takeover_stand_in_for_absent(false);
		takeover_stand_in_step_down();
	}
	return !k->given_away;
}
