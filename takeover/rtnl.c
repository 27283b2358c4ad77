// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "rtnl.h"

int takeover_rtnl_open(struct mnl_socket **ret_nl)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int ret = -errno;

		mnl_socket_close(nl);
		return ret;
	}
	*ret_nl = nl;
	return 0;
}

int takeover_rtnl_transact(struct mnl_socket *nl, struct nlmsghdr *hdr, mnl_cb_t fn, void *data)
{
	_Alignas(struct nlmsghdr) char buf[32768];
	int ret;

	if (mnl_socket_sendto(nl, hdr, hdr->nlmsg_len) < 0)
		return -errno;
	do {
		ret = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (ret > 0)
			ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(nl), fn, data);
		if (ret < 0)
			return -errno;
	} while (ret > MNL_CB_STOP);
	return 0;
}

struct nlattr *takeover_rtnl_copy(struct nlmsghdr *hdr, const struct nlattr *attr)
{
	struct nlattr *copy = mnl_nlmsg_get_payload_tail(hdr);

	memcpy(copy, attr, attr->nla_len);
	hdr->nlmsg_len += MNL_ALIGN(attr->nla_len);
	return copy;
}
