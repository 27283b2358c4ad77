// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover status and rollback: from the journals in /run/ip-takeover. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "announce.h"
#include "cli.h"
#include "guard.h"
#include "request.h"

static const char *field(const json_t *journal, const char *name)
{
	const char *s = json_string_value(json_object_get(journal, name));

	return s ? s : "";
}

static bool keeper_alive(const json_t *journal)
{
	int pid = json_integer_value(json_object_get(journal, "keeper_pid"));
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	if (!fgets(comm, sizeof(comm), f))
		comm[0] = '\0';
	fclose(f);
	return strncmp(comm, "ip-takeover", 11) == 0;
}

/* All journals of this host, in a JSON array. */
static json_t *read_journals(void)
{
	json_t *journals = json_array();
	DIR *dir = opendir(TAKEOVER_RUN_DIR);
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		size_t len = strlen(de->d_name);
		char path[600];
		json_t *journal;

		if (len < 5 || strcmp(de->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), TAKEOVER_RUN_DIR "/%s", de->d_name);
		journal = json_load_file(path, 0, NULL);
		if (!journal)
			continue;
		json_object_set_new(journal, "keeper", json_boolean(keeper_alive(journal)));
		json_object_set_new(journal, "path", json_string(path));
		json_array_append_new(journals, journal);
	}
	if (dir)
		closedir(dir);
	return journals;
}

static const char *advice(const json_t *journal)
{
	const char *state = field(journal, "state");

	if (strcmp(state, "rolled back") == 0)
		return "nothing to do";
	if (!json_is_true(json_object_get(journal, "keeper")))
		return "keeper died: ip-takeover rollback";
	return "under way";
}

int cli_status(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	bool as_json = false;
	json_t *journals, *j;
	size_t i, n;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return 2;
		as_json = true;
	}
	journals = read_journals();
	if (as_json) {
		json_dumpf(journals, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (json_array_size(journals) == 0) {
		puts("no takeover on this host");
	} else {
		printf("%-36s  %-11s  %-11s  %-22s  %s\n", "ID", "ROLE", "STATE", "ADDRESS", "NOTE");
		json_array_foreach(journals, i, j) {
			json_t *addresses = json_object_get(j, "addresses"), *a;

			json_array_foreach(addresses, n, a)
				printf("%-36s  %-11s  %-11s  %-22s  %s%s%s\n", field(j, "id"),
				       field(j, "role"), field(j, "state"), field(a, "address"),
				       advice(j), field(j, "message")[0] ? "; " : "",
				       field(j, "message"));
		}
	}
	json_decref(journals);
	return 0;
}

/* The keeper has died: put the addresses where they were, then take the guard away. */
static int rollback_without_keeper(const json_t *journal)
{
	bool source = strcmp(field(journal, "role"), "source") == 0;
	json_t *addresses = json_object_get(journal, "addresses"), *j;
	char socket[108], guard[64];
	int result = 0;
	size_t i;

	json_array_foreach(addresses, i, j) {
		struct takeover_address a;
		int ret = takeover_address_parse(field(j, "address"), &a);

		if (ret == 0) {
			snprintf(a.device, sizeof(a.device), "%s", field(j, "device"));
			ret = source ? takeover_address_add(&a) : takeover_address_delete(&a, 1000);
		}
		if (ret < 0) {
			fprintf(stderr, "ip-takeover: %s on %s: %s\n", field(j, "address"),
				field(j, "device"), strerror(-ret));
			result = 1;
		}
		if (ret == 0 && source) {
			struct takeover_wire *wire;

			if (takeover_wire_open(a.device, &wire) == 0) {
				takeover_announce(wire, &a, NULL, 0);
				takeover_wire_close(wire);
			}
		}
	}
	if (result)
		return result;
	snprintf(guard, sizeof(guard), "%s", field(journal, "guard"));
	if (guard[0] && takeover_guard_remove(guard) < 0)
		return 1;
	remove(takeover_request_path(json_integer_value(json_object_get(journal, "criu_pid")), socket,
				     sizeof(socket)));
	return remove(field(journal, "path")) < 0;
}

static int rollback(const json_t *journal)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (!json_is_true(json_object_get(journal, "keeper"))) {
		if (strcmp(field(journal, "state"), "rolled back") == 0)
			return remove(field(journal, "path")) < 0;
		return rollback_without_keeper(journal);
	}
	ret = takeover_request(json_integer_value(json_object_get(journal, "criu_pid")),
			       TAKEOVER_ROLLBACK, 0, 0, &reply);
	if (ret == 0)
		ret = reply.ret;
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n", reply.message[0] ? reply.message : strerror(-ret));
	return ret < 0;
}

int cli_rollback(int argc, char **argv)
{
	json_t *journals, *j;
	bool found = false;
	int ret = 0;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: ip-takeover rollback ID\n");
		return 2;
	}
	journals = read_journals();
	json_array_foreach(journals, i, j) {
		if (strcmp(field(j, "id"), argv[1]) != 0)
			continue;
		found = true;
		ret |= rollback(j);
	}
	json_decref(journals);
	if (!found)
		fprintf(stderr, "ip-takeover: no takeover %s on this host; see ip-takeover status\n",
			argv[1]);
	return found ? ret : 1;
}
