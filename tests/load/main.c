// SPDX-License-Identifier: GPL-2.0-only
/* takeover-load: clients of a service that is moved while they talk to it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} verbs[] = {
	{ "redis", redis_main, "ask a redis server on many connections, check every answer" },
	{ "download", download_main, "read one file by HTTP, check its SHA-256" },
};

static void usage(FILE *to)
{
	size_t i;

	fputs("usage: takeover-load VERB ADDRESS PORT ...\n", to);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].help);
	fputs("takeover-load VERB --help says more. Exit code: 0 every answer came and was right,\n"
	      "1 not so, 2 wrong usage.\n",
	      to);
}

int main(int argc, char **argv)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	for (i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	}
	usage(stderr);
	return 2;
}
