// SPDX-License-Identifier: GPL-2.0-only
/* Next hops of peers and their MACs, by libnl-3. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>

#include "neighbours.h"
#include "netlink.h"

#define KNOWN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

/* The route that the kernel takes to @peer; its gateway, else @peer itself. */
static int next_hop(struct nl_sock *sk, int family, const unsigned char *peer, int ifindex,
		    struct nl_addr **ret_hop)
{
	size_t len = takeover_family_len(family);
	struct nl_addr *to = nl_addr_build(family, peer, len);
	struct rtnl_route *route = NULL;
	struct rtnl_nexthop *nh;
	int ret;

	if (!to)
		return -ENOMEM;
	ret = takeover_nl_errno(rtnl_route_lookup(sk, to, &route));
	if (ret < 0) {
		nl_addr_put(to);
		return ret;
	}
	nh = rtnl_route_nexthop_n(route, 0);
	if (!nh || rtnl_route_nh_get_ifindex(nh) != ifindex) {
		ret = -ENOENT;
	} else {
		struct nl_addr *gateway = rtnl_route_nh_get_gateway(nh);

		*ret_hop = nl_addr_get(gateway ? gateway : to);
	}
	rtnl_route_put(route);
	nl_addr_put(to);
	return ret;
}

static void add_mac(struct nl_cache *cache, int ifindex, struct nl_addr *hop,
		    unsigned char (*macs)[TAKEOVER_MAC_LEN], size_t *n)
{
	struct rtnl_neigh *neigh = rtnl_neigh_get(cache, ifindex, hop);
	struct nl_addr *lladdr = neigh ? rtnl_neigh_get_lladdr(neigh) : NULL;
	bool usable = lladdr && nl_addr_get_len(lladdr) == TAKEOVER_MAC_LEN &&
		      (rtnl_neigh_get_state(neigh) & KNOWN);

	for (size_t i = 0; usable && i < *n; i++)
		usable = memcmp(macs[i], nl_addr_get_binary_addr(lladdr), TAKEOVER_MAC_LEN) != 0;
	if (usable)
		memcpy(macs[(*n)++], nl_addr_get_binary_addr(lladdr), TAKEOVER_MAC_LEN);
	if (neigh)
		rtnl_neigh_put(neigh);
}

int takeover_neighbours_find(const struct takeover_address *address,
			     const unsigned char (*peers)[16], size_t n_peers,
			     unsigned char (*ret_macs)[TAKEOVER_MAC_LEN], size_t max, size_t *ret_n)
{
	int ifindex = if_nametoindex(address->device);
	struct nl_cache *cache = NULL;
	struct nl_sock *sk = NULL;
	size_t n = *ret_n;
	int ret;

	if (ifindex == 0)
		return -ENODEV;
	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		return ret;
	ret = takeover_nl_errno(rtnl_neigh_alloc_cache(sk, &cache));
	if (ret < 0)
		goto out;
	for (size_t i = 0; i < n_peers && n < max; i++) {
		struct nl_addr *hop = NULL;

		if (next_hop(sk, address->family, peers[i], ifindex, &hop) < 0)
			continue;
		add_mac(cache, ifindex, hop, ret_macs, &n);
		nl_addr_put(hop);
	}
	*ret_n = n;
out:
	nl_cache_free(cache);
	nl_socket_free(sk);
	return ret;
}
