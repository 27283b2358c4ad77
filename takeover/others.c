// SPDX-License-Identifier: GPL-2.0-only
/* Other takeovers of our addresses on this host, by their journals. */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"

static const char *text(const json_t *journal, const char *name)
{
	const char *s = json_string_value(json_object_get(journal, name));

	return s ? s : "";
}

/* In another network namespace the same address is another one. */
static bool shares_address(const struct takeover_keeper *k, const json_t *journal)
{
	json_t *addresses = json_object_get(journal, "addresses"), *entry;
	struct takeover_netns netns = takeover_journal_netns(journal, "netns");
	struct takeover_address a;
	size_t i;

	if (!takeover_netns_is_own(&netns))
		return false;
	json_array_foreach(addresses, i, entry)
		if (takeover_address_parse(text(entry, "address"), &a) == 0)
			for (size_t n = 0; n < k->manifest->n_addresses; n++)
				if (takeover_address_equal(&a, &k->manifest->addresses[n]))
					return true;
	return false;
}

static bool has_ended(const json_t *journal)
{
	const char *state = text(journal, "state");

	return strcmp(state, takeover_state_name(TAKEOVER_ROLLED_BACK)) == 0 ||
	       strcmp(state, takeover_state_name(TAKEOVER_ABANDONED)) == 0;
}

/* One that stood by and was killed: its guard drops, and ours stands already. */
static int inherit(const json_t *journal, const char *path, bool make_way)
{
	if (make_way && takeover_guard_remove(text(journal, "guard")) == 0) {
		unlink(text(journal, "socket"));
		unlink(path);
	}
	return 0;
}

/* One that has ended is history; one that is over but for its patience ends at once; any
 * other is in our way. */
static int settle(struct takeover_keeper *k, const json_t *journal, const char *path, bool make_way)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (has_ended(journal)) {
		/* Its guard may have been left to drop what this host would forward. */
		if (make_way && takeover_guard_remove(text(journal, "guard")) == 0)
			unlink(path);
		return 0;
	}
	ret = takeover_request(text(journal, "socket"), TAKEOVER_YIELD, make_way, 0, &reply);
	/* It has ended meanwhile. */
	if (ret == -ENOENT && access(path, F_OK) < 0)
		return 0;
	if (ret < 0 && ret != -ETIMEDOUT && strcmp(text(journal, "role"), "standby") == 0)
		return inherit(journal, path, make_way);
	if (ret < 0)
		return takeover_keeper_say(
			k, -EBUSY, "the keeper of takeover %s %s; ip-takeover rollback %s first",
			text(journal, "id"), ret == -ETIMEDOUT ? "does not answer" : "was killed",
			text(journal, "id"));
	if (reply.ret < 0)
		return takeover_keeper_say(k, -EBUSY, "takeover %s of the same address is %s",
					   text(journal, "id"), text(journal, "state"));
	return 0;
}

int takeover_others(struct takeover_keeper *k, bool make_way)
{
	DIR *dir = opendir(TAKEOVER_RUN_DIR);
	struct dirent *de;
	int ret = 0;

	while (dir && ret == 0 && (de = readdir(dir))) {
		const char *dot = strrchr(de->d_name, '.');
		char path[PATH_MAX];
		json_t *journal = NULL;
		char error[200];

		if (!dot || strcmp(dot, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), TAKEOVER_RUN_DIR "/%s", de->d_name);
		ret = takeover_journal_read(path, &journal, error, sizeof(error));
		/* It has ended meanwhile; but one that cannot be read may be under way. */
		if (ret == -ENOENT)
			ret = 0;
		if (ret < 0)
			ret = takeover_keeper_say(
				k, -EBUSY, "%s; remove it if no takeover is under way", error);
		/* Our own is there already when a worker of ours has died. */
		if (journal && strcmp(text(journal, "socket"), k->socket) != 0 &&
		    shares_address(k, journal))
			ret = settle(k, journal, path, make_way);
		json_decref(journal);
	}
	if (dir)
		closedir(dir);
	return ret;
}
