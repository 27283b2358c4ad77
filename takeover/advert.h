/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VRRP's advertisements, built and recognized: what follows the IP header (RFC 3768 section 5.1,
 * version 2; RFC 5798 section 5.1, version 3). No I/O.
 */
#ifndef TAKEOVER_ADVERT_H
#define TAKEOVER_ADVERT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define TAKEOVER_ADVERT_PROTOCOL 112
#define TAKEOVER_ADVERT_IPS_MAX	 64
/* Eight bytes, the addresses, and version 2's authentication. */
#define TAKEOVER_ADVERT_MAX (8 + 16 * TAKEOVER_ADVERT_IPS_MAX + 8)

/* What an instance says as a master. Addresses in network order, of @family. */
struct takeover_advert {
	char device[IF_NAMESIZE];
	int family;
	unsigned int version, vrid, priority, interval_ms; /* priority 0: it steps down */
	bool plain_checksum;				   /* version 3 without the pseudo-header */
	unsigned char source[16], group[16];
	unsigned char ips[TAKEOVER_ADVERT_IPS_MAX][16];
	size_t n_ips;
};

/* -EMSGSIZE when @len is too small, -EINVAL when no instance can say that. */
int takeover_advert_build(unsigned char *buf, size_t len, const struct takeover_advert *advert,
			  size_t *ret_len);

/* The priority that the @len bytes (untrusted), from @source, advertise for @advert's instance; 0:
 * its master steps down (RFC 5798 section 6.4.3). -EINVAL when they do not. */
int takeover_advert_priority(const unsigned char *packet, size_t len, const unsigned char *source,
			     const struct takeover_advert *advert);

#endif
