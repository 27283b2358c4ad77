// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover prepare: before a dump elsewhere, on the host that will restore. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "journal.h"
#include "prepare.h"
#include "request.h"

#define SECONDS	    600
#define SECONDS_MAX 86400

/* "/ADDRESS,ADDRESS": in the place of a keeper's image directory. */
static int start(const char *names, unsigned int seconds, pid_t mover, char *error, size_t len)
{
	struct takeover_reply reply = { 0 };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int ret = n < 0 ? -errno : 0;

	if (ret == 0) {
		self[n] = '\0';
		ret = takeover_keeper_start(self, "standby", seconds, 0, names, mover, NULL,
					    &reply);
	}
	if (ret < 0)
		snprintf(error, len, "cannot start a keeper: %s", strerror(-ret));
	else if (reply.ret < 0)
		snprintf(error, len, "%s", reply.message[0] ? reply.message : strerror(-reply.ret));
	return ret ?: reply.ret;
}

int prepare_start(const struct takeover_address *addresses, size_t n, unsigned int seconds,
		  pid_t mover, char *error, size_t len)
{
	char names[TAKEOVER_ADDRESSES_MAX * TAKEOVER_ADDRESS_STRLEN + 2] = "";
	char text[TAKEOVER_ADDRESS_STRLEN];
	struct takeover_config config;
	size_t used = 0;
	int ret = takeover_config_read(&config, error, len);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < n && i < TAKEOVER_ADDRESSES_MAX; i++)
		if (takeover_config_backend(&config, &addresses[i])->kind ==
		    TAKEOVER_BACKEND_KEEPALIVED)
			used += snprintf(names + used, sizeof(names) - used, "%c%s",
					 used ? ',' : '/',
					 takeover_address_ip(&addresses[i], text, sizeof(text)));
	return used ? start(names, seconds, mover, error, len) : 0;
}

static bool is_of(const json_t *journal, const struct takeover_address *addresses, size_t n)
{
	struct takeover_address a;
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(journal, "addresses"), i, entry)
		if (takeover_address_parse(journal_field(entry, "address"), &a) == 0)
			for (size_t k = 0; k < n; k++)
				if (takeover_address_equal(&addresses[k], &a))
					return true;
	return false;
}

void prepare_settle(const struct takeover_address *addresses, size_t n)
{
	json_t *journals = cli_journals(), *j;
	size_t i;

	json_array_foreach(journals, i, j)
		if (strcmp(journal_field(j, "role"), "standby") == 0 &&
		    !json_is_true(json_object_get(j, "keeper")) && is_of(j, addresses, n))
			journal_rollback(j);
	json_decref(journals);
}

static int usage(void)
{
	fprintf(stderr, "usage: ip-takeover prepare [--seconds N] ADDRESS...\n");
	return 2;
}

int cli_prepare(int argc, char **argv)
{
	static const struct option options[] = { { "seconds", required_argument, NULL, 's' },
						 { 0 } };
	char names[TAKEOVER_ADDRESSES_MAX * TAKEOVER_ADDRESS_STRLEN + 2] = "", error[600] = "";
	long seconds = SECONDS;
	size_t used = 0;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 's')
			return usage();
		seconds = strtol(optarg, &end, 10);
		if (*end || seconds < 1 || seconds > SECONDS_MAX)
			return usage();
	}
	if (optind == argc || argc - optind > TAKEOVER_ADDRESSES_MAX)
		return usage();
	for (int i = optind; i < argc; i++) {
		struct takeover_address a;

		if (takeover_address_parse(argv[i], &a) < 0) {
			fprintf(stderr, "ip-takeover: %s: not an address that a host can own\n",
				argv[i]);
			return 1;
		}
		used += snprintf(names + used, sizeof(names) - used, "%c%s", used ? ',' : '/',
				 argv[i]);
	}
	if (start(names, seconds, 0, error, sizeof(error)) < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return 1;
	}
	return 0;
}
