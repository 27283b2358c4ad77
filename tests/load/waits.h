/* SPDX-License-Identifier: GPL-2.0-only */
/* How long the answers took: a histogram, exact to 0.2 %, of any number of waits. */
#ifndef TAKEOVER_LOAD_WAITS_H
#define TAKEOVER_LOAD_WAITS_H

#include <stdint.h>

#define WAITS_BITS 9
#define WAITS_BUCKETS ((40 - WAITS_BITS) << WAITS_BITS)

struct waits {
	uint64_t count;
	int64_t longest;
	uint64_t buckets[WAITS_BUCKETS];
};

/* Waits are in nanoseconds. */
void waits_add(struct waits *waits, int64_t ns);
/* The wait that no more than 1 - quantile of all exceed; 0 of none. */
int64_t waits_quantile(const struct waits *waits, double quantile);

#endif
