// SPDX-License-Identifier: GPL-2.0-only
/* A histogram with 2^WAITS_BITS buckets to each power of two microseconds. */
#include "waits.h"

static unsigned int bucket_of(uint64_t us)
{
	unsigned int shift = 0, bucket;

	while (us >> shift >= 2U << WAITS_BITS)
		shift++;
	bucket = (shift << WAITS_BITS) + (unsigned int)(us >> shift);
	return bucket < WAITS_BUCKETS ? bucket : WAITS_BUCKETS - 1;
}

static int64_t bucket_ns(unsigned int bucket)
{
	unsigned int shift = bucket >> WAITS_BITS;
	uint64_t us;

	if (shift)
		shift--;
	us = (uint64_t)(bucket - (shift << WAITS_BITS)) << shift;
	return (int64_t)us * 1000;
}

void waits_add(struct waits *waits, int64_t ns)
{
	if (ns < 0)
		ns = 0;
	waits->buckets[bucket_of((uint64_t)ns / 1000)]++;
	waits->count++;
	if (ns > waits->longest)
		waits->longest = ns;
}

int64_t waits_quantile(const struct waits *waits, double quantile)
{
	uint64_t below = 0;
	unsigned int i;

	for (i = 0; i < WAITS_BUCKETS && waits->count; i++) {
		below += waits->buckets[i];
		if (waits->buckets[i] && (double)below >= quantile * (double)waits->count)
			return bucket_ns(i);
	}
	return 0;
}
