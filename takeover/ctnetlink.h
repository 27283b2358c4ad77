/* SPDX-License-Identifier: GPL-2.0-only */
/* ctnetlink (linux net/netfilter/nf_conntrack_netlink.c): many messages at once, by libmnl. */
#ifndef TAKEOVER_CTNETLINK_H
#define TAKEOVER_CTNETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define TAKEOVER_CT_MESSAGE_BYTES 512
#define TAKEOVER_CT_BATCH_BYTES	  16384

/* Messages on their way to the kernel. */
struct takeover_ct_batch {
	struct mnl_socket *nl;
	_Alignas(struct nlmsghdr) char buf[TAKEOVER_CT_BATCH_BYTES];
	size_t used;
	int ignore;	 /* an errno that is no failure, besides ENOENT; or 0 */
	int ret;	 /* -errno of a failure */
	uint32_t failed; /* nlmsg_seq of the first message that failed, when @ret < 0 */
};

/* One direction of a connection; ports in the host's order. */
struct takeover_ct_tuple {
	unsigned char src[16], dst[16];
	uint16_t sport, dport;
};

/* A number of /proc/sys/net/netfilter; without conntrack @otherwise. */
long takeover_ct_sysctl(const char *name, long otherwise);

/* Whether this network namespace tracks connections: the kernel does where its rules ask for it,
 * and does not say so. */
bool takeover_ct_in_use(void);

/* Begin a message in @buf: IPCTNL_MSG_CT_*, NLM_F_*, AF_*. */
struct nlmsghdr *takeover_ct_message(void *buf, uint16_t type, uint16_t flags, int family);

/* Add one direction: CTA_TUPLE_ORIG or CTA_TUPLE_REPLY. */
void takeover_ct_put_tuple(struct nlmsghdr *hdr, uint16_t type, int family, uint8_t protocol,
			   const struct takeover_ct_tuple *tuple);

/* What takeover_ct_put_tuple() puts; ports are 0 where the protocol has none. False: it has not
 * both addresses. */
bool takeover_ct_tuple_of(const struct nlattr *attr, int family,
			  struct takeover_ct_tuple *ret_tuple, uint8_t *ret_protocol);

/* Add TCP's state (enum tcp_conntrack), in whatever window: of the sequence numbers so far
 * nothing is known here, or what is known is from before the connection was away, and all
 * would be invalid. */
void takeover_ct_put_tcp(struct nlmsghdr *hdr, uint8_t state);

/* 0 or -errno; end it with mnl_socket_close(batch->nl). */
int takeover_ct_open(struct takeover_ct_batch *batch);

/* Where the next message goes, of at most TAKEOVER_CT_MESSAGE_BYTES; add its length to
 * batch->used then. It asks for no acknowledgement: it is answered when it fails. */
void *takeover_ct_room(struct takeover_ct_batch *batch);

/* Send what has been put in so far. */
void takeover_ct_flush(struct takeover_ct_batch *batch);

/* Hand each entry of this network namespace to @entry (as for mnl_cb_run()). 0 or -errno. */
int takeover_ct_each(mnl_cb_t entry, void *data);

#endif
