// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover status: from the journals. */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "armed.h"
#include "cli.h"
#include "journal.h"
#include "manifest.h"
#include "tasks.h"

/* By criu dump --leave-stopped. */
static bool is_stopped(const json_t *journal)
{
	int pid = json_integer_value(json_object_get(journal, "root_pid"));

	return pid > 0 && takeover_task_state(pid) == TAKEOVER_TASK_STOPPED;
}

/* The source's end of ip-takeover migrate, from where nothing but the commit decides; else NULL. */
static const char *advice_to_source(const json_t *journal)
{
	bool alive = json_is_true(json_object_get(journal, "keeper"));

	if (json_integer_value(json_object_get(journal, "mover_pid")) == 0 ||
	    !journal_is_source(journal) || journal_has_state(journal, TAKEOVER_DONE))
		return NULL;
	if (journal_has_committed(journal) && !alive && !journal_has_ended(journal))
		return "the keeper was killed when it had committed: ip-takeover migrate --resume "
		       "ID --to HOST tells the other host, then ip-takeover rollback ID cleans up";
	if (journal_has_committed(journal))
		return journal_has_event(journal, "new owner heard")
			       ? "committed; the other host has it"
			       : "committed; the other host has not been heard: ip-takeover "
				 "migrate --resume ID --to HOST tells it";
	if (alive && journal_has_state(journal, TAKEOVER_WITHDRAWN))
		return "handed over: the other host restores it, and nothing is decided; to undo "
		       "that, end ip-takeover migrate";
	return NULL;
}

/* Where the service is, and what a person can do. */
static const char *advice(const json_t *journal)
{
	bool alive = json_is_true(json_object_get(journal, "keeper"));
	bool standby = strcmp(journal_field(journal, "role"), "standby") == 0;

	if (standby && journal_has_state(journal, TAKEOVER_ROLLED_BACK))
		return "not restored here; ip-takeover rollback ID forgets it";
	if (standby && alive && journal_has_state(journal, TAKEOVER_PREPARED))
		return "stands by: keepalived may bring the address, packets wait for a restore";

	if (advice_to_source(journal))
		return advice_to_source(journal);
	if (journal_has_state(journal, TAKEOVER_ROLLED_BACK))
		return journal_is_source(journal)
			       ? "the service runs here"
			       : "not restored here; restore the images where you like";
	if (journal_has_state(journal, TAKEOVER_ABANDONED))
		return is_stopped(journal) ? "the process is stopped, without the address"
					   : "the service is not here any more";
	if (!alive && journal_has_state(journal, TAKEOVER_DONE))
		return "over, but for its guard; ip-takeover clean removes it";
	if (!alive)
		return "the keeper was killed; ip-takeover rollback ID cleans up";
	if (journal_has_state(journal, TAKEOVER_COMMITTED))
		return is_stopped(journal) ? "the process is stopped, without the address; "
					     "packets wait for the new owner"
					   : "the process is gone; packets wait for the new owner";
	if (journal_has_state(journal, TAKEOVER_READY))
		return strncmp(journal_field(journal, "message"), "in doubt", 8) == 0
			       ? "restored, frozen and silent; where the source is committed: "
				 "ip-takeover commit ID, or there ip-takeover migrate --resume ID "
				 "--to HOST; where the service runs there: ip-takeover rollback ID"
			       : "restored, frozen and silent; the source decides";
	if (journal_has_state(journal, TAKEOVER_RELEASED))
		return "the service runs here";
	if (journal_has_state(journal, TAKEOVER_DONE) &&
	    journal_has_event(journal, "stays in FAULT"))
		return "the service is not here any more";
	if (journal_has_state(journal, TAKEOVER_DONE))
		return "over; stays until no other takeover holds packets";
	if (json_is_true(json_object_get(journal, "checkpoint")))
		return "a checkpoint is taken; the service stays here";
	return journal_is_source(journal) ? "criu dumps" : "criu restores";
}

/* Of containers, for the next dump. */
static bool say_armed(void)
{
	DIR *dir = opendir(TAKEOVER_RUN_DIR);
	struct takeover_armed armed;
	struct dirent *de;
	bool said = false;
	char name[32];
	int pid;

	while (dir && (de = readdir(dir))) {
		if (strncmp(de->d_name, "armed-", 6) != 0 || strchr(de->d_name, '.') ||
		    takeover_manifest_is_id(de->d_name + 6) ||
		    sscanf(de->d_name + 6, "%d-", &pid) != 1 ||
		    takeover_armed_find(de->d_name + 6, &armed) < 0 || armed.mover > 0)
			continue;
		printf("armed: the next dump of %s (%d) within %ld s is a takeover\n",
		       takeover_task_name(pid, name, sizeof(name)), pid,
		       armed.until_s - takeover_armed_now());
		said = true;
	}
	if (dir)
		closedir(dir);
	return said;
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
		if (!say_armed())
			puts("no takeover on this host");
	} else {
		printf("%-36s  %-11s  %-11s  %-22s  %s\n", "ID", "ROLE", "STATE", "ADDRESS",
		       "NOTE");
		json_array_foreach(journals, i, j) {
			json_t *addresses = json_object_get(j, "addresses"), *a;

			char place[TAKEOVER_NETNS_PATH_LEN + 40];

			journal_place(j, place, sizeof(place));
			json_array_foreach(addresses, n, a)
				printf("%-36s  %-11s  %-11s  %-22s  %s%s%s%s%s\n",
				       journal_field(j, "id"), journal_field(j, "role"),
				       journal_field(j, "state"), journal_field(a, "address"),
				       n == 0 ? place : "", n == 0 && place[0] ? ": " : "",
				       n == 0 ? advice(j) : "",
				       n == 0 && journal_field(j, "message")[0] ? "; " : "",
				       n == 0 ? journal_field(j, "message") : "");
		}
		say_armed();
	}
	json_decref(journals);
	return 0;
}
