// SPDX-License-Identifier: GPL-2.0-only
/* nftables transactions by libmnl and libnftnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libnftnl/common.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "nft_batch.h"

#define BATCH_SIZE  (512 * 1024) /* half of it a transaction: 64 IPv6 addresses need 130 KiB */
#define ANSWER_SIZE (32 * 1024)	 /* what the kernel fills of a dump at once */
#define PATIENCE_S  5

struct nft_batch {
	struct mnl_socket *nl;
	struct mnl_nlmsg_batch *mnl;  /* NULL between transactions */
	struct nlmsghdr *open, *last; /* the message being filled, the last one */
	bool full;
	uint32_t seq, first_seq, last_seq;
	_Alignas(struct nlmsghdr) char buf[BATCH_SIZE];
};

int nft_batch_open(struct nft_batch **ret_batch)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct nft_batch *batch = calloc(1, sizeof(*batch));
	int ret = 0, size = BATCH_SIZE;

	if (!batch)
		return -ENOMEM;
	batch->seq = time(NULL);
	batch->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!batch->nl || mnl_socket_bind(batch->nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(batch->nl), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		ret = -errno;
	/* The kernel refuses what does not fit; by default 208 KiB do. */
	if (ret == 0)
		setsockopt(mnl_socket_get_fd(batch->nl), SOL_SOCKET, SO_SNDBUFFORCE, &size,
			   sizeof(size));
	if (ret < 0)
		nft_batch_close(batch);
	else
		*ret_batch = batch;
	return ret;
}

void nft_batch_close(struct nft_batch *batch)
{
	if (!batch)
		return;
	if (batch->mnl)
		mnl_nlmsg_batch_stop(batch->mnl);
	if (batch->nl)
		mnl_socket_close(batch->nl);
	free(batch);
}

int nft_batch_begin(struct nft_batch *batch)
{
	if (batch->mnl)
		mnl_nlmsg_batch_stop(batch->mnl);
	batch->open = batch->last = NULL;
	batch->full = false;
	batch->mnl = mnl_nlmsg_batch_start(batch->buf, sizeof(batch->buf) / 2);
	if (!batch->mnl)
		return -ENOMEM;
	batch->first_seq = batch->seq;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch->mnl), batch->seq++);
	mnl_nlmsg_batch_next(batch->mnl);
	return 0;
}

static void close_message(struct nft_batch *batch)
{
	if (batch->open && !mnl_nlmsg_batch_next(batch->mnl))
		batch->full = true;
	/* Half of the buffer is left for the message that did not fit. */
	if (batch->full)
		mnl_nlmsg_batch_reset(batch->mnl);
	batch->open = NULL;
}

struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint16_t family,
				   uint16_t flags)
{
	close_message(batch);
	batch->last_seq = batch->seq++;
	batch->open = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch->mnl), type, family,
					    flags, batch->last_seq);
	batch->last = batch->open;
	return batch->open;
}

/* Read errors, up to the acknowledgement of the last message. Were each acknowledged, some
 * hundred would overrun the socket's buffer: 64 addresses need more. */
static int read_acks(struct nft_batch *batch)
{
	unsigned int portid = mnl_socket_get_portid(batch->nl);
	_Alignas(struct nlmsghdr) char buf[MNL_SOCKET_BUFFER_SIZE];
	int first_error = 0;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(batch->nl, buf, sizeof(buf));
		const struct nlmsghdr *hdr = (const void *)buf;
		int left = n;

		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(hdr, left); hdr = mnl_nlmsg_next(hdr, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(hdr);

			if (hdr->nlmsg_type != NLMSG_ERROR || hdr->nlmsg_pid != portid)
				continue;
			/* Of an earlier one that we had given up. */
			if (hdr->nlmsg_seq - batch->first_seq > batch->last_seq - batch->first_seq)
				continue;
			if (err->error < 0 && first_error == 0)
				first_error = err->error;
			/* Without the whole batch there is one answer, to its begin. */
			if (hdr->nlmsg_seq == batch->last_seq ||
			    (err->error < 0 && err->msg.nlmsg_type == NFNL_MSG_BATCH_BEGIN))
				return first_error;
		}
	}
}

int nft_batch_commit(struct nft_batch *batch)
{
	int ret;

	close_message(batch);
	if (batch->full) {
		mnl_nlmsg_batch_stop(batch->mnl);
		batch->mnl = NULL;
		return -EMSGSIZE;
	}
	if (batch->last)
		batch->last->nlmsg_flags |= NLM_F_ACK;
	nftnl_batch_end(mnl_nlmsg_batch_current(batch->mnl), batch->seq++);
	mnl_nlmsg_batch_next(batch->mnl);
	if (mnl_socket_sendto(batch->nl, mnl_nlmsg_batch_head(batch->mnl),
			      mnl_nlmsg_batch_size(batch->mnl)) < 0)
		ret = -errno;
	else
		ret = read_acks(batch);
	mnl_nlmsg_batch_stop(batch->mnl);
	batch->mnl = NULL;
	return ret;
}

int nft_ask(struct nft_batch *batch, const struct nlmsghdr *hdr, mnl_cb_t fn, void *data)
{
	_Alignas(struct nlmsghdr) char buf[ANSWER_SIZE];
	ssize_t n;
	int ret = 1;

	if (mnl_socket_sendto(batch->nl, hdr, hdr->nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		n = mnl_socket_recvfrom(batch->nl, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		ret = mnl_cb_run(buf, n, hdr->nlmsg_seq, mnl_socket_get_portid(batch->nl), fn,
				 data);
		if (ret < 0 && errno == EPROTO)
			ret = 1; /* an answer to something earlier */
	}
	return ret < 0 ? -errno : 0;
}

struct nlmsghdr *nft_question(struct nft_batch *batch, void *buf, uint16_t type, uint16_t family)
{
	return nftnl_nlmsg_build_hdr(buf, type, family, NLM_F_DUMP, batch->seq++);
}

struct names {
	const char *prefix;
	char (*all)[64];
	size_t n;
};

static int on_table(const struct nlmsghdr *hdr, void *data)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct names *names = data;
	int ret = t ? MNL_CB_OK : MNL_CB_ERROR;
	const char *name;
	char(*all)[64];

	if (!t || nftnl_table_nlmsg_parse(hdr, t) < 0)
		goto out;
	name = nftnl_table_get_str(t, NFTNL_TABLE_NAME);
	if (strlen(name) >= sizeof(*all) || strncmp(name, names->prefix, strlen(names->prefix)))
		goto out;
	all = realloc(names->all, (names->n + 1) * sizeof(*all));
	if (all) {
		names->all = all;
		strcpy(all[names->n++], name);
	} else {
		ret = MNL_CB_ERROR;
	}
out:
	if (t)
		nftnl_table_free(t);
	return ret;
}

int nft_table_names(struct nft_batch *batch, uint16_t family, const char *prefix,
		    char (**ret_names)[64], size_t *ret_n)
{
	struct names names = { .prefix = prefix };
	_Alignas(struct nlmsghdr) char buf[128];
	int ret;

	ret = nft_ask(batch, nft_question(batch, buf, NFT_MSG_GETTABLE, family), on_table, &names);
	if (ret < 0) {
		free(names.all);
		return ret;
	}
	*ret_names = names.all;
	*ret_n = names.n;
	return 0;
}

static int exists(int ret, bool *ret_exists)
{
	if (ret < 0 && ret != -ENOENT && ret != -EAFNOSUPPORT && ret != -EOPNOTSUPP &&
	    ret != -EINVAL)
		return ret;
	*ret_exists = ret == 0;
	return 0;
}

int nft_table_exists(struct nft_batch *batch, uint16_t family, const char *table, bool *ret_exists)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *hdr;
	_Alignas(struct nlmsghdr) char buf[512];

	if (!t)
		return -ENOMEM;
	hdr = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, family, NLM_F_ACK, batch->seq++);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, table);
	nftnl_table_nlmsg_build_payload(hdr, t);
	nftnl_table_free(t);
	return exists(nft_ask(batch, hdr, NULL, NULL), ret_exists);
}

/* What iptables-nft asks, too (linux net/netfilter/nft_compat.c, nfnl_compat_get_rcu). */
int nft_target_exists(struct nft_batch *batch, uint16_t family, const char *name, uint32_t revision,
		      bool *ret_exists)
{
	_Alignas(struct nlmsghdr) char buf[512];
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	hdr->nlmsg_type = (NFNL_SUBSYS_NFT_COMPAT << 8) | NFNL_MSG_COMPAT_GET;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	hdr->nlmsg_seq = batch->seq++;
	nfg = mnl_nlmsg_put_extra_header(hdr, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	mnl_attr_put_strz(hdr, NFTA_COMPAT_NAME, name);
	mnl_attr_put_u32(hdr, NFTA_COMPAT_REV, htonl(revision));
	mnl_attr_put_u32(hdr, NFTA_COMPAT_TYPE, htonl(1));
	return exists(nft_ask(batch, hdr, NULL, NULL), ret_exists);
}
