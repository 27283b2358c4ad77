// SPDX-License-Identifier: GPL-2.0-only
/* Addresses as the kernel has sent them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kept.h"
#include "netlink.h"
#include "rtnl.h"

#define ADDRESS_BYTES 1024

struct takeover_kept {
	_Alignas(struct nlmsghdr) char message[ADDRESS_BYTES];
};

struct search {
	const struct takeover_address *address;
	unsigned int ifindex;
	struct takeover_kept *found;
	int err;
};

static int on_address(const struct nlmsghdr *hdr, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(hdr);
	struct search *search = data;
	const struct takeover_address *a = search->address;
	size_t len = takeover_family_len(a->family);
	const struct nlattr *attr, *local = NULL;

	/* IFA_ADDRESS is the other end's if there is one. */
	mnl_attr_for_each(attr, hdr, sizeof(*ifa))
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
		    (!local && mnl_attr_get_type(attr) == IFA_ADDRESS))
			local = attr;
	if (search->found || ifa->ifa_family != a->family || ifa->ifa_index != search->ifindex ||
	    !local || mnl_attr_get_payload_len(local) != len ||
	    memcmp(mnl_attr_get_payload(local), a->ip, len) != 0)
		return MNL_CB_OK;
	search->found = hdr->nlmsg_len <= ADDRESS_BYTES ? calloc(1, sizeof(*search->found)) : NULL;
	if (search->found)
		memcpy(search->found->message, hdr, hdr->nlmsg_len);
	else
		search->err = -ENOMEM;
	return MNL_CB_OK;
}

/* On a socket of its own: an interrupted answer leaves its rest in it. */
static int list(struct search *search)
{
	_Alignas(struct nlmsghdr) char buf[128];
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;
	struct mnl_socket *nl;
	int ret;

	free(search->found);
	search->found = NULL;
	ret = takeover_rtnl_open(&nl);
	if (ret < 0)
		return ret;
	hdr->nlmsg_type = RTM_GETADDR;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ifa = mnl_nlmsg_put_extra_header(hdr, sizeof(*ifa));
	ifa->ifa_family = search->address->family;
	ret = takeover_rtnl_transact(nl, hdr, on_address, search) ?: search->err;
	mnl_socket_close(nl);
	return ret;
}

int takeover_kept_find(const struct takeover_address *a, struct takeover_kept **ret_kept)
{
	struct search search = { .address = a, .ifindex = if_nametoindex(a->device) };
	int ret, tries = 0;

	if (search.ifindex == 0)
		return -ENODEV;
	do
		ret = list(&search);
	while (takeover_nl_again(ret, &tries));
	if (ret < 0)
		free(search.found);
	else
		*ret_kept = search.found;
	return ret;
}

int takeover_kept_add(const struct takeover_kept *kept)
{
	const struct nlmsghdr *was = (const void *)kept->message;
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(was);
	_Alignas(struct nlmsghdr) char buf[ADDRESS_BYTES + 256];
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	uint32_t flags = ifa->ifa_flags;
	const struct nlattr *attr;
	struct mnl_socket *nl;
	int ret;

	hdr->nlmsg_type = RTM_NEWADDR;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	memcpy(mnl_nlmsg_put_extra_header(hdr, sizeof(*ifa)), ifa, sizeof(*ifa));
	mnl_attr_for_each(attr, was, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) == IFA_FLAGS)
			flags = mnl_attr_get_u32(attr);
		else
			takeover_rtnl_copy(hdr, attr);
	}
	if (ifa->ifa_family == AF_INET6)
		flags |= IFA_F_NODAD;
	mnl_attr_put_u32(hdr, IFA_FLAGS, flags);
	ret = takeover_rtnl_open(&nl);
	if (ret < 0)
		return ret;
	ret = takeover_rtnl_transact(nl, hdr, NULL, NULL);
	mnl_socket_close(nl);
	return ret == -EEXIST ? 0 : ret;
}
