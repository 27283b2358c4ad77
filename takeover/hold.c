// SPDX-License-Identifier: GPL-2.0-only
/* NFQUEUE by libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "hold.h"

#define MAX_ID	     0x7fffffff
#define SOCKET_BYTES (64 * 1024 * 1024)
#define READ_BYTES   (128 * 1024)

struct takeover_hold {
	struct mnl_socket *nl;
	uint16_t queue;
	_Alignas(struct nlmsghdr) char buf[READ_BYTES];
};

static struct nlmsghdr *message(char *buf, uint16_t queue, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *hdr = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	hdr->nlmsg_type = (NFNL_SUBSYS_QUEUE << 8) | type;
	hdr->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg = mnl_nlmsg_put_extra_header(hdr, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(queue);
	return hdr;
}

/* Send and wait for the acknowledgement; no packets can be queued yet. */
static int configure(struct takeover_hold *hold, struct nlmsghdr *hdr)
{
	int ret;

	if (mnl_socket_sendto(hold->nl, hdr, hdr->nlmsg_len) < 0)
		return -errno;
	ret = mnl_socket_recvfrom(hold->nl, hold->buf, sizeof(hold->buf));
	if (ret < 0)
		return -errno;
	ret = mnl_cb_run(hold->buf, ret, 0, mnl_socket_get_portid(hold->nl), NULL, NULL);
	return ret < 0 ? -errno : 0;
}

static int command(struct takeover_hold *hold, uint16_t queue, uint8_t what)
{
	struct nfqnl_msg_config_cmd cmd = { .command = what };
	_Alignas(struct nlmsghdr) char buf[256];
	struct nlmsghdr *hdr = message(buf, queue, NFQNL_MSG_CONFIG, NLM_F_ACK);

	mnl_attr_put(hdr, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	return configure(hold, hdr);
}

static int bind_queue(struct takeover_hold *hold)
{
	/* Does nothing since Linux 3.8, but only for who may. */
	int ret = command(hold, 0, NFQNL_CFG_CMD_PF_BIND);

	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < TAKEOVER_HOLD_QUEUES; i++) {
		hold->queue = TAKEOVER_HOLD_FIRST + i;
		ret = command(hold, hold->queue, NFQNL_CFG_CMD_BIND);
		/* Somebody else's queue: EPERM (or EBUSY, when it was a near thing). */
		if (ret != -EPERM && ret != -EBUSY)
			return ret;
	}
	return -EBUSY;
}

static int set_limits(struct takeover_hold *hold, uint32_t max_packets, bool copy)
{
	struct nfqnl_msg_config_params params = {
		.copy_range = htonl(copy ? 0xffff : 0),
		.copy_mode = copy ? NFQNL_COPY_PACKET : NFQNL_COPY_META,
	};
	struct nlmsghdr *hdr;
	_Alignas(struct nlmsghdr) char buf[256];

	hdr = message(buf, hold->queue, NFQNL_MSG_CONFIG, NLM_F_ACK);
	mnl_attr_put(hdr, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(hdr, NFQA_CFG_QUEUE_MAXLEN, htonl(max_packets));
	return configure(hold, hdr);
}

int takeover_hold_open(uint32_t max_packets, bool copy, struct takeover_hold **ret_hold)
{
	struct takeover_hold *hold = calloc(1, sizeof(*hold));
	int size = SOCKET_BYTES;
	int ret;

	if (!hold)
		return -ENOMEM;
	hold->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!hold->nl || mnl_socket_bind(hold->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		goto out;
	}
	/* A full socket makes the kernel drop; without the privilege the limit stays. */
	setsockopt(mnl_socket_get_fd(hold->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ret = bind_queue(hold);
	if (ret == 0)
		ret = set_limits(hold, max_packets, copy);
out:
	if (ret < 0)
		takeover_hold_close(hold);
	else
		*ret_hold = hold;
	return ret;
}

uint16_t takeover_hold_queue(const struct takeover_hold *hold)
{
	return hold->queue;
}

int takeover_hold_fd(const struct takeover_hold *hold)
{
	return mnl_socket_get_fd(hold->nl);
}

struct reader {
	takeover_hold_fn *fn;
	void *data;
	unsigned int n;
};

static int on_packet(const struct nlmsghdr *hdr, void *data)
{
	const struct nfqnl_msg_packet_hdr *packet = NULL;
	struct reader *reader = data;
	const void *payload = NULL;
	const struct nlattr *attr;
	size_t len = 0;

	if (hdr->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, hdr, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFQA_PACKET_HDR)
			packet = mnl_attr_get_payload(attr);
		if (mnl_attr_get_type(attr) == NFQA_PAYLOAD) {
			payload = mnl_attr_get_payload(attr);
			len = mnl_attr_get_payload_len(attr);
		}
	}
	if (!packet)
		return MNL_CB_OK;
	reader->n++;
	if (reader->fn)
		reader->fn(reader->data, ntohl(packet->packet_id), payload, len);
	return MNL_CB_OK;
}

int takeover_hold_read(struct takeover_hold *hold, takeover_hold_fn *fn, void *data,
		       unsigned int *ret_n)
{
	struct reader reader = { .fn = fn, .data = data };
	int result = 0;

	for (;;) {
		ssize_t n =
			recv(takeover_hold_fd(hold), hold->buf, sizeof(hold->buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			result = -ENOBUFS;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				result = -errno;
			break;
		}
		/* Errors in answer to verdicts on an empty queue are no news. */
		mnl_cb_run(hold->buf, n, 0, 0, on_packet, &reader);
	}
	*ret_n = reader.n;
	return result;
}

/* @type: NFQNL_MSG_VERDICT for packet @id alone, NFQNL_MSG_VERDICT_BATCH for all up to it. */
static int give_verdict(struct takeover_hold *hold, uint16_t type, uint32_t verdict, uint32_t id)
{
	struct nfqnl_msg_verdict_hdr body = { .verdict = htonl(verdict), .id = htonl(id) };
	struct nlmsghdr *hdr;
	_Alignas(struct nlmsghdr) char buf[256];

	hdr = message(buf, hold->queue, type, 0);
	mnl_attr_put(hdr, NFQA_VERDICT_HDR, sizeof(body), &body);
	return mnl_socket_sendto(hold->nl, hdr, hdr->nlmsg_len) < 0 ? -errno : 0;
}

int takeover_hold_release(struct takeover_hold *hold)
{
	return give_verdict(hold, NFQNL_MSG_VERDICT_BATCH, NF_ACCEPT, MAX_ID);
}

int takeover_hold_pass(struct takeover_hold *hold, uint32_t id, bool accept)
{
	return give_verdict(hold, NFQNL_MSG_VERDICT, accept ? NF_ACCEPT : NF_DROP, id);
}

void takeover_hold_close(struct takeover_hold *hold)
{
	if (!hold)
		return;
	if (hold->nl)
		mnl_socket_close(hold->nl);
	free(hold);
}
