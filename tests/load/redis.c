// SPDX-License-Identifier: GPL-2.0-only
/* The verb redis: its options, and what becomes of them. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "redis.h"

static const char usage[] =
	"usage: takeover-load redis ADDRESS PORT --connections N [OPTION ...]\n"
	"Each connection sets a value, gets it back and compares; on and on.\n"
	"  --connections N        TCP connections, opened once and never again\n"
	"  --pipeline             set and get in one message\n"
	"  --interval-ms MIN-MAX  a random pause between the requests of a connection\n"
	"  --duration S           stop after S seconds (default: at SIGTERM or SIGINT)\n"
	"  --until-eof            stop at the end of standard input, a pipe\n"
	"  --drain S              wait so long for the last answers (default 10)\n"
	"  --ready FILE           make FILE when each connection had an answer\n"
	"  --progress             a line on stderr, ten times a second\n"
	"  --json FILE            write what was found\n";

enum {
	CONNECTIONS = 1,
	PIPELINE,
	INTERVAL,
	DURATION,
	UNTIL_EOF,
	DRAIN,
	READY,
	PROGRESS,
	JSON,
	HELP
};

static const struct option long_options[] = {
	{ "connections", required_argument, NULL, CONNECTIONS },
	{ "pipeline", no_argument, NULL, PIPELINE },
	{ "interval-ms", required_argument, NULL, INTERVAL },
	{ "duration", required_argument, NULL, DURATION },
	{ "until-eof", no_argument, NULL, UNTIL_EOF },
	{ "drain", required_argument, NULL, DRAIN },
	{ "ready", required_argument, NULL, READY },
	{ "progress", no_argument, NULL, PROGRESS },
	{ "json", required_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

static int parse_interval(const char *text, struct redis_options *options)
{
	unsigned int min, max;
	char rest;

	if (strspn(text, "0123456789-") != strlen(text) ||
	    sscanf(text, "%7u-%7u%c", &min, &max, &rest) != 2 || min > max)
		return -EINVAL;
	options->interval_min = min * LOAD_MS;
	options->interval_max = max * LOAD_MS;
	return 0;
}

static int parse_option(int option, struct redis_options *options)
{
	int64_t number;

	switch (option) {
	case CONNECTIONS:
		if (load_parse_number(optarg, 1, 1000000, &number))
			return -EINVAL;
		options->connections = (unsigned int)number;
		return 0;
	case INTERVAL:
		return parse_interval(optarg, options);
	case DURATION:
		return load_parse_seconds(optarg, &options->duration);
	case DRAIN:
		return load_parse_seconds(optarg, &options->drain);
	case PIPELINE:
		options->pipeline = true;
		return 0;
	case PROGRESS:
		options->progress = true;
		return 0;
	case UNTIL_EOF:
		options->until_eof = true;
		return 0;
	case READY:
		options->ready = optarg;
		return 0;
	case JSON:
		options->json = optarg;
		return 0;
	}
	return -EINVAL;
}

/* 0, -EINVAL, or 1 if help was asked for. */
static int parse(int argc, char **argv, struct redis_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == HELP)
			return 1;
		if (parse_option(option, options))
			return -EINVAL;
	}
	if (argc - optind != 2 || !options->connections)
		return -EINVAL;
	return load_resolve(argv[optind], argv[optind + 1], &options->target);
}

static int load_redis(struct redis_load *load)
{
	const struct redis_options *options = load->options;
	json_t *json;
	int err;

	load->connections = calloc(options->connections, sizeof(*load->connections));
	load->due = calloc(options->connections, sizeof(*load->due));
	if (!load->connections || !load->due)
		return -ENOMEM;
	if (getrandom(&load->run, sizeof(load->run), 0) != sizeof(load->run))
		return -EIO;
	srand48((long)load->run);
	err = load_raise_files(options->connections);
	if (err)
		return err;
	err = load_signals(&load->signals);
	if (err)
		return err;
	err = redis_run(load);
	close(load->signals);
	if (err)
		return err;
	redis_summary(load);
	if (!options->json)
		return 0;
	json = redis_json(load);
	err = load_write_json(options->json, json);
	json_decref(json);
	return err;
}

int redis_main(int argc, char **argv)
{
	struct redis_options options = { .drain = 10 * LOAD_SECOND };
	struct redis_load *load;
	int err = parse(argc, argv, &options), code = 1;

	if (err) {
		fputs(usage, err > 0 ? stdout : stderr);
		return err > 0 ? 0 : 2;
	}
	load = calloc(1, sizeof(*load));
	if (!load)
		return 1;
	load->options = &options;
	err = load_redis(load);
	if (err)
		fprintf(stderr, "takeover-load: %s\n", strerror(-err));
	else
		code = redis_passed(load) ? 0 : 1;
	free(load->due);
	free(load->connections);
	free(load);
	return code;
}
