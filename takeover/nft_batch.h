/* SPDX-License-Identifier: GPL-2.0-only */
/* One nftables transaction: messages collected, sent at once, each acknowledged. */
#ifndef TAKEOVER_NFT_BATCH_H
#define TAKEOVER_NFT_BATCH_H

#include <stdint.h>

#include <libmnl/libmnl.h>

struct nft_batch;

/* Begin a transaction; free it with nft_batch_free(), committed or not. */
int nft_batch_begin(struct nft_batch **ret_batch);

/* The header of the next message (NFT_MSG_*), to be filled with a payload at once. */
struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint16_t family,
				   uint16_t flags);

/* Send it. 0 when the kernel took all of it, else its first errno and nothing
 * has changed. */
int nft_batch_commit(struct nft_batch *batch);

void nft_batch_free(struct nft_batch *batch);

#endif
