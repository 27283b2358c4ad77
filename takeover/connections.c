// SPDX-License-Identifier: GPL-2.0-only
/* TCP sockets of an address, by sock_diag. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "connections.h"

struct finder {
	const struct takeover_address *address;
	struct takeover_connections found;
	size_t capacity;
	int err;
};

static int compare_peers(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int on_socket(const struct nlmsghdr *hdr, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(hdr);
	struct finder *finder = data;
	size_t len = takeover_family_len(finder->address->family);

	if (mnl_nlmsg_get_payload_len(hdr) < sizeof(*msg) ||
	    memcmp(msg->id.idiag_src, finder->address->ip, len) != 0)
		return MNL_CB_OK;
	if (msg->idiag_state == TCP_LISTEN) {
		finder->found.listening++;
		return MNL_CB_OK;
	}
	finder->found.established++;
	if (finder->found.n_peers == finder->capacity) {
		size_t capacity = finder->capacity ? finder->capacity * 2 : 64;
		void *peers = realloc(finder->found.peers, capacity * 16);

		if (!peers) {
			finder->err = -ENOMEM;
			return MNL_CB_STOP;
		}
		finder->found.peers = peers;
		finder->capacity = capacity;
	}
	memset(finder->found.peers[finder->found.n_peers], 0, 16);
	memcpy(finder->found.peers[finder->found.n_peers++], msg->id.idiag_dst, len);
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *nl, struct finder *finder)
{
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *hdr;
	char buf[32768];
	int ret;

	hdr = mnl_nlmsg_put_header(buf);
	hdr->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	hdr->nlmsg_seq = time(NULL);
	req = mnl_nlmsg_put_extra_header(hdr, sizeof(*req));
	req->sdiag_family = finder->address->family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = ~(1U << TCP_TIME_WAIT);
	if (mnl_socket_sendto(nl, hdr, hdr->nlmsg_len) < 0)
		return -errno;
	do {
		ret = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (ret < 0)
			return -errno;
		ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(nl), on_socket, finder);
		if (ret < 0)
			return -errno;
	} while (ret > MNL_CB_STOP);
	return finder->err;
}

int takeover_connections_find(const struct takeover_address *address,
			      struct takeover_connections *ret_connections)
{
	struct finder finder = { .address = address };
	struct mnl_socket *nl;
	size_t n = 0;
	int ret;

	nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	ret = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : dump(nl, &finder);
	mnl_socket_close(nl);
	if (ret < 0) {
		free(finder.found.peers);
		return ret;
	}
	if (finder.found.n_peers > 0)
		qsort(finder.found.peers, finder.found.n_peers, 16, compare_peers);
	for (size_t i = 0; i < finder.found.n_peers; i++)
		if (n == 0 || memcmp(finder.found.peers[n - 1], finder.found.peers[i], 16) != 0)
			memmove(finder.found.peers[n++], finder.found.peers[i], 16);
	finder.found.n_peers = n;
	*ret_connections = finder.found;
	return 0;
}
