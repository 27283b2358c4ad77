// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover clean: the verb, and the journals. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clean.h"
#include "cli.h"
#include "journal.h"

/* In this order: what is freed by one step is removed by a later one. */
static void (*const steps[])(struct clean *c) = {
	clean_keepers, clean_journals, clean_files, clean_images, clean_guards, clean_locks,
};

bool clean_removes(struct clean *c, const char *format, ...)
{
	va_list ap;

	fputs(c->dry ? "would remove " : "removing ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	c->removed++;
	return !c->dry;
}

void clean_keeps(const char *format, ...)
{
	va_list ap;

	fputs("keeping ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void clean_fails(struct clean *c, const char *what, int ret)
{
	fflush(stdout);
	fprintf(stderr, "ip-takeover: %s: %s\n", what, strerror(-ret));
	c->failed++;
}

void clean_journals(struct clean *c)
{
	json_t *j;
	size_t i;

	json_array_foreach(c->journals, i, j) {
		const char *id = journal_field(j, "id"), *role = journal_field(j, "role");
		const char *state = journal_field(j, "state");

		if (json_is_true(json_object_get(j, "keeper")))
			clean_keeps("takeover %s (%s, %s): its keeper is at work", id, role, state);
		else if (!journal_has_ended(j) && journal_has_criu(j))
			clean_keeps("takeover %s (%s, %s): its criu is at work", id, role, state);
		else if (journal_has_ended(j) &&
			 clean_removes(c, "the journal of takeover %s (%s, %s)", id, role, state))
			c->failed += journal_rollback(j);
		else if (!journal_has_ended(j) &&
			 clean_removes(c,
				       "takeover %s (%s, %s), whose keeper was killed: as "
				       "ip-takeover rollback",
				       id, role, state))
			c->failed += journal_rollback(j);
	}
}

int cli_clean(int argc, char **argv)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	struct clean c = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt != 'n')
			return 2;
		c.dry = true;
	}
	if (optind != argc) {
		fprintf(stderr, "usage: ip-takeover clean [--dry-run]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		/* As the step before has left them */
		c.journals = cli_journals();
		if (!c.journals)
			return 1;
		steps[i](&c);
		json_decref(c.journals);
	}
	if (c.removed == 0 && c.failed == 0)
		puts("nothing to clean");
	return c.failed > 0;
}
