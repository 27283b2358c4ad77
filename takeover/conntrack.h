/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connection tracking: a host's packet filter judges packets by what it has seen of their
 * connection. The destination has seen nothing of a connection that moves in, and a host
 * that it has left saw an older part of it.
 */
#ifndef TAKEOVER_CONNTRACK_H
#define TAKEOVER_CONNTRACK_H

#include <stddef.h>

#include "address.h"

/* Let this network namespace know each TCP connection of @addresses that has a socket here as
 * established in both directions, if connections are tracked here at all. *@ret_n: how many. */
int takeover_conntrack_adopt(const struct takeover_address *addresses, size_t n, size_t *ret_n);

/* Delete what is known of connections from and to @addresses. */
int takeover_conntrack_forget(const struct takeover_address *addresses, size_t n);

#endif
