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
#include "keeper.h"
#include "request.h"
#include "tasks.h"

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

static bool has_state(const json_t *journal, enum takeover_state state)
{
	return strcmp(field(journal, "state"), takeover_state_name(state)) == 0;
}

static bool is_source(const json_t *journal)
{
	return strcmp(field(journal, "role"), "source") == 0;
}

/* Where the service is, and what a person can do. */
static const char *advice(const json_t *journal)
{
	if (has_state(journal, TAKEOVER_ROLLED_BACK))
		return is_source(journal) ? "the service runs here"
					  : "not restored here; restore the images where you like";
	if (has_state(journal, TAKEOVER_ABANDONED))
		return "the process is gone";
	if (!json_is_true(json_object_get(journal, "keeper")))
		return "the keeper was killed; ip-takeover rollback ID cleans up";
	if (has_state(journal, TAKEOVER_COMMITTED))
		return "the process is gone; packets wait for the new owner";
	if (has_state(journal, TAKEOVER_RELEASED))
		return "the service runs here";
	return is_source(journal) ? "criu dumps" : "criu restores";
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
	journals = cli_journals();
	if (!journals)
		return 1;
	if (as_json) {
		json_dumpf(journals, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (json_array_size(journals) == 0) {
		puts("no takeover on this host");
	} else {
		printf("%-36s  %-11s  %-11s  %-22s  %s\n", "ID", "ROLE", "STATE", "ADDRESS",
		       "NOTE");
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

static int change_address(const json_t *journal, const json_t *entry, bool add)
{
	struct takeover_address a;
	struct takeover_wire *wire;
	int ret = takeover_address_parse(field(entry, "address"), &a);

	if (ret == 0) {
		snprintf(a.device, sizeof(a.device), "%s", field(entry, "device"));
		ret = add ? takeover_address_add(&a) : takeover_address_delete(&a, 1000);
	}
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: cannot %s %s %s %s: %s\n", add ? "put" : "take",
			field(entry, "address"), add ? "back on" : "off", field(entry, "device"),
			strerror(-ret));
		return ret;
	}
	if (add)
		takeover_tasks_end_repair(&a, 1);
	if (add && !has_state(journal, TAKEOVER_PREPARED) &&
	    takeover_wire_open(a.device, &wire) == 0) {
		takeover_announce(wire, &a, NULL, 0);
		takeover_wire_close(wire);
	}
	return 0;
}

static bool process_exists(const json_t *journal, const char *name)
{
	int pid = json_integer_value(json_object_get(journal, name));

	return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* That criu, and no later process of its PID. */
static bool criu_exists(const json_t *journal)
{
	int pid = json_integer_value(json_object_get(journal, "criu_pid"));
	char socket[TAKEOVER_SOCKET_LEN];

	return strcmp(takeover_request_path(pid, socket, sizeof(socket)),
		      field(journal, "socket")) == 0;
}

/* The keeper was killed, and nobody watches: what it would have done. */
static int rollback_without_keeper(const json_t *journal)
{
	json_t *addresses = json_object_get(journal, "addresses"), *j;
	bool source = is_source(journal);
	int ret = 0;
	size_t i;
	/* The service is here; or it is gone from the source, and its images have it. */
	bool keep =
		source ? has_state(journal, TAKEOVER_COMMITTED) ||
				 (has_state(journal, TAKEOVER_WITHDRAWN) &&
				  !process_exists(journal, "root_pid"))
		       : has_state(journal, TAKEOVER_RELEASED) || has_state(journal, TAKEOVER_DONE);

	if (criu_exists(journal)) {
		fprintf(stderr, "ip-takeover: criu (pid %d) is still at work; end it first\n",
			(int)json_integer_value(json_object_get(journal, "criu_pid")));
		return 1;
	}
	if (!keep)
		json_array_foreach(addresses, i, j)
			ret |= change_address(journal, j, source);
	if (ret)
		return 1;
	if (field(journal, "guard")[0] && takeover_guard_remove(field(journal, "guard")) < 0)
		return 1;
	remove(field(journal, "socket"));
	return remove(field(journal, "path")) < 0;
}

static int rollback(const json_t *journal)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (!json_is_true(json_object_get(journal, "keeper"))) {
		if (has_state(journal, TAKEOVER_ROLLED_BACK) ||
		    has_state(journal, TAKEOVER_ABANDONED))
			return takeover_guard_remove(field(journal, "guard")) < 0 ||
			       remove(field(journal, "path")) < 0;
		return rollback_without_keeper(journal);
	}
	ret = takeover_request(field(journal, "socket"), TAKEOVER_ROLLBACK, 0, 0, &reply);
	if (ret == 0)
		ret = reply.ret;
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n",
			reply.message[0] ? reply.message : strerror(-ret));
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
	journals = cli_journals();
	if (!journals)
		return 1;
	json_array_foreach(journals, i, j) {
		if (strcmp(field(j, "id"), argv[1]) != 0)
			continue;
		found = true;
		ret |= rollback(j);
	}
	json_decref(journals);
	if (!found)
		fprintf(stderr,
			"ip-takeover: no takeover %s on this host; see ip-takeover status\n",
			argv[1]);
	return found ? ret : 1;
}
