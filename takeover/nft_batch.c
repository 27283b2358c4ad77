// SPDX-License-Identifier: GPL-2.0-only
/* nftables transactions by libmnl and libnftnl. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>

#include "nft_batch.h"

#define BATCH_SIZE (256 * 1024)

struct nft_batch {
	struct mnl_nlmsg_batch *mnl;
	struct nlmsghdr *open; /* the message being filled */
	uint32_t seq, last_seq;
	char buf[BATCH_SIZE];
};

int nft_batch_begin(struct nft_batch **ret_batch)
{
	struct nft_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	batch->mnl = mnl_nlmsg_batch_start(batch->buf, sizeof(batch->buf) / 2);
	if (!batch->mnl) {
		free(batch);
		return -ENOMEM;
	}
	batch->seq = time(NULL);
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch->mnl), batch->seq++);
	mnl_nlmsg_batch_next(batch->mnl);
	*ret_batch = batch;
	return 0;
}

static void close_message(struct nft_batch *batch)
{
	if (batch->open)
		mnl_nlmsg_batch_next(batch->mnl);
	batch->open = NULL;
}

struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint16_t family,
				   uint16_t flags)
{
	close_message(batch);
	batch->last_seq = batch->seq++;
	batch->open = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch->mnl), type, family,
					    flags | NLM_F_ACK, batch->last_seq);
	return batch->open;
}

/* Read the acknowledgements up to that of the last message. */
static int read_acks(struct nft_batch *batch, struct mnl_socket *nl)
{
	unsigned int portid = mnl_socket_get_portid(nl);
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int first_error = 0;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		const struct nlmsghdr *hdr = (const void *)buf;
		int left = n;

		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(hdr, left); hdr = mnl_nlmsg_next(hdr, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(hdr);

			if (hdr->nlmsg_type != NLMSG_ERROR || hdr->nlmsg_pid != portid)
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
	struct timeval patience = { .tv_sec = 5 };
	struct mnl_socket *nl;
	int ret;

	close_message(batch);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch->mnl), batch->seq++);
	mnl_nlmsg_batch_next(batch->mnl);
	nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	ret = -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0 ||
	    mnl_socket_sendto(nl, mnl_nlmsg_batch_head(batch->mnl),
			      mnl_nlmsg_batch_size(batch->mnl)) < 0)
		ret = -errno;
	else
		ret = read_acks(batch, nl);
	mnl_socket_close(nl);
	return ret;
}

void nft_batch_free(struct nft_batch *batch)
{
	mnl_nlmsg_batch_stop(batch->mnl);
	free(batch);
}
