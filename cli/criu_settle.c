// SPDX-License-Identifier: GPL-2.0-only
/* After criu's end: what it and its keeper have left, by the journal. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "criu.h"
#include "journal.h"
#include "netlink.h"

#define PATIENCE_MS 5000
#define LOOK_MS	    5

static int try_to_connect(const struct criu *criu)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int ret;

	strcpy(sun.sun_path, criu->socket);
	ret = fd < 0 || connect(fd, (void *)&sun, sizeof(sun)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

bool criu_keeper_listens(const struct criu *criu)
{
	return try_to_connect(criu) == 0;
}

bool criu_keeper_is_dead(const struct criu *criu)
{
	return try_to_connect(criu) == -ECONNREFUSED;
}

/* The journal of its keeper, or NULL; drop *@ret_all. */
static json_t *find(const struct criu *criu, json_t **ret_all)
{
	json_t *j;
	size_t i;

	*ret_all = cli_journals();
	json_array_foreach(*ret_all, i, j)
		if (strcmp(journal_field(j, "socket"), criu->socket) == 0)
			return j;
	return NULL;
}

static enum takeover_state state_of(const json_t *journal)
{
	int state = 0;

	if (!journal)
		return TAKEOVER_DONE;
	while (state < TAKEOVER_STATES - 1 && !journal_has_state(journal, state))
		state++;
	return state;
}

enum takeover_state criu_settle(struct criu *criu)
{
	long deadline = takeover_now_ms() + PATIENCE_MS;
	enum takeover_state state;

	criu_find_keeper(criu);
	for (;;) {
		bool dead = criu_keeper_is_dead(criu), known;
		json_t *all, *journal = find(criu, &all);

		known = journal != NULL;
		/* A restore that has not failed: the tasks run, whatever became of the keeper. */
		if (dead && journal && criu->status == 0 && strcmp(criu->verb, "restore") == 0)
			json_object_set_new(journal, "state",
					    json_string(takeover_state_name(TAKEOVER_RELEASED)));
		state = state_of(journal);
		criu->refused = state == TAKEOVER_ROLLED_BACK &&
				!journal_has_event(journal, TAKEOVER_EVENT_CRIU_GONE);
		criu->committed = journal && journal_has_event(journal, "committed");
		if (dead && journal)
			journal_rollback(journal);
		json_decref(all);
		/* The keeper still acts on criu's end. */
		if (dead || criu->status == 0 || state >= TAKEOVER_RELEASED ||
		    state == TAKEOVER_COMMITTED || takeover_now_ms() > deadline)
			return known || criu->status == 0 ? state : TAKEOVER_STARTING;
		poll(NULL, 0, LOOK_MS);
	}
}

const char *criu_takeover(const struct criu *criu, char ret_id[TAKEOVER_ID_STRLEN])
{
	json_t *all, *journal = find(criu, &all);

	snprintf(ret_id, TAKEOVER_ID_STRLEN, "%s", journal ? journal_field(journal, "id") : "");
	json_decref(all);
	return ret_id;
}

bool criu_owner_is_heard(const struct criu *criu, int timeout_ms)
{
	long deadline = takeover_now_ms() + timeout_ms;

	for (;;) {
		bool dead = criu_keeper_is_dead(criu);
		json_t *all, *journal = find(criu, &all);
		bool ended = !journal || journal_has_ended(journal);
		bool heard = !journal;

		json_decref(all);
		if (dead || ended || takeover_now_ms() > deadline)
			return heard && !dead;
		poll(NULL, 0, LOOK_MS);
	}
}
