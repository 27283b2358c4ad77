/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nftables transactions: messages collected, sent at once, each acknowledged.
 * One socket serves them all: closing a socket makes the kernel wait for what it is
 * still destroying, a grace period of RCU (linux net/netfilter/nf_tables_api.c,
 * nft_rcv_nl_event), and so does a transaction that fails (__nf_tables_abort).
 */
#ifndef TAKEOVER_NFT_BATCH_H
#define TAKEOVER_NFT_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

struct nft_batch;

/* Free with nft_batch_close(). */
int nft_batch_open(struct nft_batch **ret_batch);
void nft_batch_close(struct nft_batch *batch);

/* Begin a transaction, forgetting one that was not committed. */
int nft_batch_begin(struct nft_batch *batch);

/* The header of the next message (NFT_MSG_*), to be filled with a payload at once. */
struct nlmsghdr *nft_batch_message(struct nft_batch *batch, uint16_t type, uint16_t family,
				   uint16_t flags);

/* Send it. 0 when the kernel took all of it, else its first errno and nothing
 * has changed. */
int nft_batch_commit(struct nft_batch *batch);

/* Begin a question in @buf for all objects, NFT_MSG_GET*; nft_ask() asks it, outside of
 * transactions, and calls @fn with each answer. 0 or the kernel's -errno; -EINTR: what is
 * listed has changed meanwhile. */
struct nlmsghdr *nft_question(struct nft_batch *batch, void *buf, uint16_t type, uint16_t family);
int nft_ask(struct nft_batch *batch, const struct nlmsghdr *hdr, mnl_cb_t fn, void *data);

/* The names of the tables of @family that begin with @prefix; free() them. */
int nft_table_names(struct nft_batch *batch, uint16_t family, const char *prefix,
		    char (**ret_names)[64], size_t *ret_n);

/* Whether the kernel has @table; also false when it has no such family. */
int nft_table_exists(struct nft_batch *batch, uint16_t family, const char *table, bool *ret_exists);

/* Whether nft_compat offers the x_tables target @name of @revision. */
int nft_target_exists(struct nft_batch *batch, uint16_t family, const char *name, uint32_t revision,
		      bool *ret_exists);

#endif
