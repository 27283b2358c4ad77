// SPDX-License-Identifier: GPL-2.0-only
/* Connection tracking by ctnetlink (linux net/netfilter/nf_conntrack_netlink.c) and libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "conntrack.h"
#include "sockets.h"

#define SYSCTLS		    "/proc/sys/net/netfilter/"
#define MESSAGE_BYTES	    512
#define BATCH_BYTES	    16384
#define ESTABLISHED_SECONDS 432000 /* the kernel's default */

static long sysctl(const char *name, long otherwise)
{
	char path[96];
	long value = otherwise;
	FILE *f;

	snprintf(path, sizeof(path), SYSCTLS "%s", name);
	f = fopen(path, "re");
	if (!f)
		return otherwise;
	if (fscanf(f, "%ld", &value) != 1)
		value = otherwise;
	fclose(f);
	return value;
}

/* A datagram to ourselves, which a namespace that tracks connections will know. */
static void make_one(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return;
	if (bind(fd, (void *)&sin, sizeof(sin)) == 0 && getsockname(fd, (void *)&sin, &len) == 0)
		sendto(fd, "", 1, MSG_NOSIGNAL, (void *)&sin, len);
	close(fd);
}

/* The kernel tracks in a namespace whose rules ask for it, and does not say so. */
static bool in_use(void)
{
	if (sysctl("nf_conntrack_count", -1) == 0)
		make_one();
	return sysctl("nf_conntrack_count", -1) > 0;
}

static struct nlmsghdr *message(void *buf, uint16_t type, uint16_t flags, int family)
{
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	hdr->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | type;
	hdr->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(hdr, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return hdr;
}

/* @from_peer: the direction; else from the socket to its peer. */
static void put_tuple(struct nlmsghdr *hdr, uint16_t type, const struct takeover_socket *s,
		      bool from_peer)
{
	size_t len = takeover_family_len(s->family);
	bool v4 = s->family == AF_INET;
	struct nlattr *tuple = mnl_attr_nest_start(hdr, type), *nest;

	nest = mnl_attr_nest_start(hdr, CTA_TUPLE_IP);
	mnl_attr_put(hdr, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, len,
		     from_peer ? s->remote : s->local);
	mnl_attr_put(hdr, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, len,
		     from_peer ? s->local : s->remote);
	mnl_attr_nest_end(hdr, nest);
	nest = mnl_attr_nest_start(hdr, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(hdr, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(hdr, CTA_PROTO_SRC_PORT,
			 htons(from_peer ? s->remote_port : s->local_port));
	mnl_attr_put_u16(hdr, CTA_PROTO_DST_PORT,
			 htons(from_peer ? s->local_port : s->remote_port));
	mnl_attr_nest_end(hdr, nest);
	mnl_attr_nest_end(hdr, tuple);
}

/* Established, in whatever window: of the sequence numbers so far nothing is known here, or
 * what is known is from before the connection was away, and all would be invalid. */
static void put_state(struct nlmsghdr *hdr)
{
	static const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL,
		.mask = IP_CT_TCP_FLAG_BE_LIBERAL,
	};
	struct nlattr *info = mnl_attr_nest_start(hdr, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(hdr, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(hdr, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	mnl_attr_put(hdr, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal);
	mnl_attr_put(hdr, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal);
	mnl_attr_nest_end(hdr, tcp);
	mnl_attr_nest_end(hdr, info);
}

static struct nlmsghdr *adopt_message(void *buf, const struct takeover_socket *s, bool from_peer,
				      uint32_t seconds)
{
	struct nlmsghdr *hdr = message(buf, IPCTNL_MSG_CT_NEW, NLM_F_CREATE, s->family);

	put_tuple(hdr, CTA_TUPLE_ORIG, s, from_peer);
	put_tuple(hdr, CTA_TUPLE_REPLY, s, !from_peer);
	mnl_attr_put_u32(hdr, CTA_STATUS, htonl(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED));
	mnl_attr_put_u32(hdr, CTA_TIMEOUT, htonl(seconds));
	put_state(hdr);
	return hdr;
}

/* Messages that ask for no acknowledgement are answered when they fail. */
static int failure_of(struct mnl_socket *nl)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	int result = 0;

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(nl), buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *hdr = (const void *)buf;
		int left = n;

		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0)
			return result;
		for (; mnl_nlmsg_ok(hdr, left); hdr = mnl_nlmsg_next(hdr, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(hdr);

			/* Deleted by others; or translated here, with addresses of its own. */
			if (hdr->nlmsg_type == NLMSG_ERROR && e->error < 0 && e->error != -ENOENT &&
			    e->error != -EEXIST)
				result = e->error;
		}
	}
}

struct batch {
	struct mnl_socket *nl;
	_Alignas(struct nlmsghdr) char buf[BATCH_BYTES];
	size_t used;
	int ret;
};

static void flush(struct batch *batch)
{
	int ret = 0;

	if (batch->used > 0 && mnl_socket_sendto(batch->nl, batch->buf, batch->used) < 0)
		ret = -errno;
	batch->used = 0;
	if (ret == 0)
		ret = failure_of(batch->nl);
	if (ret < 0)
		batch->ret = ret;
}

static void *room(struct batch *batch)
{
	if (batch->used + MESSAGE_BYTES > sizeof(batch->buf))
		flush(batch);
	return batch->buf + batch->used;
}

static int open_batch(struct batch *batch)
{
	batch->used = 0;
	batch->ret = 0;
	batch->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!batch->nl)
		return -errno;
	if (mnl_socket_bind(batch->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int ret = -errno;

		mnl_socket_close(batch->nl);
		return ret;
	}
	return 0;
}

static bool is_ours(const struct takeover_socket *s, const struct takeover_address *addresses,
		    size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (takeover_socket_is_on(s, &addresses[i]))
			return true;
	return false;
}

static bool is_served(const struct takeover_sockets *listening, const struct takeover_socket *s)
{
	for (size_t i = 0; i < listening->n; i++)
		if (listening->all[i].local_port == s->local_port)
			return true;
	return false;
}

int takeover_conntrack_adopt(const struct takeover_address *addresses, size_t n, size_t *ret_n)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct takeover_sockets sockets = { 0 }, listening = { 0 };
	struct batch batch;
	uint32_t seconds;
	int ret = 0;

	*ret_n = 0;
	if (!in_use())
		return 0;
	seconds = sysctl("nf_conntrack_tcp_timeout_established", ESTABLISHED_SECONDS);
	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = takeover_sockets_add(&sockets, families[f], IPPROTO_TCP,
					   TAKEOVER_SOCKETS_ALL & ~(1U << TCP_LISTEN))
			      ?: takeover_sockets_add(&listening, families[f], IPPROTO_TCP,
						      1U << TCP_LISTEN);
	if (ret == 0)
		ret = open_batch(&batch);
	if (ret < 0)
		goto out;
	for (size_t i = 0; i < sockets.n; i++) {
		const struct takeover_socket *s = &sockets.all[i];

		if (!takeover_socket_is_connected(s) || !is_ours(s, addresses, n))
			continue;
		batch.used += adopt_message(room(&batch), s, is_served(&listening, s), seconds)
				      ->nlmsg_len;
		++*ret_n;
	}
	flush(&batch);
	ret = batch.ret;
	mnl_socket_close(batch.nl);
out:
	free(listening.all);
	free(sockets.all);
	return ret;
}

struct forget {
	const struct takeover_address *addresses;
	size_t n;
	struct batch *deletions;
};

static int on_ip(const struct nlattr *attr, void *data)
{
	const struct nlattr **ends = data;
	int type = mnl_attr_get_type(attr);

	if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
		ends[0] = attr;
	if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
		ends[1] = attr;
	return MNL_CB_OK;
}

static bool mentions(const struct forget *forget, const struct nlattr *tuple, int family)
{
	const struct nlattr *ends[2] = { 0 }, *attr;

	mnl_attr_for_each_nested(attr, tuple) if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
		mnl_attr_parse_nested(attr, on_ip, ends);
	for (size_t i = 0; i < forget->n; i++) {
		const struct takeover_address *a = &forget->addresses[i];
		size_t len = takeover_family_len(a->family);

		for (size_t e = 0; e < 2; e++)
			if (ends[e] && a->family == family &&
			    mnl_attr_get_payload_len(ends[e]) == len &&
			    memcmp(mnl_attr_get_payload(ends[e]), a->ip, len) == 0)
				return true;
	}
	return false;
}

static int on_entry(const struct nlmsghdr *hdr, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(hdr);
	const struct nlattr *attr, *original = NULL, *id = NULL, *zone = NULL;
	struct forget *forget = data;
	bool ours = false;
	struct nlmsghdr *del;

	mnl_attr_for_each(attr, hdr, sizeof(*nfg)) {
		int type = mnl_attr_get_type(attr);

		if (type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY)
			ours |= mentions(forget, attr, nfg->nfgen_family);
		if (type == CTA_TUPLE_ORIG)
			original = attr;
		if (type == CTA_ID)
			id = attr;
		if (type == CTA_ZONE)
			zone = attr;
	}
	if (!ours || !original || mnl_attr_get_payload_len(original) > MESSAGE_BYTES / 2)
		return MNL_CB_OK;
	del = message(room(forget->deletions), IPCTNL_MSG_CT_DELETE, 0, nfg->nfgen_family);
	mnl_attr_put(del, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(original),
		     mnl_attr_get_payload(original));
	if (id)
		mnl_attr_put(del, CTA_ID, mnl_attr_get_payload_len(id), mnl_attr_get_payload(id));
	if (zone)
		mnl_attr_put(del, CTA_ZONE, mnl_attr_get_payload_len(zone),
			     mnl_attr_get_payload(zone));
	forget->deletions->used += del->nlmsg_len;
	return MNL_CB_OK;
}

int takeover_conntrack_forget(const struct takeover_address *addresses, size_t n)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	struct batch dump, deletions;
	struct forget forget = { .addresses = addresses, .n = n, .deletions = &deletions };
	struct nlmsghdr *hdr;
	int ret;

	/* Asking would load the module. */
	if (sysctl("nf_conntrack_count", 0) <= 0)
		return 0;
	ret = open_batch(&dump);
	if (ret < 0)
		return ret;
	ret = open_batch(&deletions);
	if (ret < 0)
		goto out;
	hdr = message(dump.buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	ret = mnl_socket_sendto(dump.nl, hdr, hdr->nlmsg_len) < 0 ? -errno : MNL_CB_OK;
	while (ret > MNL_CB_STOP) {
		ret = mnl_socket_recvfrom(dump.nl, buf, sizeof(buf));
		if (ret > 0)
			ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(dump.nl), on_entry,
					 &forget);
		if (ret < 0)
			ret = -errno;
	}
	flush(&deletions);
	ret = ret < 0 ? ret : deletions.ret;
	mnl_socket_close(deletions.nl);
out:
	mnl_socket_close(dump.nl);
	return ret;
}
