// SPDX-License-Identifier: GPL-2.0-only
/* Secondary addresses (linux net/ipv4/devinet.c, __inet_del_ifa), by libnl-3. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_addr.h>
#include <netlink/cache.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/socket.h>

#include "netlink.h"
#include "subnet.h"

static bool is_address(struct rtnl_addr *addr, const struct takeover_address *a)
{
	struct nl_addr *local = rtnl_addr_get_local(addr);

	return local && nl_addr_get_family(local) == a->family &&
	       memcmp(nl_addr_get_binary_addr(local), a->ip, takeover_family_len(a->family)) == 0;
}

static bool same_subnet(struct rtnl_addr *addr, const struct takeover_address *a,
			unsigned int prefixlen)
{
	struct nl_addr *local = rtnl_addr_get_local(addr);
	const unsigned char *ip;

	if (!local || nl_addr_get_family(local) != a->family ||
	    rtnl_addr_get_prefixlen(addr) != (int)prefixlen)
		return false;
	ip = nl_addr_get_binary_addr(local);
	for (unsigned int bit = 0; bit < prefixlen; bit++)
		if ((ip[bit / 8] ^ a->ip[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static struct rtnl_addr *find(struct nl_cache *cache, const struct takeover_address *a, int ifindex)
{
	struct nl_object *obj;

	for (obj = nl_cache_get_first(cache); obj; obj = nl_cache_get_next(obj))
		if (rtnl_addr_get_ifindex((struct rtnl_addr *)obj) == ifindex &&
		    is_address((struct rtnl_addr *)obj, a))
			return (struct rtnl_addr *)obj;
	return NULL;
}

static bool has_secondaries(struct nl_cache *cache, const struct takeover_address *a, int ifindex,
			    unsigned int prefixlen)
{
	struct nl_object *obj;

	for (obj = nl_cache_get_first(cache); obj; obj = nl_cache_get_next(obj)) {
		struct rtnl_addr *addr = (struct rtnl_addr *)obj;

		if (rtnl_addr_get_ifindex(addr) == ifindex &&
		    (rtnl_addr_get_flags(addr) & IFA_F_SECONDARY) &&
		    same_subnet(addr, a, prefixlen))
			return true;
	}
	return false;
}

int takeover_subnet_find(const struct takeover_address *a, struct takeover_subnet *ret_subnet)
{
	int ifindex = if_nametoindex(a->device);
	struct takeover_subnet subnet = { 0 };
	struct nl_cache *cache = NULL;
	struct nl_sock *sk = NULL;
	struct rtnl_addr *own;
	int ret;

	if (ifindex == 0)
		return -ENODEV;
	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		return ret;
	ret = takeover_nl_errno(rtnl_addr_alloc_cache(sk, &cache));
	if (ret < 0)
		goto out;
	own = find(cache, a, ifindex);
	if (own) {
		subnet.present = true;
		subnet.prefixlen = rtnl_addr_get_prefixlen(own);
		subnet.tentative = (rtnl_addr_get_flags(own) &
				    (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == IFA_F_TENTATIVE;
		/* IPv6 has the flag, too, of temporary addresses, and deletes none with others. */
		subnet.has_secondaries = a->family == AF_INET &&
					 !(rtnl_addr_get_flags(own) & IFA_F_SECONDARY) &&
					 has_secondaries(cache, a, ifindex, subnet.prefixlen);
	}
	*ret_subnet = subnet;
out:
	nl_cache_free(cache);
	nl_socket_free(sk);
	return ret;
}

static FILE *open_promote(const char *device, const char *mode)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/promote_secondaries", device);
	return fopen(path, mode);
}

static bool is_on(const char *device)
{
	FILE *f = open_promote(device, "re");
	int value = 0;

	if (!f)
		return false;
	if (fscanf(f, "%d", &value) != 1)
		value = 0;
	fclose(f);
	return value != 0;
}

static bool turn(const char *device, int value)
{
	FILE *f = open_promote(device, "we");
	bool done;

	if (!f)
		return false;
	done = fprintf(f, "%d\n", value) > 0;
	return fclose(f) == 0 && done;
}

bool takeover_subnet_promote(const struct takeover_address *a)
{
	return !is_on("all") && !is_on(a->device) && turn(a->device, 1);
}

void takeover_subnet_promote_end(const struct takeover_address *a)
{
	turn(a->device, 0);
}
