// SPDX-License-Identifier: GPL-2.0-only
/* Sockets by sock_diag, their holders by /proc. */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#include "inner.h"
#include "sockets.h"
#include "tasks.h"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
static const unsigned char nowhere[16];

struct dump {
	struct takeover_sockets *sockets;
	int protocol;
	int err;
};

static struct takeover_socket *append(struct takeover_sockets *sockets)
{
	/* Doubled each time that it is a power of two. */
	if ((sockets->n & (sockets->n - 1)) == 0) {
		size_t capacity = sockets->n ? sockets->n * 2 : 1;
		void *all = realloc(sockets->all, capacity * sizeof(*sockets->all));

		if (!all)
			return NULL;
		sockets->all = all;
	}
	memset(&sockets->all[sockets->n], 0, sizeof(*sockets->all));
	return &sockets->all[sockets->n++];
}

static bool v6_only(const struct nlmsghdr *hdr)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, hdr, sizeof(struct inet_diag_msg))
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY)
			return mnl_attr_get_u8(attr) != 0;
	return true;
}

static bool is_scaled(const struct nlmsghdr *hdr)
{
	const struct nlattr *attr;
	struct tcp_info info = { 0 };

	mnl_attr_for_each(attr, hdr, sizeof(struct inet_diag_msg))
		if (mnl_attr_get_type(attr) == INET_DIAG_INFO &&
		    mnl_attr_get_payload_len(attr) > offsetof(struct tcp_info, tcpi_rto))
			memcpy(&info, mnl_attr_get_payload(attr),
			       offsetof(struct tcp_info, tcpi_rto));
	return info.tcpi_options & TCPI_OPT_WSCALE;
}

static int on_socket(const struct nlmsghdr *hdr, void *data)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(hdr);
	struct dump *dump = data;
	struct takeover_socket *s;

	if (mnl_nlmsg_get_payload_len(hdr) < sizeof(*msg))
		return MNL_CB_OK;
	s = append(dump->sockets);
	if (!s) {
		dump->err = -ENOMEM;
		return MNL_CB_STOP;
	}
	s->family = msg->idiag_family;
	s->protocol = dump->protocol;
	s->state = msg->idiag_state;
	memcpy(s->local, msg->id.idiag_src, 16);
	memcpy(s->remote, msg->id.idiag_dst, 16);
	s->local_port = ntohs(msg->id.idiag_sport);
	s->remote_port = ntohs(msg->id.idiag_dport);
	s->inode = msg->idiag_inode;
	s->receive_queue = msg->idiag_rqueue;
	if (s->family == AF_INET6 && memcmp(s->local, mapped, sizeof(mapped)) == 0) {
		s->family = AF_INET;
		memmove(s->local, s->local + 12, 4);
		memmove(s->remote, s->remote + 12, 4);
	}
	s->wildcard = memcmp(s->local, nowhere, takeover_family_len(s->family)) == 0;
	s->dual = s->wildcard && s->family == AF_INET6 && !v6_only(hdr);
	s->scaled = dump->protocol == IPPROTO_TCP && is_scaled(hdr);
	return MNL_CB_OK;
}

static int dump_sockets(struct mnl_socket *nl, int family, uint32_t states, struct dump *dump)
{
	struct inet_diag_req_v2 *req;
	struct nlmsghdr *hdr;
	_Alignas(struct nlmsghdr) char buf[32768];
	int ret;

	hdr = mnl_nlmsg_put_header(buf);
	hdr->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(hdr, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = dump->protocol;
	req->idiag_states = states;
	if (dump->protocol == IPPROTO_TCP)
		req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	if (mnl_socket_sendto(nl, hdr, hdr->nlmsg_len) < 0)
		return -errno;
	do {
		ret = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (ret < 0)
			return -errno;
		ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(nl), on_socket, dump);
		/* No handler for this protocol: the kernel has no such sockets. */
		if (ret < 0)
			return errno == ENOENT ? 0 : -errno;
	} while (ret > MNL_CB_STOP);
	return dump->err;
}

struct question {
	struct takeover_sockets *sockets;
	int family, protocol;
	uint32_t states;
};

static int ask(void *data)
{
	const struct question *q = data;
	struct dump dump = { .sockets = q->sockets, .protocol = q->protocol };
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int ret;

	if (!nl)
		return -errno;
	ret = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0
		      ? -errno
		      : dump_sockets(nl, q->family, q->states, &dump);
	mnl_socket_close(nl);
	return ret;
}

int takeover_sockets_add(struct takeover_sockets *sockets, int family, int protocol,
			 uint32_t states)
{
	struct question q = { sockets, family, protocol, states };
	int ret = ask(&q);
	size_t n = sockets->n;

	if (ret < 0 || !takeover_inner_is_open())
		return ret;
	ret = takeover_inner_run(ask, &q);
	for (; n < sockets->n; n++)
		takeover_inner_translate(sockets->all[n].family, sockets->all[n].local);
	return ret;
}

int takeover_sockets_list(struct takeover_sockets *ret_sockets)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct takeover_sockets sockets = { 0 };
	int ret = 0;

	for (size_t f = 0; f < 2; f++)
		for (size_t p = 0; ret == 0 && p < 2; p++)
			ret = takeover_sockets_add(&sockets, families[f], protocols[p],
						   TAKEOVER_SOCKETS_ALL);
	if (ret < 0)
		free(sockets.all);
	else
		*ret_sockets = sockets;
	return ret;
}

static int compare_inodes(const void *a, const void *b)
{
	const struct takeover_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static void hold_one(struct takeover_sockets *sockets, uint32_t inode, pid_t pid, bool inside)
{
	struct takeover_socket key = { .inode = inode }, *s;

	s = bsearch(&key, sockets->all, sockets->n, sizeof(key), compare_inodes);
	if (!s)
		return;
	if (s->holder == 0 || (inside && !s->inside))
		s->holder = pid;
	s->inside |= inside;
}

static void hold_all_of(struct takeover_sockets *sockets, pid_t pid, bool inside)
{
	char path[64], link[32];
	struct dirent *de;
	DIR *dir;

	if (!inside && takeover_inner_is_proxy(pid))
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), de->d_name, link, sizeof(link) - 1);
		unsigned int inode;

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%u]", &inode) == 1)
			hold_one(sockets, inode, pid, inside);
	}
	if (dir)
		closedir(dir);
}

void takeover_sockets_hold(struct takeover_sockets *sockets, pid_t root)
{
	pid_t *pids;
	size_t n;

	if (sockets->n == 0 || takeover_tasks_all(&pids, &n) < 0)
		return;
	qsort(sockets->all, sockets->n, sizeof(*sockets->all), compare_inodes);
	for (size_t i = 0; i < n; i++)
		hold_all_of(sockets, pids[i], root == 0 || takeover_task_descends(pids[i], root));
	free(pids);
}

bool takeover_socket_is_on(const struct takeover_socket *s, const struct takeover_address *a)
{
	return s->family == a->family &&
	       memcmp(s->local, a->ip, takeover_family_len(a->family)) == 0;
}

bool takeover_socket_is_connected(const struct takeover_socket *s)
{
	return s->remote_port != 0;
}

bool takeover_socket_takes(const struct takeover_socket *s, const struct takeover_address *a)
{
	return s->wildcard && !takeover_socket_is_connected(s) &&
	       (s->family == a->family || (s->dual && a->family == AF_INET)) &&
	       (s->protocol == IPPROTO_TCP ? s->state == TCP_LISTEN : s->local_port != 0);
}
