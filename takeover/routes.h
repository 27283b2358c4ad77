/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes with a service address as their source (RTA_PREFSRC). With the address the kernel
 * deletes them (IPv4: linux net/ipv4/fib_semantics.c, fib_sync_down_addr), the host's default
 * route perhaps, or takes the source off them (IPv6: net/ipv6/route.c, rt6_remove_prefsrc).
 */
#ifndef TAKEOVER_ROUTES_H
#define TAKEOVER_ROUTES_H

#include <stddef.h>

#include "address.h"

struct takeover_routes;

/* Those of @addresses, as they are now; NULL when there are none. */
int takeover_routes_find(const struct takeover_address *addresses, size_t n,
			 struct takeover_routes **ret_routes);

/* Before the addresses go: the same routes without a source. */
int takeover_routes_detach(const struct takeover_routes *routes);

/* When the addresses are back: as they were. */
int takeover_routes_restore(const struct takeover_routes *routes);

/* "default via 192.0.2.254 dev eth0, 198.51.100.0/24 dev eth0 table 7", "" when all of them are the
 * kernel's own; returns @buf. */
const char *takeover_routes_format(const struct takeover_routes *routes, char *buf, size_t len);

void takeover_routes_free(struct takeover_routes *routes);

#endif
