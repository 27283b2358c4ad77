// SPDX-License-Identifier: GPL-2.0-only
/* Translated connections in the kernel, by ctnetlink. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat.h"

static bool is_unicast(int family, const unsigned char *ip)
{
	struct in6_addr v6;

	if (family == AF_INET)
		return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
	memcpy(&v6, ip, sizeof(v6));
	return !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LOOPBACK(&v6) &&
	       !IN6_IS_ADDR_MULTICAST(&v6);
}

static bool are_sane(int family, const struct takeover_ct_tuple *t)
{
	return is_unicast(family, t->src) && is_unicast(family, t->dst) && t->sport && t->dport;
}

bool takeover_nat_is_one(const struct takeover_nat *nat, const struct takeover_address *addresses,
			 size_t n)
{
	size_t len = takeover_family_len(nat->family);

	if (len == 0 || !are_sane(nat->family, &nat->original) ||
	    !are_sane(nat->family, &nat->reply))
		return false;
	if (memcmp(nat->original.dst, nat->reply.src, len) == 0 &&
	    nat->original.dport == nat->reply.sport)
		return false;
	for (size_t i = 0; i < n; i++)
		if (addresses[i].family == nat->family &&
		    memcmp(addresses[i].ip, nat->original.dst, len) == 0)
			return true;
	return false;
}

struct listing {
	const struct takeover_address *addresses;
	size_t n, room;
	struct takeover_nats nats;
};

static uint8_t state_of(const struct nlattr *protoinfo)
{
	const struct nlattr *tcp, *attr;

	mnl_attr_for_each_nested(tcp, protoinfo)
	{
		if (mnl_attr_get_type(tcp) != CTA_PROTOINFO_TCP)
			continue;
		mnl_attr_for_each_nested(attr, tcp)
		{
			if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP_STATE &&
			    mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
				return mnl_attr_get_u8(attr);
		}
	}
	return TCP_CONNTRACK_NONE;
}

static uint32_t number_of(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) == 0 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

/* False: without both directions, or in a zone. */
static bool read_entry(const struct nlmsghdr *hdr, struct takeover_nat *nat)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(hdr);
	bool original = false, reply = false;
	const struct nlattr *attr;
	uint8_t protocol = 0;

	nat->family = nfg->nfgen_family;
	mnl_attr_for_each(attr, hdr, sizeof(*nfg)) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_TUPLE_ORIG:
			original = takeover_ct_tuple_of(attr, nat->family, &nat->original,
							&nat->protocol);
			break;
		case CTA_TUPLE_REPLY:
			reply = takeover_ct_tuple_of(attr, nat->family, &nat->reply, &protocol);
			break;
		case CTA_PROTOINFO:
			nat->state = state_of(attr);
			break;
		case CTA_TIMEOUT:
			nat->seconds = number_of(attr);
			break;
		case CTA_MARK:
			nat->mark = number_of(attr);
			break;
		case CTA_ZONE:
			return false;
		}
	}
	return original && reply && protocol == nat->protocol;
}

static bool add(struct listing *listing, const struct takeover_nat *nat)
{
	struct takeover_nats *nats = &listing->nats;

	if (nats->n == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 64;
		void *all = reallocarray(nats->all, room, sizeof(*nats->all));

		if (!all)
			return false;
		nats->all = all;
		listing->room = room;
	}
	nats->all[nats->n++] = *nat;
	return true;
}

/* Of a half-open connection the peer sends its SYN again. */
static int on_entry(const struct nlmsghdr *hdr, void *data)
{
	struct listing *listing = data;
	struct takeover_nat nat = { 0 };

	if (!read_entry(hdr, &nat) || nat.seconds == 0 ||
	    !takeover_nat_is_one(&nat, listing->addresses, listing->n))
		return MNL_CB_OK;
	if (nat.protocol == IPPROTO_TCP
		    ? nat.state < TCP_CONNTRACK_ESTABLISHED || nat.state > TCP_CONNTRACK_TIME_WAIT
		    : nat.protocol != IPPROTO_UDP)
		return MNL_CB_OK;
	if (listing->nats.n == TAKEOVER_NAT_MAX) {
		errno = E2BIG;
		return MNL_CB_ERROR;
	}
	if (!add(listing, &nat)) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

int takeover_nat_list(const struct takeover_address *addresses, size_t n,
		      struct takeover_nats *ret_nats)
{
	struct listing listing = { .addresses = addresses, .n = n };
	int ret = 0;

	/* Asking would load the module. */
	if (takeover_ct_sysctl("nf_conntrack_count", 0) > 0)
		ret = takeover_ct_each(on_entry, &listing);
	if (ret < 0) {
		free(listing.nats.all);
		return ret;
	}
	*ret_nats = listing.nats;
	return 0;
}

/* This address and port, and no other. */
static void put_range(struct nlmsghdr *hdr, uint16_t type, int family, const unsigned char *ip,
		      uint16_t port)
{
	size_t len = takeover_family_len(family);
	bool v4 = family == AF_INET;
	struct nlattr *nat = mnl_attr_nest_start(hdr, type), *proto;

	mnl_attr_put(hdr, v4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, len, ip);
	mnl_attr_put(hdr, v4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, len, ip);
	proto = mnl_attr_nest_start(hdr, CTA_NAT_PROTO);
	mnl_attr_put_u16(hdr, CTA_PROTONAT_PORT_MIN, htons(port));
	mnl_attr_put_u16(hdr, CTA_PROTONAT_PORT_MAX, htons(port));
	mnl_attr_nest_end(hdr, proto);
	mnl_attr_nest_end(hdr, nat);
}

/* The kernel makes the reply tuple itself, of an untranslated one and both ranges, and sets the
 * status of NAT by itself (nf_nat_setup_info); conntrackd does it so, too. Without a range for the
 * source it would be free to choose the peer another port. */
static struct nlmsghdr *create_message(void *buf, const struct takeover_nat *nat, uint32_t seq)
{
	struct nlmsghdr *hdr =
		takeover_ct_message(buf, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, nat->family);
	const struct takeover_ct_tuple *o = &nat->original;
	struct takeover_ct_tuple back = { .sport = o->dport, .dport = o->sport };

	memcpy(back.src, o->dst, sizeof(back.src));
	memcpy(back.dst, o->src, sizeof(back.dst));
	hdr->nlmsg_seq = seq;
	takeover_ct_put_tuple(hdr, CTA_TUPLE_ORIG, nat->family, nat->protocol, o);
	takeover_ct_put_tuple(hdr, CTA_TUPLE_REPLY, nat->family, nat->protocol, &back);
	put_range(hdr, CTA_NAT_DST, nat->family, nat->reply.src, nat->reply.sport);
	put_range(hdr, CTA_NAT_SRC, nat->family, nat->reply.dst, nat->reply.dport);
	mnl_attr_put_u32(hdr, CTA_STATUS, htonl(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED));
	mnl_attr_put_u32(hdr, CTA_TIMEOUT, htonl(nat->seconds));
	if (nat->protocol == IPPROTO_TCP)
		takeover_ct_put_tcp(hdr, nat->state);
	if (nat->mark)
		mnl_attr_put_u32(hdr, CTA_MARK, htonl(nat->mark));
	return hdr;
}

/* Never by the reply: that could be another connection's. */
static void forget(struct takeover_ct_batch *batch, const struct takeover_nat *nat)
{
	struct nlmsghdr *hdr =
		takeover_ct_message(takeover_ct_room(batch), IPCTNL_MSG_CT_DELETE, 0, nat->family);

	takeover_ct_put_tuple(hdr, CTA_TUPLE_ORIG, nat->family, nat->protocol, &nat->original);
	batch->used += hdr->nlmsg_len;
}

static void explain(const struct takeover_nat *nat, int ret, char *error, size_t len)
{
	char peer[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(nat->family, nat->original.src, peer, sizeof(peer));
	inet_ntop(nat->family, nat->original.dst, address, sizeof(address));
	inet_ntop(nat->family, nat->reply.src, to, sizeof(to));
	snprintf(error, len,
		 "the connection of %s port %u to %s port %u, which leads to %s port %u: %s", peer,
		 nat->original.sport, address, nat->original.dport, to, nat->reply.sport,
		 ret == -EEXIST ? "this host has another one in its place" : strerror(-ret));
}

int takeover_nat_create(const struct takeover_nats *nats, char *error, size_t len)
{
	struct takeover_ct_batch batch;
	int ret;

	if (nats->n == 0)
		return 0;
	if (!takeover_ct_in_use()) {
		snprintf(error, len,
			 "%zu connections are translated, and this host tracks none; "
			 "it needs the rules for the service's ports first",
			 nats->n);
		return -EOPNOTSUPP;
	}
	ret = takeover_ct_open(&batch);
	if (ret < 0) {
		snprintf(error, len, "ctnetlink: %s", strerror(-ret));
		return ret;
	}
	for (size_t i = 0; i < nats->n && batch.ret == 0; i++) {
		const struct takeover_nat *nat = &nats->all[i];

		forget(&batch, nat);
		batch.used += create_message(takeover_ct_room(&batch), nat, i + 1)->nlmsg_len;
	}
	takeover_ct_flush(&batch);
	ret = batch.ret;
	mnl_socket_close(batch.nl);
	if (ret < 0 && batch.failed > 0 && batch.failed <= nats->n)
		explain(&nats->all[batch.failed - 1], ret, error, len);
	else if (ret < 0)
		snprintf(error, len, "ctnetlink: %s", strerror(-ret));
	if (ret < 0)
		takeover_nat_remove(nats);
	return ret;
}

int takeover_nat_remove(const struct takeover_nats *nats)
{
	struct takeover_ct_batch batch;
	int ret;

	if (nats->n == 0 || takeover_ct_sysctl("nf_conntrack_count", 0) <= 0)
		return 0;
	ret = takeover_ct_open(&batch);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < nats->n; i++)
		forget(&batch, &nats->all[i]);
	takeover_ct_flush(&batch);
	ret = batch.ret;
	mnl_socket_close(batch.nl);
	return ret;
}
