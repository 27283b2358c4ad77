// SPDX-License-Identifier: GPL-2.0-only
/* Routes as the kernel has sent them: so nothing of them is lost. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "netlink.h"
#include "routes.h"
#include "rtnl.h"

#define ROUTE_BYTES 4096 /* of one route with all its next hops, at most */

struct route {
	struct route *next;
	struct nlmsghdr hdr; /* the kernel's message follows */
};

struct takeover_routes {
	struct route *first, **tail;
	const struct takeover_address *addresses;
	size_t n;
	int err;
};

static const struct nlattr *attribute(const struct nlmsghdr *hdr, int type)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, hdr, sizeof(struct rtmsg))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

static bool has_source(const struct takeover_routes *routes, const struct nlmsghdr *hdr)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(hdr);
	const struct nlattr *source = attribute(hdr, RTA_PREFSRC);

	for (size_t i = 0; source && i < routes->n; i++) {
		const struct takeover_address *a = &routes->addresses[i];
		size_t len = takeover_family_len(a->family);

		if (rtm->rtm_family == a->family && mnl_attr_get_payload_len(source) == len &&
		    memcmp(mnl_attr_get_payload(source), a->ip, len) == 0)
			return true;
	}
	return false;
}

static int on_route(const struct nlmsghdr *hdr, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(hdr);
	struct takeover_routes *routes = data;
	struct route *route;

	if (hdr->nlmsg_type != RTM_NEWROUTE || rtm->rtm_table == RT_TABLE_LOCAL ||
	    (rtm->rtm_flags & RTM_F_CLONED) || hdr->nlmsg_len > ROUTE_BYTES ||
	    !has_source(routes, hdr))
		return MNL_CB_OK;
	route = malloc(sizeof(*route) + hdr->nlmsg_len);
	if (!route) {
		routes->err = -ENOMEM;
		return MNL_CB_STOP;
	}
	route->next = NULL;
	memcpy(&route->hdr, hdr, hdr->nlmsg_len);
	*routes->tail = route;
	routes->tail = &route->next;
	return MNL_CB_OK;
}

static void forget(struct takeover_routes *routes)
{
	while (routes->first) {
		struct route *r = routes->first;

		routes->first = r->next;
		free(r);
	}
	routes->tail = &routes->first;
}

/* On a socket of its own: an interrupted answer leaves its rest in it. */
static int list(struct takeover_routes *routes)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct mnl_socket *nl;
	int ret;

	forget(routes);
	ret = takeover_rtnl_open(&nl);
	if (ret < 0)
		return ret;
	for (size_t i = 0; ret == 0 && i < 2; i++) {
		_Alignas(struct nlmsghdr) char buf[128];
		struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
		struct rtmsg *rtm;

		hdr->nlmsg_type = RTM_GETROUTE;
		hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		rtm = mnl_nlmsg_put_extra_header(hdr, sizeof(*rtm));
		rtm->rtm_family = families[i];
		ret = takeover_rtnl_transact(nl, hdr, on_route, routes) ?: routes->err;
	}
	mnl_socket_close(nl);
	return ret;
}

int takeover_routes_find(const struct takeover_address *addresses, size_t n,
			 struct takeover_routes **ret_routes)
{
	struct takeover_routes *routes = calloc(1, sizeof(*routes));
	int ret, tries = 0;

	*ret_routes = NULL;
	if (!routes)
		return -ENOMEM;
	routes->addresses = addresses;
	routes->n = n;
	do
		ret = list(routes);
	while (takeover_nl_again(ret, &tries));
	if (ret < 0 || !routes->first)
		takeover_routes_free(routes);
	else
		*ret_routes = routes;
	return ret;
}

/* Flags that tell the state of a next hop are not taken back. */
static void clean_hops(struct nlattr *multipath)
{
	struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	int left = mnl_attr_get_payload_len(multipath);

	for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		hop->rtnh_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
}

/* A nexthop object has all that the kernel shows of it besides its id. */
static bool is_of_nexthop(int type)
{
	return type == RTA_OIF || type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH ||
	       type == RTA_ENCAP || type == RTA_ENCAP_TYPE;
}

static int put(struct mnl_socket *nl, const struct route *route, uint16_t flags, bool with_source)
{
	_Alignas(struct nlmsghdr) char buf[ROUTE_BYTES + 256];
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	bool object = attribute(&route->hdr, RTA_NH_ID);
	const struct nlattr *attr;
	struct rtmsg *rtm;

	hdr->nlmsg_type = RTM_NEWROUTE;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	rtm = mnl_nlmsg_put_extra_header(hdr, sizeof(*rtm));
	memcpy(rtm, mnl_nlmsg_get_payload(&route->hdr), sizeof(*rtm));
	rtm->rtm_flags &= RTNH_F_ONLINK | RTNH_F_PERVASIVE;
	mnl_attr_for_each(attr, &route->hdr, sizeof(*rtm)) {
		struct nlattr *copy;
		int type = mnl_attr_get_type(attr);

		if (type == RTA_CACHEINFO || (type == RTA_PREFSRC && !with_source) ||
		    (object && is_of_nexthop(type)))
			continue;
		copy = takeover_rtnl_copy(hdr, attr);
		if (type == RTA_MULTIPATH)
			clean_hops(copy);
	}
	return takeover_rtnl_transact(nl, hdr, NULL, NULL);
}

static const struct rtmsg *rtmsg_of(const struct route *route)
{
	return mnl_nlmsg_get_payload(&route->hdr);
}

/* The kernel's own go with the address, and come with it; unless others have made them so
 * (IFA_F_NOPREFIXROUTE). */
static bool is_own(const struct route *route)
{
	return rtmsg_of(route)->rtm_protocol == RTPROT_KERNEL;
}

int takeover_routes_detach(const struct takeover_routes *routes)
{
	struct mnl_socket *nl;
	int result, ret;

	result = takeover_rtnl_open(&nl);
	if (result < 0)
		return result;
	for (const struct route *r = routes->first; r; r = r->next) {
		if (is_own(r) || rtmsg_of(r)->rtm_family != AF_INET)
			continue;
		ret = put(nl, r, NLM_F_REPLACE, false);
		/* Somebody has deleted it meanwhile. */
		if (ret < 0 && ret != -ENOENT)
			result = ret;
	}
	mnl_socket_close(nl);
	return result;
}

int takeover_routes_restore(const struct takeover_routes *routes)
{
	struct mnl_socket *nl;
	int result, ret;

	result = takeover_rtnl_open(&nl);
	if (result < 0)
		return result;
	for (const struct route *r = routes->first; r; r = r->next) {
		ret = put(nl, r, NLM_F_CREATE | (is_own(r) ? NLM_F_EXCL : NLM_F_REPLACE), true);
		if (ret < 0 && !(is_own(r) && ret == -EEXIST))
			result = ret;
	}
	mnl_socket_close(nl);
	return result;
}

static void append(char *buf, size_t len, const char *before, const char *text)
{
	size_t n = strlen(buf);

	snprintf(buf + n, len - n, "%s%s", before, text);
}

static void format_route(const struct route *route, char *buf, size_t len)
{
	const struct rtmsg *rtm = rtmsg_of(route);
	const struct nlattr *to = attribute(&route->hdr, RTA_DST),
			    *via = attribute(&route->hdr, RTA_GATEWAY),
			    *dev = attribute(&route->hdr, RTA_OIF),
			    *table = attribute(&route->hdr, RTA_TABLE);
	uint32_t id = table ? mnl_attr_get_u32(table) : rtm->rtm_table;
	char text[INET6_ADDRSTRLEN + 8] = "default", name[IF_NAMESIZE];

	if (to) {
		inet_ntop(rtm->rtm_family, mnl_attr_get_payload(to), text, INET6_ADDRSTRLEN);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "/%u", rtm->rtm_dst_len);
	}
	append(buf, len, "", text);
	if (via && inet_ntop(rtm->rtm_family, mnl_attr_get_payload(via), text, sizeof(text)))
		append(buf, len, " via ", text);
	if (dev && if_indextoname(mnl_attr_get_u32(dev), name))
		append(buf, len, " dev ", name);
	if (id != RT_TABLE_MAIN) {
		snprintf(text, sizeof(text), "%u", id);
		append(buf, len, " table ", text);
	}
}

const char *takeover_routes_format(const struct takeover_routes *routes, char *buf, size_t len)
{
	buf[0] = '\0';
	for (const struct route *r = routes->first; r; r = r->next) {
		if (is_own(r))
			continue;
		append(buf, len, buf[0] ? ", " : "", "");
		format_route(r, buf, len);
	}
	return buf;
}

void takeover_routes_free(struct takeover_routes *routes)
{
	if (routes)
		forget(routes);
	free(routes);
}
