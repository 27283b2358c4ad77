/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard's tables, each with a chain "in" and a chain "out", as messages in a transaction.
 * Each returns 0 or -ENOMEM. */
#ifndef TAKEOVER_GUARD_TABLES_H
#define TAKEOVER_GUARD_TABLES_H

#include <stdint.h>

struct nft_batch;
struct nftnl_rule;

/* nft add table FAMILY TABLE; nft add chain FAMILY TABLE in '{ type filter hook prerouting
 * priority raw + LATER; }'; and so on. */
int guard_put_table(struct nft_batch *batch, uint32_t family, const char *table, int later);

/* nft delete table FAMILY TABLE */
int guard_delete_table(struct nft_batch *batch, uint32_t family, const char *table);

/* nft add rule FAMILY TABLE CHAIN ...; frees @rule, which may be NULL: -ENOMEM. */
int guard_put_rule(struct nft_batch *batch, uint32_t family, const char *table, const char *chain,
		   struct nftnl_rule *rule);

/* nft flush chain FAMILY TABLE CHAIN */
int guard_flush_chain(struct nft_batch *batch, uint32_t family, const char *table,
		      const char *chain);

#endif
