/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the kernel's about addresses and routes, as they are, by libmnl. */
#ifndef TAKEOVER_RTNL_H
#define TAKEOVER_RTNL_H

#include <libmnl/libmnl.h>

/* A bound NETLINK_ROUTE socket; close it with mnl_socket_close(). */
int takeover_rtnl_open(struct mnl_socket **ret_nl);

/* Send @hdr and pass what is answered to @fn, which may be NULL, up to its acknowledgement or
 * the end of its dump. */
int takeover_rtnl_transact(struct mnl_socket *nl, struct nlmsghdr *hdr, mnl_cb_t fn, void *data);

/* Append a copy of @attr, which is returned. There must be room. */
struct nlattr *takeover_rtnl_copy(struct nlmsghdr *hdr, const struct nlattr *attr);

#endif
