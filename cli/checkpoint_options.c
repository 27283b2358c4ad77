// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_options.h"
#include "migrate_options.h"

#define KEEP_MAX 1000
#define AGE_MAX	 31536000
#define DIR_OPTION                                                                                 \
	{                                                                                          \
		"dir", required_argument, NULL, 'd'                                                \
	}
#define JSON_OPTION                                                                                \
	{                                                                                          \
		"json", no_argument, NULL, 'j'                                                     \
	}
#define HELP_OPTION                                                                                \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}

static const struct option for_checkpoint[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "to", required_argument, NULL, 't' },
	{ "keep", required_argument, NULL, 'k' },
	{ "rsh", required_argument, NULL, 'e' },
	{ "remote-program", required_argument, NULL, 'r' },
	{ "quiet", no_argument, NULL, 'q' },
	DIR_OPTION,
	JSON_OPTION,
	HELP_OPTION,
	{ 0 },
};

static const struct option for_revive[] = {
	{ "max-age", required_argument, NULL, 'a' },
	{ "claim", no_argument, NULL, 'c' },
	{ "quiet", no_argument, NULL, 'q' },
	DIR_OPTION,
	JSON_OPTION,
	HELP_OPTION,
	{ 0 },
};

static const struct option for_list[] = { DIR_OPTION, JSON_OPTION, HELP_OPTION, { 0 } };

static const struct verb {
	const char *name;
	const struct option *options;
	bool criu; /* has options for it */
	const char *usage;
} verbs[] = {
	{ "checkpoint", for_checkpoint, true,
	  "--pid PID [OPTION...] [-- CRIU-OPTION...]\n"
	  "  --pid PID              the process, with its descendants; it goes on\n"
	  "  --dir DIR              where to (/var/lib/ip-takeover/checkpoints/NAME)\n"
	  "  --to HOST              and to the same directory there, as ssh has it\n"
	  "  --keep N               so many at most, on either host (3)\n"
	  "  --rsh COMMAND          instead of ssh\n"
	  "  --remote-program PATH  ip-takeover on HOST\n"
	  "  --quiet, --json        only what is wrong; or an object" },
	{ "revive", for_revive, true,
	  "[OPTION...] [-- CRIU-OPTION...]\n"
	  "  --dir DIR              the checkpoints (the only one in "
	  "/var/lib/ip-takeover/checkpoints)\n"
	  "  --max-age SECONDS      refuse what is older (checkpoint_max_age, 3600)\n"
	  "  --claim                make its addresses this host's, too\n"
	  "  --quiet, --json        only what is wrong; or an object" },
	{ "checkpoints", for_list, false,
	  "[OPTION...]\n"
	  "  --dir DIR              those of one service\n"
	  "  --json                 an array" },
};

static int wrong(const struct verb *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(const struct verb *v, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "ip-takeover %s: ", v->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	return 2;
}

static int number(const struct verb *v, const char *name, const char *text, long min, long max,
		  unsigned int *number)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < min || n > max)
		return wrong(v, "--%s: expected %ld to %ld, not \"%s\"", name, min, max, text);
	*number = n;
	return -1;
}

static int check(const struct verb *v, const struct checkpoint_options *o)
{
	char error[200];

	if (v->options == for_checkpoint && o->pid == 0)
		return wrong(v, "--pid PID is missing");
	if (o->host && (o->host[0] == '-' || o->host[0] == '\0'))
		return wrong(v, "--to: expected a host, not \"%s\"", o->host);
	if (o->rsh[strspn(o->rsh, " ")] == '\0')
		return wrong(v, "--rsh: expected a command");
	if (o->dir && o->dir[0] != '/')
		return wrong(v, "--dir: expected a directory by its whole path, not \"%s\"",
			     o->dir);
	if (o->quiet && o->json)
		return wrong(v, "--quiet contradicts --json");
	return migrate_options_check_criu(o->criu, error, sizeof(error)) < 0 ? wrong(v, "%s", error)
									     : -1;
}

static int take(const struct verb *v, int opt, struct checkpoint_options *o)
{
	unsigned int n = 0;
	int ret = -1;

	switch (opt) {
	case 'p':
		ret = number(v, "pid", optarg, 2, 1 << 22, &n);
		o->pid = n;
		break;
	case 'k':
		return number(v, "keep", optarg, 1, KEEP_MAX, &o->keep);
	case 'a':
		return number(v, "max-age", optarg, 1, AGE_MAX, &o->max_age);
	case 'd':
		o->dir = optarg;
		break;
	case 't':
		o->host = optarg;
		break;
	case 'e':
		o->rsh = optarg;
		break;
	case 'r':
		o->program = optarg;
		break;
	case 'c':
		o->claim = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'j':
		o->json = true;
		break;
	}
	return ret;
}

int checkpoint_options_read(int argc, char **argv, struct checkpoint_options *o)
{
	const struct verb *v = verbs;
	int opt, ret = -1;

	while (strcmp(v->name, argv[0]) != 0)
		v++;
	*o = (struct checkpoint_options){ .rsh = "ssh",
					  .program = "ip-takeover",
					  .keep = CHECKPOINT_KEEP };
	while (ret < 0 && (opt = getopt_long(argc, argv, "+:", v->options, NULL)) != -1) {
		if (opt == 'h') {
			printf("usage: ip-takeover %s %s\n", v->name, v->usage);
			return 0;
		}
		if (opt == ':')
			return wrong(v, "%s: expected a value; see --help", argv[optind - 1]);
		if (opt == '?')
			return wrong(v, "%s: no such option, or not with a value; see --help",
				     argv[optind - 1]);
		ret = take(v, opt, o);
	}
	if (ret >= 0)
		return ret;
	if (optind < argc && !v->criu)
		return wrong(v, "\"%s\" is no option", argv[optind]);
	/* The word before: "--" is what getopt_long() has passed. */
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return wrong(v, "\"%s\" is no option; options for criu come after --",
			     argv[optind]);
	o->criu = (const char *const *)argv + optind;
	return check(v, o);
}
