// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>

#include "criu.h"
#include "netlink.h"

#define AGAIN_MS 5

/* Before its keeper is there nobody hears the word, and criu would go on to wait for one. */
void criu_abort(struct criu *criu, int timeout_ms)
{
	long deadline = takeover_now_ms() + timeout_ms;
	struct takeover_reply reply;
	int ret;

	do {
		criu_find_keeper(criu);
		ret = criu_tell(criu, TAKEOVER_ABORT, &reply);
	} while ((ret == -ENOENT || ret == -ECONNREFUSED || ret == -EAGAIN) &&
		 !criu_wait(criu, AGAIN_MS) && takeover_now_ms() < deadline);
	if (!criu_wait(criu, timeout_ms))
		kill(criu->pid, SIGKILL);
	criu_wait(criu, timeout_ms);
}
