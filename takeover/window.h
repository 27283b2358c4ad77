/* SPDX-License-Identifier: GPL-2.0-only */
/* What a connection's ends have agreed on and CRIU does not restore: windows of a peer that
 * does not scale them (RFC 7323 section 2.3), and the size of segments. */
#ifndef TAKEOVER_WINDOW_H
#define TAKEOVER_WINDOW_H

#include <stddef.h>

#include "address.h"

/* Let each restored socket of @addresses that is still in repair mode, and whose connection
 * does not scale windows, send its own unscaled. *@ret_left: how many could not be helped. */
int takeover_window_unscale(const struct takeover_address *addresses, size_t n, size_t *ret_left);

/* Let each connection of @addresses send segments as large as its route allows. Takes time
 * with every socket of every process: not while the service is frozen. */
void takeover_window_enlarge_segments(const struct takeover_address *addresses, size_t n);

#endif
