// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover: a table of verbs. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "keeper.h"
#include "place.h"
#include "report.h"
#include "steps.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "check", cli_check,
	  "[--json] [--criu PATH]  whether this host can take part in a takeover" },
	{ "migrate", cli_migrate,
	  "--pid PID --to HOST  move a running service with its addresses" },
	{ "arm", cli_arm,
	  "--docker NAME   the next checkpoint of this container is for a takeover" },
	{ "checkpoint", cli_checkpoint,
	  "--pid PID [--to HOST]  keep a copy of a service that goes on" },
	{ "checkpoints", cli_checkpoints, "[--json]   what copies there are" },
	{ "revive", cli_revive,
	  "[--dir DIR]     let a service whose host has died go on from its newest copy" },
	{ "status", cli_status, "[--json]        takeovers on this host, and where each stands" },
	{ "claim", cli_claim,
	  "ADDRESS         make a configured address this host's and announce it" },
	{ "withdraw", cli_withdraw, "ADDRESS         take a configured address off this host" },
	{ "prepare", cli_prepare,
	  "ADDRESS...      stand by for an address that keepalived will bring here" },
	{ "rollback", cli_rollback, "ID              make everything as it was before" },
	{ "commit", cli_commit, "ID              let a service run here that is in doubt" },
	{ "clean", cli_clean, "[--dry-run]     remove what killed keepers and criu left over" },
	{ "report", cli_report,
	  "[ID]            what a takeover has taken, in bars; --json, --svg FILE" },
	{ "receive", cli_receive, NULL },
	{ "receive-checkpoint", cli_receive_checkpoint, NULL },
	{ "steps", cli_steps, NULL },
	{ "place", cli_place, NULL },
	{ "keeper", takeover_keeper_main, NULL },
	{ "facts", cli_facts, NULL },
	{ "judge", cli_judge, NULL },
};

static int usage(FILE *f, int code)
{
	fprintf(f, "usage: ip-takeover VERB [ARGUMENTS]\n");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].help)
			fprintf(f, "  %-11s %s\n", verbs[i].name, verbs[i].help);
	fprintf(f, "exit status: 0 done, 1 failed (said why), 2 wrong usage\n");
	return code;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, 2);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout, 0);
	if (strcmp(argv[1], "--version") == 0) {
		puts("ip-takeover " TAKEOVER_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].main(argc - 1, argv + 1);
	fprintf(stderr, "ip-takeover: no verb \"%s\"\n", argv[1]);
	return usage(stderr, 2);
}
