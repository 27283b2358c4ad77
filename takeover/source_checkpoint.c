// SPDX-License-Identifier: GPL-2.0-only
/* A copy of a service that goes on: what comes for it waits while criu has it frozen. */
#include <errno.h>

#include "lost.h"
#include "source_checkpoint.h"
#include "tasks.h"

/* However it ended, the service is here, or is dead as it would be without us. */
static void release(struct takeover_keeper *k, const char *event)
{
	if (k->state != TAKEOVER_PREPARED)
		return;
	if (takeover_lost_again(k) > 0)
		takeover_event(k, "what the kernel dropped comes again");
	takeover_keeper_release(k);
	k->state = TAKEOVER_DONE;
	takeover_journal(k, event);
}

int takeover_checkpoint_request(struct takeover_keeper *k, const struct takeover_request *request)
{
	switch (request->verb) {
	case TAKEOVER_DUMP_PREPARED:
	case TAKEOVER_DUMP_EXIT:
		return 0;
	case TAKEOVER_DUMP_WITHDRAW:
		takeover_event(k, "dumped");
		return 0;
	case TAKEOVER_ABORT:
	case TAKEOVER_ROLLBACK:
		release(k, "released");
		return 0;
	case TAKEOVER_YIELD:
		return k->state == TAKEOVER_DONE ? 0 : -EBUSY;
	default:
		return takeover_keeper_say(k, -EINVAL, "not a request for a checkpoint");
	}
}

void takeover_checkpoint_criu_gone(struct takeover_keeper *k)
{
	release(k, "released");
}

/* criu says nothing between the thaw and its end: it lets go of the root first (criu/seize.c,
 * pstree_switch_state). */
void takeover_checkpoint_tick(struct takeover_keeper *k)
{
	if (k->state != TAKEOVER_PREPARED)
		return;
	if (!k->frozen && takeover_tasks_traced(k->tasks, k->n_tasks, &k->criu_pid, 1)) {
		k->frozen = true;
		takeover_event(k, "frozen");
	} else if (k->frozen && !takeover_task_traced(k->root_pid, k->criu_pid)) {
		release(k, "released");
	}
}
