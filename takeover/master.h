/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this host has its addresses by VRRP. A keepalived that is killed leaves them; one that
 * starts removes them, and waits as a backup for as long as a master may be silent (keepalived
 * vrrp/vrrp.c, vrrp_complete_init; RFC 5798 section 6.4.1). In between they prove nothing.
 */
#ifndef TAKEOVER_MASTER_H
#define TAKEOVER_MASTER_H

#include <stddef.h>

#include "keeper.h"

/* Address @i's instance is known to the keepalived that runs now: what appears here is its work. */
void takeover_master_know(struct takeover_keeper *keeper, size_t i);

/* Whether that one still runs; or one that was started since, and says that it is the master
 * (asked now and then: takes up to a second when it does not answer). */
bool takeover_master_is_known(struct takeover_keeper *keeper, size_t i);

/* The same of all addresses that are keepalived's. */
bool takeover_master_are_known(struct takeover_keeper *keeper);

#endif
