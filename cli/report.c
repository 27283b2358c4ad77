// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover report: what a takeover has taken. */
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "report.h"

#define WIDTH 80

static int width_of_terminal(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
									       : WIDTH;
}

static int write_svg(const struct report *report, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	bool whole;

	if (!f) {
		fprintf(stderr, "ip-takeover: %s: %s\n", path, strerror(errno));
		return 1;
	}
	report_svg(report, f);
	whole = !ferror(f);
	if (f != stdout)
		whole = fclose(f) == 0 && whole;
	if (!whole)
		fprintf(stderr, "ip-takeover: %s: cannot be written\n", path);
	return whole ? 0 : 1;
}

static int show(const json_t *record, const char *name, bool as_json, const char *svg)
{
	struct report report;
	char error[300];
	json_t *json;

	if (report_read(record, &report, error, sizeof(error)) < 0) {
		fprintf(stderr, "ip-takeover: %s: %s\n", name, error);
		return 1;
	}
	if (svg)
		return write_svg(&report, svg);
	if (!as_json) {
		setlocale(LC_CTYPE, "");
		report_print(&report, stdout, width_of_terminal(),
			     strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
		return 0;
	}
	json = report_json(&report, record);
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(json);
	return 0;
}

static int usage(FILE *f, int code)
{
	fprintf(f, "usage: ip-takeover report [--json | --svg FILE] [ID | DIRECTORY]\n"
		   "  ID         of the takeover, or the beginning of it; else the last one\n"
		   "  DIRECTORY  of the images of a criu dump and restore\n"
		   "  --json     everything, as JSON\n"
		   "  --svg FILE a picture; - for the standard output\n");
	return code;
}

int cli_report(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "svg", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *svg = NULL, *what;
	json_t *record = NULL;
	bool as_json = false;
	char error[800];
	struct stat st;
	int c, ret;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (c) {
		case 'j':
			as_json = true;
			break;
		case 's':
			svg = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	if (argc - optind > 1 || (as_json && svg))
		return usage(stderr, 2);
	what = argv[optind];
	if (what && stat(what, &st) == 0 && S_ISDIR(st.st_mode))
		ret = report_load_images(what, &record, error, sizeof(error));
	else
		ret = report_load(what, &record, error, sizeof(error));
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: report%s%s: %s\n", what ? " " : "", what ?: "",
			error);
		return 1;
	}
	ret = show(record, what ?: "the last record", as_json, svg);
	json_decref(record);
	return ret;
}
