/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An engine binds published ports before CRIU begins, and so before the address is here
 * (net.ipv4.ip_nonlocal_bind, linux Documentation/networking/ip-sysctl.rst): meanwhile any process
 * may bind to any address, of either family. What was changed is in a file of /run/ip-takeover, on
 * which everybody who needs it has a lock: whoever is the last changes it back, also what one that
 * was killed has left.
 */
#ifndef NONLOCAL_H
#define NONLOCAL_H

#include <stdbool.h>

#define NONLOCAL_NAME "nonlocal" /* in /run/ip-takeover */

/* Let it be so; once more changes nothing. */
void nonlocal_allow(void);

/* This process needs it no more: back to what it was, unless another one does. */
void nonlocal_end(void);

/* Whether somebody who was killed has left it so. */
bool nonlocal_is_left(void);

/* Undo that. */
void nonlocal_clean(void);

#endif
