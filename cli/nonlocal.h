/* SPDX-License-Identifier: GPL-2.0-only */
/* An engine binds published ports before CRIU begins, and so before the address is here
 * (net.ipv4.ip_nonlocal_bind, linux Documentation/networking/ip-sysctl.rst). */
#ifndef NONLOCAL_H
#define NONLOCAL_H

/* Let any process bind to any address, of either family; and back to what it was. */
void nonlocal_allow(void);
void nonlocal_end(void);

#endif
