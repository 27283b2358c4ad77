// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "container.h"
#include "json.h"
#include "judge.h"
#include "netns.h"

/* In this order: later ones use what earlier ones have found. */
static void (*const judges[])(const struct facts *facts, struct checks *c) = {
	judge_host, judge_cpu,	 judge_addresses, judge_takeovers,
	judge_ids,  judge_ports, judge_files,	  judge_room,
};

int judge_read(const json_t *json, struct checks *c, struct facts **ret_facts)
{
	char error[300];
	int ret = facts_read(json, ret_facts, error, sizeof(error));

	if (ret < 0)
		check_say(c, CHECK_NO, "facts", "the same ip-takeover on both hosts", "%s", error);
	return ret;
}

/* A container has its own files and PIDs, and perhaps its own ports. */
static bool concerns(void (*part)(const struct facts *f, struct checks *c), const struct facts *f,
		     const json_t *container)
{
	if (!f->container)
		return true;
	return part != judge_ids && part != judge_files &&
	       (part != judge_ports || container_is_on_host(container));
}

int judge(const json_t *json, struct checks *c)
{
	const json_t *spec = json_object_get(json, "container");
	struct facts *f = NULL;
	int ret = judge_read(json, c, &f), back = -1;

	if (ret < 0)
		return ret;
	if (f->container)
		container_enter(spec, &back, c);
	check_privileges(c);
	check_configuration(c);
	check_criu(c);
	for (size_t i = 0; i < sizeof(judges) / sizeof(judges[0]); i++)
		if (concerns(judges[i], f, spec) || (judges[i] == judge_ports && back >= 0))
			judges[i](f, c);
	if (f->container)
		container_judge(json, c);
	if (back >= 0)
		takeover_netns_leave(back);
	facts_free(f);
	return 0;
}

static json_t *read_facts(struct checks *c)
{
	char *text = malloc(FACTS_TEXT_MAX + 1), error[300];
	size_t n = text ? fread(text, 1, FACTS_TEXT_MAX + 1, stdin) : 0;
	json_t *json = NULL;

	if (n > FACTS_TEXT_MAX)
		check_say(c, CHECK_NO, "facts", NULL, "expected at most %d MiB",
			  FACTS_TEXT_MAX >> 20);
	else if (takeover_json_parse(text ?: "", n, "facts", &json, error, sizeof(error)) < 0)
		check_say(c, CHECK_NO, "facts", NULL, "%s", error);
	free(text);
	return json;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: ip-takeover judge [--here [--max-freeze SECONDS]] [--json] <FACTS\n");
	return 2;
}

/* For the tests: what the other host of `migrate` says to the facts on stdin; --here: what
 * this one says. */
int cli_judge(int argc, char **argv)
{
	static const struct option options[] = { { "here", no_argument, NULL, 'h' },
						 { "max-freeze", required_argument, NULL, 'm' },
						 { "json", no_argument, NULL, 'j' },
						 { 0 } };
	long max_freeze_s = JUDGE_MAX_FREEZE_S;
	bool as_json = false, here = false;
	struct checks *c;
	char *end = "";
	json_t *json;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h')
			here = true;
		else if (opt == 'm')
			max_freeze_s = strtol(optarg, &end, 10);
		else if (opt == 'j')
			as_json = true;
		else
			return usage();
	}
	if (optind != argc || *end || max_freeze_s < 1 || max_freeze_s > 86400)
		return usage();
	c = calloc(1, sizeof(*c));
	if (!c) {
		perror("ip-takeover");
		return 1;
	}
	/* Ignored, as a parent may have left it, it would let the kernel reap our children. */
	signal(SIGCHLD, SIG_DFL);
	json = read_facts(c);
	if (json && here)
		judge_here(json, max_freeze_s, c);
	else if (json)
		judge(json, c);
	json_decref(json);
	ret = check_print(c, as_json);
	free(c);
	return ret;
}
