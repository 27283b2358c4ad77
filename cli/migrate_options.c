// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "migrate_options.h"

#define TIMEOUT_S   600
#define SECONDS_MAX 86400

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int wrong(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "ip-takeover migrate: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	return 2;
}

static int help(void)
{
	printf("usage: ip-takeover migrate --pid PID --to HOST [OPTION...] [-- CRIU-OPTION...]\n"
	       "       ip-takeover migrate --resume ID --to HOST [--rsh COMMAND]\n"
	       "  --pid PID              the process, with its descendants; again for others\n"
	       "                         that move together with it\n"
	       "  --to HOST              where to, as ssh has it\n"
	       "  --check                only say whether it can move\n"
	       "  --dry-run              the same, and what would be done\n"
	       "  --sync                 copy files that differ there, by rsync\n"
	       "  --compress             what is sent, by zstd\n"
	       "  --max-freeze SECONDS   refuse, or undo, what takes longer (%d)\n"
	       "  --timeout SECONDS      for all that comes before the freeze (%d)\n"
	       "  --keep-images DIR      where to leave criu's images and log\n"
	       "  --rsh COMMAND          instead of ssh\n"
	       "  --remote-program PATH  ip-takeover on HOST\n"
	       "  --verbose, --quiet     say all, or only what is wrong\n"
	       "  --json                 events, one a line\n",
	       JUDGE_MAX_FREEZE_S, TIMEOUT_S);
	return 0;
}

/* A decimal number of @min to @max, and nothing else. */
static bool number(const char *text, long min, long max, long *ret_number)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < min || n > max)
		return false;
	*ret_number = n;
	return true;
}

static int read_number(int opt, const char *text, struct migrate_options *o)
{
	long n;

	if (opt == 'p') {
		if (!number(text, 2, 1 << 22, &n))
			return wrong("--pid: expected a PID, not \"%s\"", text);
		if (o->n_pids == MEMBERS_TREES_MAX)
			return wrong("--pid: at most %d of them", MEMBERS_TREES_MAX);
		o->pids[o->n_pids++] = n;
		return -1;
	}
	if (!number(text, 1, SECONDS_MAX, &n))
		return wrong("--%s: expected 1 to %d seconds, not \"%s\"",
			     opt == 'm' ? "max-freeze" : "timeout", SECONDS_MAX, text);
	*(opt == 'm' ? &o->max_freeze_s : &o->timeout_s) = n;
	return -1;
}

static int check(const struct migrate_options *o)
{
	char error[200];

	if (o->n_pids > 0 && o->resume)
		return wrong("--pid or --resume, not both");
	if (o->container && (o->n_pids > 0 || o->resume))
		return wrong("--%s or --%s, not both", o->runtime, o->resume ? "resume" : "pid");
	if (o->container && (o->container[0] == '-' || o->container[0] == '\0'))
		return wrong("--%s: expected a container, not \"%s\"", o->runtime, o->container);
	if (o->container && o->criu[0])
		return wrong("--%s: options for criu belong into /etc/criu/runc.conf (crun: "
			     "crun.conf)",
			     o->runtime);
	if (o->n_pids == 0 && !o->resume && !o->container)
		return wrong("--pid PID is missing, or --docker, --podman, --runc, --crun NAME");
	if (!o->host)
		return wrong("--to HOST is missing");
	if (o->host[0] == '-' || o->host[0] == '\0')
		return wrong("--to: expected a host, not \"%s\"", o->host);
	if (o->rsh[strspn(o->rsh, " ")] == '\0')
		return wrong("--rsh: expected a command");
	if (o->quiet && (o->verbose || o->json))
		return wrong("--quiet contradicts --%s", o->verbose ? "verbose" : "json");
	if (o->check && o->dry_run)
		return wrong("--check or --dry-run, not both");
	if (o->keep_images && (o->check || o->dry_run))
		return wrong("--keep-images: no images come of --%s",
			     o->check ? "check" : "dry-run");
	return migrate_options_check_criu(o->criu, error, sizeof(error)) < 0 ? wrong("%s", error)
									     : -1;
}

int migrate_options_read(int argc, char **argv, struct migrate_options *o)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "docker", required_argument, NULL, 'D' },
		{ "podman", required_argument, NULL, 'D' },
		{ "runc", required_argument, NULL, 'D' },
		{ "crun", required_argument, NULL, 'D' },
		{ "to", required_argument, NULL, 't' },
		{ "rsh", required_argument, NULL, 'e' },
		{ "remote-program", required_argument, NULL, 'r' },
		{ "resume", required_argument, NULL, 'i' },
		{ "check", no_argument, NULL, 'c' },
		{ "dry-run", no_argument, NULL, 'd' },
		{ "sync", no_argument, NULL, 's' },
		{ "compress", no_argument, NULL, 'z' },
		{ "max-freeze", required_argument, NULL, 'm' },
		{ "timeout", required_argument, NULL, 'T' },
		{ "keep-images", required_argument, NULL, 'k' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "leave-stopped", no_argument, NULL, 'S' },
		{ "leave-running", no_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt, at = 0, ret = -1;

	*o = (struct migrate_options){
		.rsh = "ssh",
		.program = "ip-takeover",
		.max_freeze_s = JUDGE_MAX_FREEZE_S,
		.timeout_s = TIMEOUT_S,
	};
	while (ret < 0 && (opt = getopt_long(argc, argv, "+:", options, &at)) != -1)
		switch (opt) {
		case 'D':
			if (o->container)
				return wrong("--%s: one container at a time", options[at].name);
			o->runtime = options[at].name;
			o->container = optarg;
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
		case 'i':
			o->resume = optarg;
			break;
		case 'c':
			o->check = true;
			break;
		case 'd':
			o->dry_run = true;
			break;
		case 's':
			o->sync = true;
			break;
		case 'z':
			o->compress = true;
			break;
		case 'k':
			o->keep_images = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'p':
		case 'm':
		case 'T':
			ret = read_number(opt, optarg, o);
			break;
		case 'S':
			return wrong("--leave-stopped: a move that fails is undone by itself, and "
				     "after one that succeeds a copy here could only do harm");
		case 'R':
			return wrong("--leave-running: the service would run on both hosts, with "
				     "one address");
		case 'h':
			return help();
		case ':':
			return wrong("%s: expected a value; see --help", argv[optind - 1]);
		default:
			return wrong("%s: no such option, or not with a value; see --help",
				     argv[optind - 1]);
		}
	if (ret >= 0)
		return ret;
	/* The word before: "--" is what getopt_long() has passed. */
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return wrong("\"%s\" is no option; options for criu come after --", argv[optind]);
	o->criu = (const char *const *)argv + optind;
	return check(o);
}
