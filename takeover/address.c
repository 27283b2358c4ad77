// SPDX-License-Identifier: GPL-2.0-only
/* Service addresses on devices, by libnl-3. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/socket.h>

#include "address.h"
#include "netlink.h"
#include "subnet.h"

size_t takeover_family_len(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static bool ownable(const struct takeover_address *address)
{
	const unsigned char *ip = address->ip;
	const struct in6_addr *ip6 = (const void *)ip;

	if (address->family == AF_INET)
		return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
	return !IN6_IS_ADDR_UNSPECIFIED(ip6) && !IN6_IS_ADDR_LOOPBACK(ip6) &&
	       !IN6_IS_ADDR_MULTICAST(ip6) && !IN6_IS_ADDR_LINKLOCAL(ip6) &&
	       !IN6_IS_ADDR_V4MAPPED(ip6);
}

int takeover_address_parse(const char *text, struct takeover_address *ret_address)
{
	struct takeover_address address = { 0 };
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int max;

	if (len == 0 || len >= sizeof(ip))
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	address.family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(address.family, ip, address.ip) != 1)
		return -EINVAL;
	max = takeover_family_len(address.family) * 8;
	address.prefixlen = max;
	if (slash) {
		size_t digits = strspn(slash + 1, "0123456789");

		if (digits == 0 || slash[1 + digits] != '\0')
			return -EINVAL;
		if (digits > 3 || strtoul(slash + 1, NULL, 10) > max)
			return -ERANGE;
		address.prefixlen = strtoul(slash + 1, NULL, 10);
	}
	if (!ownable(&address))
		return -EADDRNOTAVAIL;
	*ret_address = address;
	return 0;
}

const char *takeover_address_ip(const struct takeover_address *address, char *buf, size_t len)
{
	if (!inet_ntop(address->family, address->ip, buf, len))
		snprintf(buf, len, "?");
	return buf;
}

const char *takeover_address_format(const struct takeover_address *address, char *buf, size_t len)
{
	char ip[INET6_ADDRSTRLEN];

	snprintf(buf, len, "%s/%u", takeover_address_ip(address, ip, sizeof(ip)),
		 address->prefixlen);
	return buf;
}

bool takeover_address_equal(const struct takeover_address *a, const struct takeover_address *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, takeover_family_len(a->family)) == 0;
}

bool takeover_address_is_device(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/' || name[i] == ':')
			return false;
	return n > 0 && n < IF_NAMESIZE && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The libnl object for @address; the caller puts it with rtnl_addr_put(). */
static int to_rtnl(const struct takeover_address *address, struct rtnl_addr **ret_addr)
{
	unsigned int ifindex = if_nametoindex(address->device);
	struct rtnl_addr *addr = NULL;
	struct nl_addr *local = NULL;
	int ret = -ENOMEM;

	if (ifindex == 0)
		return -ENODEV;
	addr = rtnl_addr_alloc();
	local = nl_addr_build(address->family, address->ip, takeover_family_len(address->family));
	if (!addr || !local)
		goto out;
	nl_addr_set_prefixlen(local, address->prefixlen);
	rtnl_addr_set_ifindex(addr, ifindex);
	ret = takeover_nl_errno(rtnl_addr_set_local(addr, local));
	if (ret == 0) {
		*ret_addr = addr;
		addr = NULL;
	}
out:
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return ret;
}

int takeover_address_add(const struct takeover_address *address)
{
	struct rtnl_addr *addr = NULL;
	struct nl_sock *sk = NULL;
	int ret;

	ret = to_rtnl(address, &addr);
	if (ret < 0)
		return ret;
	if (address->family == AF_INET6)
		rtnl_addr_set_flags(addr, IFA_F_NODAD);
	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		goto out;
	ret = takeover_nl_errno(rtnl_addr_add(sk, addr, 0));
	if (ret == -EEXIST)
		ret = 0;
out:
	nl_socket_free(sk);
	rtnl_addr_put(addr);
	return ret;
}

struct deladdr_wait {
	const struct takeover_address *address;
	unsigned int ifindex;
	bool seen;
};

static int on_deladdr(struct nl_msg *msg, void *data)
{
	struct deladdr_wait *wait = data;
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct ifaddrmsg *ifa = nlmsg_data(hdr);
	struct nlattr *local;

	if (hdr->nlmsg_type != RTM_DELADDR || ifa->ifa_family != wait->address->family ||
	    ifa->ifa_index != wait->ifindex)
		return NL_OK;
	local = nlmsg_find_attr(hdr, sizeof(*ifa),
				ifa->ifa_family == AF_INET ? IFA_LOCAL : IFA_ADDRESS);
	if (local && nla_len(local) == (int)takeover_family_len(ifa->ifa_family) &&
	    memcmp(nla_data(local), wait->address->ip, nla_len(local)) == 0)
		wait->seen = true;
	return NL_OK;
}

/* Listen for address changes of @wait's family on a socket of its own. */
static int open_monitor(struct deladdr_wait *wait, struct nl_sock **ret_sk)
{
	struct nl_sock *sk = NULL;
	int ret;

	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		return ret;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_deladdr, wait);
	ret = takeover_nl_errno(nl_socket_add_membership(
		sk, wait->address->family == AF_INET ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR));
	if (ret == 0)
		ret = takeover_nl_errno(nl_socket_set_nonblocking(sk));
	if (ret < 0) {
		nl_socket_free(sk);
		return ret;
	}
	*ret_sk = sk;
	return 0;
}

static int await_deladdr(struct nl_sock *sk, struct deladdr_wait *wait, int timeout_ms)
{
	struct pollfd pfd = { .fd = nl_socket_get_fd(sk), .events = POLLIN };
	long deadline = takeover_now_ms() + timeout_ms;

	while (!wait->seen) {
		long left = deadline - takeover_now_ms();
		int ret;

		if (left < 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, left) < 0 && errno != EINTR)
			return -errno;
		ret = nl_recvmsgs_default(sk);
		/* An overrun may have swallowed the notification: ask instead. */
		if (ret == -NLE_NOMEM) {
			bool present = true;

			ret = takeover_address_present(wait->address, &present);
			if (ret < 0)
				return ret;
			wait->seen = !present;
		} else if (ret < 0 && ret != -NLE_AGAIN) {
			return takeover_nl_errno(ret);
		}
	}
	return 0;
}

/* A primary address takes its secondaries with it, and the host's own may be among them. */
static int delete_one(struct nl_sock *sk, struct rtnl_addr *addr,
		      const struct takeover_address *address, const struct takeover_subnet *subnet)
{
	bool promote = subnet->has_secondaries && takeover_subnet_promote(address);
	int ret = takeover_nl_errno(rtnl_addr_delete(sk, addr, 0));

	if (promote)
		takeover_subnet_promote_end(address);
	return ret;
}

int takeover_address_delete(const struct takeover_address *address, int timeout_ms)
{
	struct deladdr_wait wait = { .address = address };
	struct nl_sock *sk = NULL, *monitor = NULL;
	struct takeover_address actual = *address;
	struct rtnl_addr *addr = NULL;
	struct takeover_subnet subnet;
	int ret;

	ret = takeover_subnet_find(address, &subnet);
	if (ret < 0 || !subnet.present)
		return ret;
	actual.prefixlen = subnet.prefixlen;
	ret = to_rtnl(&actual, &addr);
	if (ret < 0)
		return ret;
	wait.ifindex = rtnl_addr_get_ifindex(addr);
	ret = open_monitor(&wait, &monitor);
	if (ret < 0)
		goto out;
	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		goto out;
	ret = delete_one(sk, addr, address, &subnet);
	if (ret == -EADDRNOTAVAIL) {
		ret = 0;
		goto out;
	}
	if (ret == 0)
		ret = await_deladdr(monitor, &wait, timeout_ms);
out:
	nl_socket_free(sk);
	nl_socket_free(monitor);
	rtnl_addr_put(addr);
	return ret;
}

int takeover_address_present(const struct takeover_address *address, bool *ret_present)
{
	unsigned int ifindex = 0;
	struct nl_sock *sk = NULL;
	struct nl_cache *cache = NULL;
	struct nl_object *obj;
	bool present = false;
	int ret;

	if (address->device[0] != '\0') {
		ifindex = if_nametoindex(address->device);
		if (ifindex == 0)
			return -ENODEV;
	}
	ret = takeover_nl_open(NETLINK_ROUTE, &sk);
	if (ret < 0)
		return ret;
	ret = takeover_nl_errno(rtnl_addr_alloc_cache(sk, &cache));
	if (ret < 0)
		goto out;
	for (obj = nl_cache_get_first(cache); obj && !present; obj = nl_cache_get_next(obj)) {
		struct rtnl_addr *addr = (struct rtnl_addr *)obj;
		struct nl_addr *local = rtnl_addr_get_local(addr);

		if (ifindex != 0 && rtnl_addr_get_ifindex(addr) != (int)ifindex)
			continue;
		present = local && nl_addr_get_family(local) == address->family &&
			  memcmp(nl_addr_get_binary_addr(local), address->ip,
				 takeover_family_len(address->family)) == 0;
	}
	*ret_present = present;
out:
	nl_cache_free(cache);
	nl_socket_free(sk);
	return ret;
}
