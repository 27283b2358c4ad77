/* SPDX-License-Identifier: GPL-2.0-only */
/* The source's keeper while criu only takes a copy (criu dump --leave-running, by ip-takeover
 * checkpoint): guard and hold until the tasks run again; the addresses are not touched, and
 * nobody else may take them for its own. What source.c calls in place of its own. */
#ifndef TAKEOVER_SOURCE_CHECKPOINT_H
#define TAKEOVER_SOURCE_CHECKPOINT_H

#include "keeper.h"

int takeover_checkpoint_request(struct takeover_keeper *keeper,
				const struct takeover_request *request);
void takeover_checkpoint_criu_gone(struct takeover_keeper *keeper);
void takeover_checkpoint_tick(struct takeover_keeper *keeper);

#endif
