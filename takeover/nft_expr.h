/* SPDX-License-Identifier: GPL-2.0-only */
/* Expressions of nftables' rules, as libnftnl objects that are the rule's. Functions that return an
 * int return 0 or -ENOMEM. */
#ifndef TAKEOVER_NFT_EXPR_H
#define TAKEOVER_NFT_EXPR_H

#include <stdint.h>

struct nftnl_expr;
struct nftnl_rule;

/* NULL: no memory. */
struct nftnl_expr *nft_expr_add(struct nftnl_rule *rule, const char *name);

/* The @len bytes at @offset from @base (NFT_PAYLOAD_*), into the first register. */
int nft_expr_payload(struct nftnl_rule *rule, uint32_t base, uint32_t offset, uint32_t len);

/* What is in the first register, compared by @op (NFT_CMP_*). */
int nft_expr_cmp(struct nftnl_rule *rule, uint32_t op, const void *data, uint32_t len);

/* The meta key @key (NFT_META_*), equal to these bytes. */
int nft_expr_meta_is(struct nftnl_rule *rule, uint32_t key, const void *data, uint32_t len);

int nft_expr_verdict(struct nftnl_rule *rule, uint32_t verdict);

/* @rule, when all of its expressions have been added: @ret is 0; else it is freed: NULL. */
struct nftnl_rule *nft_expr_done(struct nftnl_rule *rule, int ret);

#endif
