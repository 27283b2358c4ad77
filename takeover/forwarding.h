/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether this host is a router for what it has no address for. */
#ifndef TAKEOVER_FORWARDING_H
#define TAKEOVER_FORWARDING_H

#include <stdbool.h>

#include "address.h"

/* Whether a packet for @address that comes in by its device, and finds no such address here,
 * would be forwarded: back to the segment, or answered by "host unreachable". A host that
 * does not forward drops it without a word (linux net/ipv4/route.c, ip_error). */
bool takeover_forwards(const struct takeover_address *address);

#endif
