/* SPDX-License-Identifier: GPL-2.0-only */
/* An address as it stands on its device, among its neighbours of the same subnet. */
#ifndef TAKEOVER_SUBNET_H
#define TAKEOVER_SUBNET_H

#include <stdbool.h>

#include "address.h"

struct takeover_subnet {
	bool present;
	unsigned int prefixlen; /* which need not be the configuration's */
	bool has_secondaries;	/* that the kernel deletes together with it */
	bool tentative;		/* IPv6, and nobody else has answered for it yet (RFC 4862, 5.4) */
};

int takeover_subnet_find(const struct takeover_address *address,
			 struct takeover_subnet *ret_subnet);

/* Let the kernel promote the secondaries of @address when it is deleted. Whether that had to
 * be turned on: then turn it off again. */
bool takeover_subnet_promote(const struct takeover_address *address);
void takeover_subnet_promote_end(const struct takeover_address *address);

#endif
