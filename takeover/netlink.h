/* SPDX-License-Identifier: GPL-2.0-only */
/* What every user of netlink here shares: errors as -errno, and a clock. */
#ifndef TAKEOVER_NETLINK_H
#define TAKEOVER_NETLINK_H

struct nl_sock;

/* libnl's negative NLE_* code as -errno; 0 or more passes through. libnl folds
 * the kernel's errno into its own codes (libnl lib/error.c); this undoes it for
 * the ones that a caller here acts upon or a person reads. */
int takeover_nl_errno(int nle);

/* An acknowledged, connected libnl socket; free it with nl_socket_free(). */
int takeover_nl_open(int protocol, struct nl_sock **ret_sk);

/* CLOCK_MONOTONIC in milliseconds. */
long takeover_now_ms(void);

#endif
