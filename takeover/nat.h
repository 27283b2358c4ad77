/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections to a service address that this host translates to another one, as it does for the
 * published ports of a container: the peer knows 192.0.2.100:6379, the socket 198.51.100.5:6379, and
 * only an entry of connection tracking knows both. The destination's rules translate new
 * connections; one that moves in needs its entry, before its first packet.
 *
 * On the source takeover_nat_list() and takeover_nat_format(); on the destination, behind its
 * guard and before the sockets are made, takeover_nat_parse() and takeover_nat_create(). Entries
 * of conntrack zones, with helpers, and of half-open connections do not go along.
 */
#ifndef TAKEOVER_NAT_H
#define TAKEOVER_NAT_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "ctnetlink.h"

#define TAKEOVER_NAT_MAX 65536 /* entries of one takeover */

struct takeover_nat {
	int family;
	uint8_t protocol;		   /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t state;			   /* TCP: TCP_CONNTRACK_ESTABLISHED to _TIME_WAIT */
	struct takeover_ct_tuple original; /* as the peer sends */
	struct takeover_ct_tuple reply;	   /* as the socket here answers */
	uint32_t seconds;		   /* that the entry has left */
	uint32_t mark;
};

struct takeover_nats {
	struct takeover_nat *all; /* free() it */
	size_t n;
};

/* The translated TCP and UDP connections to one of @addresses in this network namespace. None
 * where nothing is tracked. -E2BIG: more than TAKEOVER_NAT_MAX; else -errno of ctnetlink. */
int takeover_nat_list(const struct takeover_address *addresses, size_t n,
		      struct takeover_nats *ret_nats);

/* As JSON, a list of
 *   { "protocol": "tcp", "peer": ["192.0.2.3", 41234], "address": ["192.0.2.100", 6379],
 *     "to": ["198.51.100.5", 6379], "seconds": 431999 }
 * with "from": [address, port] when the peer's is translated, too, "state" when it is not
 * "established", and "mark" when it is not 0. Free with json_decref(). -ENOMEM. */
struct json_t;
int takeover_nat_format(const struct takeover_nats *nats, struct json_t **ret_json);

/* Back from there; untrusted. -EINVAL: @error says which entry is wrong and how. All are
 * connections to one of @addresses; where they lead to ("to") is for the caller to judge, who
 * knows which container moves in: an entry takes its packets past the packet filter. */
int takeover_nat_parse(const struct json_t *json, const struct takeover_address *addresses,
		       size_t n, struct takeover_nats *ret_nats, char *error, size_t len);

/* Let this network namespace translate them, in place of what it knows of the same connections.
 * All or, with @error, none: -EOPNOTSUPP when it tracks nothing, so that it would not translate
 * either; -EEXIST when another connection of the container's address and port to that peer is
 * known here; else -errno of ctnetlink. */
int takeover_nat_create(const struct takeover_nats *nats, char *error, size_t len);

/* Forget them again; what is gone already does not matter. */
int takeover_nat_remove(const struct takeover_nats *nats);

/* Whether the addresses are a peer's, one of @addresses, and another one to lead to; no port is
 * 0. What takeover_nat_list() lists and takeover_nat_parse() takes. */
bool takeover_nat_is_one(const struct takeover_nat *nat, const struct takeover_address *addresses,
			 size_t n);

#endif
