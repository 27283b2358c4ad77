// SPDX-License-Identifier: GPL-2.0-only
/* Journals read again: by a keeper beside others, by the command. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "keeper.h"

static const char *text(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, name));

	return s ? s : "";
}

static bool is_pid(const json_t *journal, const char *name, json_int_t least)
{
	const json_t *pid = json_object_get(journal, name);

	return json_is_integer(pid) && json_integer_value(pid) >= least &&
	       json_integer_value(pid) <= INT_MAX;
}

static bool is_state(const char *name)
{
	for (int state = 0; state < TAKEOVER_STATES; state++)
		if (strcmp(takeover_state_name(state), name) == 0)
			return true;
	return false;
}

/* As takeover_request_path() makes it: rollback removes that file. */
static bool is_socket(const json_t *journal)
{
	const char *path = text(journal, "socket");
	unsigned long long started;
	char again[TAKEOVER_SOCKET_LEN];
	int pid;

	if (sscanf(path, TAKEOVER_RUN_DIR "/criu-%d-%llu.sock", &pid, &started) != 2 || pid < 1)
		return false;
	snprintf(again, sizeof(again), TAKEOVER_RUN_DIR "/criu-%d-%llu.sock", pid, started);
	return strcmp(path, again) == 0;
}

/* Of several trees: those beside the first. */
static bool are_members(const json_t *members)
{
	const json_t *member;
	size_t i;

	if (members && (!json_is_array(members) || json_array_size(members) > TAKEOVER_MEMBERS_MAX))
		return false;
	json_array_foreach(members, i, member)
		if (!is_pid(member, "root_pid", 0) || !is_pid(member, "criu_pid", 0))
			return false;
	return true;
}

static bool is_number(const json_t *json, const char *name, json_int_t least)
{
	const json_t *number = json_object_get(json, name);

	return json_is_integer(number) && json_integer_value(number) >= least;
}

/* Rollback enters it. */
static bool is_netns(const json_t *netns)
{
	const char *path = text(netns, "path");

	return !netns ||
	       (is_number(netns, "inode", 1) && is_number(netns, "cookie", 0) &&
		json_is_string(json_object_get(netns, "path")) &&
		(path[0] == '/' || path[0] == '\0') && strlen(path) < TAKEOVER_NETNS_PATH_LEN);
}

struct takeover_netns takeover_journal_netns(const json_t *journal, const char *name)
{
	const json_t *json = json_object_get(journal, name);
	struct takeover_netns netns = {
		.inode = json_integer_value(json_object_get(json, "inode")),
		.cookie = json_integer_value(json_object_get(json, "cookie")),
	};

	snprintf(netns.path, sizeof(netns.path), "%s", text(json, "path"));
	return netns;
}

/* What is wrong, or NULL. */
static const char *check(const json_t *journal)
{
	const json_t *addresses = json_object_get(journal, "addresses");
	const char *role = text(journal, "role");
	char guard[48];

	if (!takeover_manifest_is_id(text(journal, "id")))
		return "id: expected a uuid";
	if (strcmp(role, "source") != 0 && strcmp(role, "destination") != 0 &&
	    strcmp(role, "standby") != 0)
		return "role: expected source or destination, or standby";
	if (!is_state(text(journal, "state")))
		return "state: expected one like \"prepared\"";
	if (!json_is_string(json_object_get(journal, "message")))
		return "message: expected a text";
	if (json_object_get(journal, "mover_pid") && !is_pid(journal, "mover_pid", 0))
		return "mover_pid: expected a PID or 0";
	if (!is_pid(journal, "criu_pid", 1))
		return "criu_pid: expected a PID";
	if (!is_pid(journal, "keeper_pid", 1))
		return "keeper_pid: expected a PID";
	if (!is_socket(journal))
		return "socket: expected a keeper's in " TAKEOVER_RUN_DIR;
	if (!is_pid(journal, "root_pid", 0))
		return "root_pid: expected a PID or 0";
	if (!are_members(json_object_get(journal, "members")))
		return "members: expected at most 15 { \"root_pid\": 12, \"criu_pid\": 0 }";
	if (!is_netns(json_object_get(journal, "netns")))
		return "netns: expected { \"inode\": 4026532000, \"cookie\": 0, \"path\": "
		       "\"/proc/12/ns/net\" }";
	if (!is_netns(json_object_get(journal, "inner")))
		return "inner: expected what netns is";
	/* Tables of this name are deleted on rollback. */
	snprintf(guard, sizeof(guard), "%.8s-%s", text(journal, "id"), role);
	if (strcmp(text(journal, "guard"), guard) != 0)
		return "guard: expected the first 8 digits of the id, and the role";
	if (json_array_size(addresses) == 0 || json_array_size(addresses) > TAKEOVER_ADDRESSES_MAX)
		return "addresses: expected 1 to 64";
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *entry = json_array_get(addresses, i);
		const char *file = text(entry, "track_file");
		struct takeover_address a;

		/* Rollback writes to it. */
		if (file[0] && !takeover_vrrp_is_track_file(file))
			return "addresses: expected an absolute path as track_file";
		if (takeover_address_parse(text(entry, "address"), &a) < 0 ||
		    !takeover_address_is_device(text(entry, "device")) ||
		    !json_is_boolean(json_object_get(entry, "was_here")))
			return "addresses: expected { \"address\": \"192.0.2.100/24\", \"device\": "
			       "\"eth0\", \"was_here\": false }";
	}
	return NULL;
}

int takeover_journal_parse(const char *bytes, size_t n, const char *name, json_t **ret_journal,
			   char *error, size_t len)
{
	const char *wrong;
	json_t *journal;
	int ret;

	ret = takeover_json_parse(bytes, n, name, &journal, error, len);
	if (ret < 0)
		return ret;
	wrong = check(journal);
	if (wrong) {
		snprintf(error, len, "%s: %s", name, wrong);
		json_decref(journal);
		return -EINVAL;
	}
	*ret_journal = journal;
	return 0;
}

int takeover_journal_read(const char *path, json_t **ret_journal, char *error, size_t len)
{
	char *bytes = NULL;
	ssize_t n;
	int ret;

	n = takeover_json_slurp(AT_FDCWD, path, &bytes, error, len);
	if (n < 0)
		return n;
	ret = takeover_journal_parse(bytes, n, path, ret_journal, error, len);
	free(bytes);
	return ret;
}
