/* SPDX-License-Identifier: GPL-2.0-only */
/* What ip-takeover revive looks at before it restores. */
#ifndef REVIVE_H
#define REVIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "checkpoint_store.h"
#include "config.h"

struct revival {
	struct store store;
	char name[STORE_NAME_STRLEN]; /* of the checkpoint */
	int dirfd;
	json_t *record;
	struct takeover_config config;
	const struct takeover_address *addresses[TAKEOVER_ADDRESSES_MAX]; /* the configuration's */
	bool present[TAKEOVER_ADDRESSES_MAX];				  /* on this host */
	size_t n;
	char why[500];
};

/* The directory @dir, or with NULL the only one in STORE_DIR, is opened and ours alone. All of
 * these: 0, or -errno and revival->why, with what to do. */
int revive_open(struct revival *revival, const char *dir);

/* The newest checkpoint in it that is whole, not older than @max_age seconds (0: what the
 * configuration says). */
int revive_choose(struct revival *revival, unsigned int max_age);

/* Nothing stands in its way: no other host answers for an address, none is missing (unless
 * @claim), no takeover of one is under way here, and nobody serves there or has its PID. */
int revive_check(struct revival *revival, bool claim);

void revive_close(struct revival *revival);

/* Its age in seconds. */
double revive_age(const struct revival *revival);

#endif
