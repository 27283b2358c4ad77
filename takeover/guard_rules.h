/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard's rules as libnftnl objects; each returns NULL when memory runs out,
 * and the caller frees it with nftnl_rule_free(). @in: what comes for the address; else what leaves
 * from it. */
#ifndef TAKEOVER_GUARD_RULES_H
#define TAKEOVER_GUARD_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "guard.h"

struct nftnl_rule;

/* Of the x_tables target: xt_NFQ_info_v3. */
#define GUARD_NFQUEUE_REVISION 3

/* RFC 826: offsets from the ARP header for 6-byte hardware and 4-byte protocol
 * addresses. */
enum guard_arp_field {
	GUARD_ARP_SENDER = 14,
	GUARD_ARP_TARGET = 24,
};

struct nftnl_rule *guard_rule_hold(const struct takeover_address *a, enum takeover_guard_mode mode,
				   uint16_t queue, bool in);
struct nftnl_rule *guard_rule_syn_hold(const struct takeover_address *a,
				       enum takeover_guard_mode mode, uint16_t queue);
struct nftnl_rule *guard_rule_fin_rst_drop(const struct takeover_address *a);
struct nftnl_rule *guard_rule_arp_drop(const struct takeover_address *a,
				       enum guard_arp_field field);
struct nftnl_rule *guard_rule_neighbour_accept(const struct takeover_address *a, bool in);
struct nftnl_rule *guard_rule_solicitation_drop(const struct takeover_address *a);

#endif
