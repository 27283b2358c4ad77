// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover check: the table of checks, and how their findings are printed. */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cli.h"

/* In this order: later ones use what earlier ones have found. */
static void (*const checks[])(struct checks *c) = {
	check_privileges, check_configuration, check_devices, check_addresses, check_keepalived,
	check_programs,	  check_guard,	       check_sockets, check_repair,    check_pidfd,
	check_criu,	  check_criu_works,    check_plugin,  check_hook,      check_runtimes,
	check_iptables,	  check_run_dir,
};

static const char *const state_names[] = { "ok", "warning", "no" };

/* What is printed may come from a log or a file: no bytes that a terminal obeys or that JSON
 * refuses. */
static void make_printable(char *s, bool lines)
{
	for (; *s; s++)
		if ((*s < ' ' || *s > '~') && !(lines && *s == '\n'))
			*s = '?';
}

void check_say(struct checks *c, enum check_state state, const char *name, const char *remedy,
	       const char *format, ...)
{
	struct check *found = &c->found[c->n];
	va_list ap;

	/* No room: a good word can go, a bad one cannot. */
	if (c->n == sizeof(c->found) / sizeof(c->found[0])) {
		if (state != CHECK_NO)
			return;
		found--;
		c->n--;
	}
	found->state = state;
	snprintf(found->name, sizeof(found->name), "%s", name);
	snprintf(found->remedy, sizeof(found->remedy), "%s", remedy ? remedy : "");
	va_start(ap, format);
	vsnprintf(found->what, sizeof(found->what), format, ap);
	va_end(ap);
	make_printable(found->name, false);
	make_printable(found->what, false);
	make_printable(found->remedy, true);
	c->n++;
}

void check_needs_root(struct checks *c, const char *name)
{
	check_say(c, CHECK_WARNING, name, "run ip-takeover check as root",
		  "not tried without root");
}

void check_needs_criu(struct checks *c, const char *name)
{
	check_say(c, CHECK_WARNING, name, "first see to criu", "not tried without criu");
}

bool check_ok(const struct checks *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->found[i].state == CHECK_NO)
			return false;
	return true;
}

static void print_text(const struct checks *c)
{
	size_t width = 0;

	for (size_t i = 0; i < c->n; i++)
		if (strlen(c->found[i].name) > width)
			width = strlen(c->found[i].name);
	for (size_t i = 0; i < c->n; i++) {
		const struct check *found = &c->found[i];

		printf("%-7s  %-*s  %s\n", state_names[found->state], (int)width, found->name,
		       found->what);
		for (const char *line = found->remedy; *line;
		     line += strcspn(line, "\n"), line += *line == '\n')
			printf("%-7s  %-*s  %s %.*s\n", "", (int)width, "",
			       line == found->remedy ? "->" : "  ", (int)strcspn(line, "\n"), line);
	}
}

static void print_json(const struct checks *c)
{
	json_t *list = json_array();
	json_t *all = json_pack("{s:b, s:o}", "ok", check_ok(c), "checks", list);

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s}", "name", c->found[i].name,
						"state", state_names[c->found[i].state], "what",
						c->found[i].what, "remedy", c->found[i].remedy));
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

int check_print(const struct checks *c, bool as_json)
{
	if (as_json)
		print_json(c);
	else
		print_text(c);
	/* Nobody may take half an answer for a good one. */
	return check_ok(c) && fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "criu", required_argument, NULL, 'c' },
						 { 0 } };
	const char *criu = NULL;
	bool as_json = false;
	struct checks *c;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'j')
			as_json = true;
		else if (opt == 'c')
			criu = optarg;
		else
			return 2;
	}
	if (optind != argc) {
		fprintf(stderr, "usage: ip-takeover check [--json] [--criu PATH]\n");
		return 2;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		perror("ip-takeover");
		return 1;
	}
	c->criu_name = criu;
	/* Ignored, as a parent may have left it, it would let the kernel reap our children. */
	signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](c);
	ret = check_print(c, as_json);
	free(c);
	return ret;
}
