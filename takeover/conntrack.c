// SPDX-License-Identifier: GPL-2.0-only
/* Connection tracking by ctnetlink (linux net/netfilter/nf_conntrack_netlink.c) and libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conntrack.h"
#include "ctnetlink.h"
#include "sockets.h"

#define ESTABLISHED_SECONDS 432000 /* the kernel's default */

/* @from_peer: the direction; else from the socket to its peer. */
static struct nlmsghdr *adopt_message(void *buf, const struct takeover_socket *s, bool from_peer,
				      uint32_t seconds)
{
	struct nlmsghdr *hdr = takeover_ct_message(buf, IPCTNL_MSG_CT_NEW, NLM_F_CREATE, s->family);
	struct takeover_ct_tuple in = { .sport = s->remote_port, .dport = s->local_port };
	struct takeover_ct_tuple out = { .sport = s->local_port, .dport = s->remote_port };

	memcpy(in.src, s->remote, sizeof(in.src));
	memcpy(in.dst, s->local, sizeof(in.dst));
	memcpy(out.src, s->local, sizeof(out.src));
	memcpy(out.dst, s->remote, sizeof(out.dst));
	takeover_ct_put_tuple(hdr, CTA_TUPLE_ORIG, s->family, IPPROTO_TCP, from_peer ? &in : &out);
	takeover_ct_put_tuple(hdr, CTA_TUPLE_REPLY, s->family, IPPROTO_TCP, from_peer ? &out : &in);
	mnl_attr_put_u32(hdr, CTA_STATUS, htonl(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED));
	mnl_attr_put_u32(hdr, CTA_TIMEOUT, htonl(seconds));
	takeover_ct_put_tcp(hdr, TCP_CONNTRACK_ESTABLISHED);
	return hdr;
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
	struct takeover_ct_batch batch;
	uint32_t seconds;
	int ret = 0;

	*ret_n = 0;
	if (!takeover_ct_in_use())
		return 0;
	seconds = takeover_ct_sysctl("nf_conntrack_tcp_timeout_established", ESTABLISHED_SECONDS);
	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = takeover_sockets_add(&sockets, families[f], IPPROTO_TCP,
					   TAKEOVER_SOCKETS_ALL & ~(1U << TCP_LISTEN))
			      ?: takeover_sockets_add(&listening, families[f], IPPROTO_TCP,
						      1U << TCP_LISTEN);
	if (ret == 0)
		ret = takeover_ct_open(&batch);
	if (ret < 0)
		goto out;
	/* Translated here, with addresses of its own. */
	batch.ignore = EEXIST;
	for (size_t i = 0; i < sockets.n; i++) {
		const struct takeover_socket *s = &sockets.all[i];

		if (!takeover_socket_is_connected(s) || !is_ours(s, addresses, n))
			continue;
		batch.used += adopt_message(takeover_ct_room(&batch), s, is_served(&listening, s),
					    seconds)
				      ->nlmsg_len;
		++*ret_n;
	}
	takeover_ct_flush(&batch);
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
	struct takeover_ct_batch deletions;
};

static bool mentions(const struct forget *forget, const struct nlattr *attr, int family)
{
	struct takeover_ct_tuple tuple;
	uint8_t protocol;

	if (!takeover_ct_tuple_of(attr, family, &tuple, &protocol))
		return false;
	for (size_t i = 0; i < forget->n; i++) {
		const struct takeover_address *a = &forget->addresses[i];
		size_t len = takeover_family_len(a->family);

		if (a->family == family &&
		    (memcmp(tuple.src, a->ip, len) == 0 || memcmp(tuple.dst, a->ip, len) == 0))
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
	if (!ours || !original ||
	    mnl_attr_get_payload_len(original) > TAKEOVER_CT_MESSAGE_BYTES / 2)
		return MNL_CB_OK;
	del = takeover_ct_message(takeover_ct_room(&forget->deletions), IPCTNL_MSG_CT_DELETE, 0,
				  nfg->nfgen_family);
	mnl_attr_put(del, CTA_TUPLE_ORIG | NLA_F_NESTED, mnl_attr_get_payload_len(original),
		     mnl_attr_get_payload(original));
	if (id)
		mnl_attr_put(del, CTA_ID, mnl_attr_get_payload_len(id), mnl_attr_get_payload(id));
	if (zone)
		mnl_attr_put(del, CTA_ZONE, mnl_attr_get_payload_len(zone),
			     mnl_attr_get_payload(zone));
	forget->deletions.used += del->nlmsg_len;
	return MNL_CB_OK;
}

int takeover_conntrack_forget(const struct takeover_address *addresses, size_t n)
{
	struct forget forget = { .addresses = addresses, .n = n };
	int ret;

	/* Asking would load the module. */
	if (takeover_ct_sysctl("nf_conntrack_count", 0) <= 0)
		return 0;
	ret = takeover_ct_open(&forget.deletions);
	if (ret < 0)
		return ret;
	ret = takeover_ct_each(on_entry, &forget);
	takeover_ct_flush(&forget.deletions);
	ret = ret < 0 ? ret : forget.deletions.ret;
	mnl_socket_close(forget.deletions.nl);
	return ret;
}
