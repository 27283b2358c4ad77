/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guard outside of a container, on the host's device that its macvlan is on. An engine brings
 * up the container's device, with its addresses, before CRIU makes the sockets and before a keeper
 * is in there: until then nothing reaches it, and nobody learns where it is. Only the question
 * whether another has the address (RFC 5227, 2.1.1; RFC 4862, 5.4.2), and its answer, pass.
 *
 * It is a table "ip-takeover-outer-PID" of the family netdev, so that it sees what macvlan takes
 * before any other hook does, ARP, too (linux net/core/dev.c, __netif_receive_skb_core: ingress,
 * then rx_handler; egress since Linux 5.16).
 */
#ifndef TAKEOVER_OUTER_H
#define TAKEOVER_OUTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define TAKEOVER_OUTER_MAX 8

struct takeover_outer {
	char device[IF_NAMESIZE]; /* the host's */
	unsigned char mac[6];	  /* of the container's device */
};

/* Set it, in the name of this process, all of it or nothing, and remove those of processes that
 * are dead; -errno: -EOPNOTSUPP or -ENOENT where
 * the kernel has no hook for what leaves. */
int takeover_outer_set(const struct takeover_outer *all, size_t n);

/* Remove this process's; 0, too, when there is none. */
int takeover_outer_remove(void);

/* Whether the guard @name (guard.h) is one of these, and its process is there. */
bool takeover_outer_is_used(const char *name);

#endif
