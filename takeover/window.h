/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections whose peer does not scale windows (RFC 7323 section 2.3). */
#ifndef TAKEOVER_WINDOW_H
#define TAKEOVER_WINDOW_H

#include <stddef.h>

#include "address.h"

/* Let each restored socket of @addresses that is still in repair mode, and whose connection
 * does not scale windows, send its own unscaled. *@ret_left: how many could not be helped. */
int takeover_window_unscale(const struct takeover_address *addresses, size_t n, size_t *ret_left);

#endif
