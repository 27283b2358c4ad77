/* SPDX-License-Identifier: GPL-2.0-only */
/* What every user of netlink here shares: errors as -errno, and a clock. */
#ifndef TAKEOVER_NETLINK_H
#define TAKEOVER_NETLINK_H

#include <stdbool.h>

struct nl_sock;

/* libnl's negative NLE_* code as -errno; 0 or more passes through. libnl folds
 * the kernel's errno into its own codes (libnl lib/error.c); this undoes it for
 * the ones that a caller here acts upon or a person reads. */
int takeover_nl_errno(int nle);

/* An acknowledged, connected libnl socket; free it with nl_socket_free(). */
int takeover_nl_open(int protocol, struct nl_sock **ret_sk);

/* Whether to list it anew: @ret is -EINTR when what the kernel listed has changed meanwhile
 * (NLM_F_DUMP_INTR). At most three times in all; *@tries begins as 0. libnl does so itself. */
bool takeover_nl_again(int ret, int *tries);

/* CLOCK_MONOTONIC in milliseconds. */
long takeover_now_ms(void);

#endif
