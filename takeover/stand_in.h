/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In an election that is decided already: once the master of an instance has stepped down, the
 * backups wait for as long as their priority says, and the first to wake is the new one. But a
 * backup that does not preempt waits anew when it hears any advertisement (RFC 5798 section
 * 6.4.2), so the prepared host says at once what its own keepalived is about to say,
 * until that is master. Its keepalived does not hear it: multicast is not looped back.
 * Not with authentication, whose password keepalived does not tell, nor with unicast_peer.
 */
#ifndef TAKEOVER_STAND_IN_H
#define TAKEOVER_STAND_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "advert.h"

/* Be ready to speak for these instances; for those that were added before, nothing happens.
 * Before the worker exists. -errno of socket(2) and setsockopt(2); -ENOSPC when there are too
 * many. */
int takeover_stand_in_add(const struct takeover_advert *adverts, size_t n);

/* In the worker, with every tick: from now on speak for an instance whose master has stepped down
 * less than @ms ago (0: for none), until it has another, which may be this host. */
void takeover_stand_in_allow(long ms);

/* In the worker, with every tick: from now on speak for all of them, whose own keepalived does not:
 * it has died and left its addresses here, or is not the master yet; or not. Never against another
 * master: who begins with it needs to have listened for longer than one is silent. */
void takeover_stand_in_for_absent(bool speak);

/* Say for all of them that their master steps down, if there is no other: somebody else is to
 * be it. */
void takeover_stand_in_step_down(void);

/* Whether another host has spoken as the master of each of them, lately; false where there is
 * none to listen for. */
bool takeover_stand_in_hears_master(void);

/* Whether it speaks just now: then somebody has to see when it should no more. */
bool takeover_stand_in_speaks(void);

#endif
