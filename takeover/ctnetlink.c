// SPDX-License-Identifier: GPL-2.0-only
/* Messages of ctnetlink. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "ctnetlink.h"

#define SYSCTLS "/proc/sys/net/netfilter/"

long takeover_ct_sysctl(const char *name, long otherwise)
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

/* A datagram to ourselves, which a namespace that tracks connections of @family will know. */
static void make_one(int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr *sa = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return;
	if (bind(fd, sa, len) == 0 && getsockname(fd, sa, &len) == 0)
		sendto(fd, "", 1, MSG_NOSIGNAL, sa, len);
	close(fd);
}

bool takeover_ct_in_use(void)
{
	if (takeover_ct_sysctl("nf_conntrack_count", -1) == 0) {
		make_one(AF_INET);
		make_one(AF_INET6);
	}
	return takeover_ct_sysctl("nf_conntrack_count", -1) > 0;
}

struct nlmsghdr *takeover_ct_message(void *buf, uint16_t type, uint16_t flags, int family)
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

void takeover_ct_put_tuple(struct nlmsghdr *hdr, uint16_t type, int family, uint8_t protocol,
			   const struct takeover_ct_tuple *t)
{
	size_t len = takeover_family_len(family);
	bool v4 = family == AF_INET;
	struct nlattr *tuple = mnl_attr_nest_start(hdr, type), *nest;

	nest = mnl_attr_nest_start(hdr, CTA_TUPLE_IP);
	mnl_attr_put(hdr, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, len, t->src);
	mnl_attr_put(hdr, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, len, t->dst);
	mnl_attr_nest_end(hdr, nest);
	nest = mnl_attr_nest_start(hdr, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(hdr, CTA_PROTO_NUM, protocol);
	mnl_attr_put_u16(hdr, CTA_PROTO_SRC_PORT, htons(t->sport));
	mnl_attr_put_u16(hdr, CTA_PROTO_DST_PORT, htons(t->dport));
	mnl_attr_nest_end(hdr, nest);
	mnl_attr_nest_end(hdr, tuple);
}

static bool take_ip(const struct nlattr *attr, size_t len, unsigned char *ret_ip)
{
	if (mnl_attr_get_payload_len(attr) != len)
		return false;
	memcpy(ret_ip, mnl_attr_get_payload(attr), len);
	return true;
}

static void take_proto(const struct nlattr *nest, struct takeover_ct_tuple *t, uint8_t *protocol)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		int type = mnl_attr_get_type(attr);

		if (type == CTA_PROTO_NUM && mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
			*protocol = mnl_attr_get_u8(attr);
		if (mnl_attr_validate(attr, MNL_TYPE_U16) < 0)
			continue;
		if (type == CTA_PROTO_SRC_PORT)
			t->sport = ntohs(mnl_attr_get_u16(attr));
		if (type == CTA_PROTO_DST_PORT)
			t->dport = ntohs(mnl_attr_get_u16(attr));
	}
}

bool takeover_ct_tuple_of(const struct nlattr *tuple, int family,
			  struct takeover_ct_tuple *ret_tuple, uint8_t *ret_protocol)
{
	size_t len = takeover_family_len(family);
	struct takeover_ct_tuple t = { 0 };
	const struct nlattr *nest, *attr;
	bool src = false, dst = false;
	uint8_t protocol = 0;

	mnl_attr_for_each_nested(nest, tuple)
	{
		if (mnl_attr_get_type(nest) == CTA_TUPLE_PROTO)
			take_proto(nest, &t, &protocol);
		if (mnl_attr_get_type(nest) != CTA_TUPLE_IP)
			continue;
		mnl_attr_for_each_nested(attr, nest)
		{
			int type = mnl_attr_get_type(attr);

			if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
				src = take_ip(attr, len, t.src);
			if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
				dst = take_ip(attr, len, t.dst);
		}
	}
	if (len == 0 || !src || !dst)
		return false;
	*ret_tuple = t;
	*ret_protocol = protocol;
	return true;
}

void takeover_ct_put_tcp(struct nlmsghdr *hdr, uint8_t state)
{
	static const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL,
		.mask = IP_CT_TCP_FLAG_BE_LIBERAL,
	};
	struct nlattr *info = mnl_attr_nest_start(hdr, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(hdr, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(hdr, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_put(hdr, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal);
	mnl_attr_put(hdr, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal);
	mnl_attr_nest_end(hdr, tcp);
	mnl_attr_nest_end(hdr, info);
}

static void take_failure(struct takeover_ct_batch *batch, const struct nlmsghdr *hdr)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(hdr);

	/* -ENOENT: deleted by others. */
	if (hdr->nlmsg_type != NLMSG_ERROR || e->error >= 0 || e->error == -ENOENT ||
	    e->error == -batch->ignore)
		return;
	if (batch->ret == 0)
		batch->failed = e->msg.nlmsg_seq;
	batch->ret = e->error;
}

static void take_failures(struct takeover_ct_batch *batch)
{
	_Alignas(struct nlmsghdr) char buf[32768];

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(batch->nl), buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *hdr = (const void *)buf;
		int left = n;

		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0)
			return;
		for (; mnl_nlmsg_ok(hdr, left); hdr = mnl_nlmsg_next(hdr, &left))
			take_failure(batch, hdr);
	}
}

void takeover_ct_flush(struct takeover_ct_batch *batch)
{
	if (batch->used > 0 && mnl_socket_sendto(batch->nl, batch->buf, batch->used) < 0)
		batch->ret = -errno;
	batch->used = 0;
	take_failures(batch);
}

void *takeover_ct_room(struct takeover_ct_batch *batch)
{
	if (batch->used + TAKEOVER_CT_MESSAGE_BYTES > sizeof(batch->buf))
		takeover_ct_flush(batch);
	return batch->buf + batch->used;
}

int takeover_ct_open(struct takeover_ct_batch *batch)
{
	batch->used = 0;
	batch->ignore = 0;
	batch->ret = 0;
	batch->failed = 0;
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

int takeover_ct_each(mnl_cb_t entry, void *data)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	struct takeover_ct_batch dump;
	struct nlmsghdr *hdr;
	int ret;

	ret = takeover_ct_open(&dump);
	if (ret < 0)
		return ret;
	hdr = takeover_ct_message(dump.buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	ret = mnl_socket_sendto(dump.nl, hdr, hdr->nlmsg_len) < 0 ? -errno : MNL_CB_OK;
	while (ret > MNL_CB_STOP) {
		ret = mnl_socket_recvfrom(dump.nl, buf, sizeof(buf));
		if (ret > 0)
			ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(dump.nl), entry, data);
		if (ret < 0)
			ret = -errno;
	}
	mnl_socket_close(dump.nl);
	return ret;
}
