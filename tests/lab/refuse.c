// SPDX-License-Identifier: GPL-2.0-only
/*
 * For kernel.bats, LD_PRELOAD: a kernel that refuses, each so many times:
 * REFUSE_OPEN: the guard's rules for what comes stay; REFUSE_REMOVE: so do its tables.
 * CHANGE_ADDRESSES, CHANGE_ROUTES, CHANGE_TABLES: what it lists has changed meanwhile.
 * REFUSE_MANIFEST: there is no room for it, as NFS says when it is closed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

struct mnl_socket;

/* As often as the environment says. */
static int refuses(const char *name)
{
	const char *times = getenv(name);
	char left[16];

	if (!times || atoi(times) == 0)
		return 0;
	snprintf(left, sizeof(left), "%d", atoi(times) - 1);
	setenv(name, left, 1);
	return 1;
}

/* NULL: it may pass. */
static const char *kind_of(const struct nlmsghdr *hdr)
{
	/* NFTA_RULE_CHAIN: "in" */
	static const char in[] = { 7, 0, 2, 0, 'i', 'n', 0 };
	const struct nfgenmsg *nfg = NLMSG_DATA(hdr);

	if (hdr->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE))
		return "REFUSE_REMOVE";
	if (hdr->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE) &&
	    nfg->nfgen_family == NFPROTO_IPV4 && memmem(hdr, hdr->nlmsg_len, in, sizeof(in)))
		return "REFUSE_OPEN";
	return NULL;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	ssize_t (*real)(const struct mnl_socket *, const void *, size_t) =
		dlsym(RTLD_NEXT, "mnl_socket_sendto");
	size_t left = len;

	for (const struct nlmsghdr *hdr = buf; NLMSG_OK(hdr, left); hdr = NLMSG_NEXT(hdr, left)) {
		const char *kind = kind_of(hdr);

		if (kind && refuses(kind)) {
			errno = EBUSY;
			return -1;
		}
	}
	return real(nl, buf, len);
}

/* What @hdr lists, by the variable of its changes. */
static const char *list_of(int protocol, const struct nlmsghdr *hdr)
{
	if (protocol == NETLINK_ROUTE && hdr->nlmsg_type == RTM_NEWADDR)
		return "CHANGE_ADDRESSES";
	if (protocol == NETLINK_ROUTE && hdr->nlmsg_type == RTM_NEWROUTE)
		return "CHANGE_ROUTES";
	if (protocol == NETLINK_NETFILTER &&
	    hdr->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return "CHANGE_TABLES";
	return NULL;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	ssize_t (*real)(const struct mnl_socket *, void *, size_t) =
		dlsym(RTLD_NEXT, "mnl_socket_recvfrom");
	int (*get_fd)(const struct mnl_socket *) = dlsym(RTLD_NEXT, "mnl_socket_get_fd");
	ssize_t n = real(nl, buf, size);
	struct nlmsghdr *hdr = buf;
	socklen_t len = sizeof(int);
	const char *list = NULL;
	int protocol = -1;

	getsockopt(get_fd(nl), SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	if (n >= (ssize_t)sizeof(*hdr) && (hdr->nlmsg_flags & NLM_F_MULTI))
		list = list_of(protocol, hdr);
	if (list && refuses(list))
		hdr->nlmsg_flags |= NLM_F_DUMP_INTR;
	return n;
}

int close(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "close");
	static const char end[] = "/ip-takeover.json.tmp";
	char path[64], file[256];
	ssize_t n;
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, file, sizeof(file));
	ret = real(fd);
	if (n < (ssize_t)strlen(end) || memcmp(file + n - strlen(end), end, strlen(end)) != 0 ||
	    !refuses("REFUSE_MANIFEST"))
		return ret;
	errno = EDQUOT;
	return -1;
}
