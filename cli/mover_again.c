// SPDX-License-Identifier: GPL-2.0-only
/* Committed, and the connection has broken before the destination said that it runs, perhaps
 * before it heard of the commit: it is told anew, over new connections, until it says so, or its
 * announcement is heard. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "mover.h"
#include "netlink.h"
#include "progress.h"

#define LOOK_MS	      20
#define PAUSE_MS      100
#define PAUSE_MOST_MS 2000

struct again {
	const char *id;
	struct rsh rsh;
	int tries;
	long pause_ms, next_ms;
};

/* One try after the other. Whether it says that the service runs there. */
static bool tell(const struct migrate *m, struct again *a)
{
	long now = takeover_now_ms();
	int status;

	if (a->rsh.pid > 0) {
		if (!rsh_ended(&a->rsh, &status))
			return false;
		a->next_ms = now + a->pause_ms;
		a->pause_ms = mover_smaller(2 * a->pause_ms, PAUSE_MOST_MS);
		return status == 0;
	}
	if (now < a->next_ms)
		return false;
	if (rsh_ask(&a->rsh, m->rsh, m->host, m->program, "commit", a->id) < 0)
		a->next_ms = now + a->pause_ms;
	else
		a->tries++;
	return false;
}

static void add_why(struct migrate *m, const struct again *a)
{
	size_t n = strlen(m->why);

	if (a->tries > 0)
		snprintf(m->why + n, sizeof(m->why) - n, "; told anew %d times: %.300s", a->tries,
			 a->rsh.said[0] ? a->rsh.said : "no answer");
}

bool mover_again(struct migrate *m, const char *id)
{
	long deadline = takeover_now_ms() + m->timeout_s * 1000L;
	struct again a = { .id = id, .pause_ms = PAUSE_MS };
	bool heard = false, told = false;

	while (!heard && !told && takeover_now_ms() < deadline) {
		heard = criu_owner_is_heard(&m->criu, 0);
		told = !heard && id[0] && tell(m, &a);
		if (!heard && !told)
			poll(NULL, 0, LOOK_MS);
	}
	rsh_end(&a.rsh);
	if (told)
		progress_say("the connection broke at the commit: %s; over a new one %s says that "
			     "it runs",
			     m->why, m->host);
	else if (heard)
		progress_say("the connection broke at the commit: %s; %s has announced itself",
			     m->why, m->host);
	else
		add_why(m, &a);
	return heard || told;
}
