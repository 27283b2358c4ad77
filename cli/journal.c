// SPDX-License-Identifier: GPL-2.0-only
/* The journals in /run/ip-takeover, for the verbs that read them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "request.h"
#include "tasks.h"

const char *journal_field(const json_t *journal, const char *name)
{
	const char *s = json_string_value(json_object_get(journal, name));

	return s ? s : "";
}

/* A container may have nobody who reaps a keeper that was killed: a zombie keeps its name. */
static bool keeper_alive(const json_t *journal)
{
	int pid = json_integer_value(json_object_get(journal, "keeper_pid"));
	char name[32];

	return strncmp(takeover_task_name(pid, name, sizeof(name)), "ip-takeover", 11) == 0 &&
	       takeover_task_state(pid) != TAKEOVER_TASK_GONE;
}

json_t *cli_journals(void)
{
	json_t *journals;
	DIR *dir = opendir(TAKEOVER_RUN_DIR);
	struct dirent *de;

	if (!dir && errno != ENOENT) {
		perror("ip-takeover: " TAKEOVER_RUN_DIR);
		return NULL;
	}
	journals = json_array();

	while (dir && (de = readdir(dir))) {
		size_t len = strlen(de->d_name);
		char path[600], error[800];
		json_t *journal;
		int ret;

		if (len < 5 || strcmp(de->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), TAKEOVER_RUN_DIR "/%s", de->d_name);
		ret = takeover_journal_read(path, &journal, error, sizeof(error));
		if (ret < 0) {
			if (ret != -ENOENT)
				fprintf(stderr, "ip-takeover: %s\n", error);
			continue;
		}
		json_object_set_new(journal, "keeper", json_boolean(keeper_alive(journal)));
		json_object_set_new(journal, "path", json_string(path));
		json_array_append_new(journals, journal);
	}
	if (dir)
		closedir(dir);
	return journals;
}

bool journal_has_state(const json_t *journal, enum takeover_state state)
{
	return strcmp(journal_field(journal, "state"), takeover_state_name(state)) == 0;
}

bool journal_is_source(const json_t *journal)
{
	return strcmp(journal_field(journal, "role"), "source") == 0;
}

bool journal_has_ended(const json_t *journal)
{
	return journal_has_state(journal, TAKEOVER_ROLLED_BACK) ||
	       journal_has_state(journal, TAKEOVER_ABANDONED);
}

bool journal_has_event(const json_t *journal, const char *what)
{
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(journal, "events"), i, event)
		if (strcmp(journal_field(event, "what"), what) == 0)
			return true;
	return false;
}

bool journal_has_committed(const json_t *journal)
{
	char mark[TAKEOVER_SOCKET_LEN + 16];

	return access(takeover_request_mark(journal_field(journal, "socket"), mark, sizeof(mark)),
		      F_OK) == 0 ||
	       journal_has_event(journal, "committed") ||
	       journal_has_state(journal, TAKEOVER_COMMITTED);
}

void journal_make_way(const struct takeover_address *address)
{
	json_t *journals = cli_journals(), *j, *entry;
	struct takeover_address a;
	size_t i, n;

	json_array_foreach(journals, i, j) {
		struct takeover_netns netns = takeover_journal_netns(j, "netns");

		json_array_foreach(json_object_get(j, "addresses"), n, entry)
			if (journal_has_ended(j) && takeover_netns_is_own(&netns) &&
			    takeover_address_parse(journal_field(entry, "address"), &a) == 0 &&
			    takeover_address_equal(&a, address))
				takeover_guard_remove(journal_field(j, "guard"));
	}
	json_decref(journals);
}

int journal_ask(const json_t *journal, enum takeover_request_verb verb, int value)
{
	struct takeover_reply reply = { 0 };
	int ret = takeover_request(journal_field(journal, "socket"), verb, value, 0, &reply);

	if (ret == 0)
		ret = reply.ret;
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n",
			reply.message[0] ? reply.message : strerror(-ret));
	return ret < 0;
}

int journal_verb(int argc, char **argv, int (*verb)(const json_t *journal))
{
	json_t *journals, *j;
	bool found = false;
	int ret = 0;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: ip-takeover %s ID\n", argv[0]);
		return 2;
	}
	journals = cli_journals();
	if (!journals)
		return 1;
	json_array_foreach(journals, i, j) {
		if (strcmp(journal_field(j, "id"), argv[1]) != 0)
			continue;
		found = true;
		ret |= verb(j);
	}
	json_decref(journals);
	if (!found)
		fprintf(stderr,
			"ip-takeover: no takeover %s on this host; see ip-takeover status\n",
			argv[1]);
	return found ? ret : 1;
}
