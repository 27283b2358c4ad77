// SPDX-License-Identifier: GPL-2.0-only
/* The verb download: its options, and what is said of it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "download.h"

static const char usage[] =
	"usage: takeover-load download ADDRESS PORT PATH --size BYTES --sha256 HEX [OPTION ...]\n"
	"  --size BYTES            of the file\n"
	"  --sha256 HEX            of the file\n"
	"  --rate BYTES            read no more than that a second\n"
	"  --receive-buffer BYTES  SO_RCVBUF: how much of a pause the kernel can hide\n"
	"  --timeout S             give up after S seconds without a byte (default 60)\n"
	"  --ready FILE            make FILE after the first megabyte\n"
	"  --progress              a line on stderr, ten times a second\n"
	"  --json FILE             write what was found\n";

enum { SIZE = 1, SHA256, RATE, RECEIVE_BUFFER, TIMEOUT, READY, PROGRESS, JSON, HELP };

static const struct option long_options[] = {
	{ "size", required_argument, NULL, SIZE },
	{ "sha256", required_argument, NULL, SHA256 },
	{ "rate", required_argument, NULL, RATE },
	{ "receive-buffer", required_argument, NULL, RECEIVE_BUFFER },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "ready", required_argument, NULL, READY },
	{ "progress", no_argument, NULL, PROGRESS },
	{ "json", required_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ 0 },
};

static int parse_option(int option, struct download_options *options)
{
	switch (option) {
	case SIZE:
		return load_parse_number(optarg, 1, INT64_MAX, &options->size);
	case SHA256:
		options->sha256 = optarg;
		return strlen(optarg) == 64 ? 0 : -EINVAL;
	case RATE:
		return load_parse_number(optarg, 1000, INT64_C(1) << 40, &options->rate);
	case RECEIVE_BUFFER:
		return load_parse_number(optarg, 1, INT32_MAX, &options->receive_buffer);
	case TIMEOUT:
		return load_parse_seconds(optarg, &options->timeout);
	case READY:
		options->ready = optarg;
		return 0;
	case PROGRESS:
		options->progress = true;
		return 0;
	case JSON:
		options->json = optarg;
		return 0;
	}
	return -EINVAL;
}

/* 0, -EINVAL, or 1 if help was asked for. */
static int parse(int argc, char **argv, struct download_options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == HELP)
			return 1;
		if (parse_option(option, options))
			return -EINVAL;
	}
	if (argc - optind != 3 || !options->size || !options->sha256 || argv[optind + 2][0] != '/')
		return -EINVAL;
	options->address = argv[optind];
	options->port = argv[optind + 1];
	options->path = argv[optind + 2];
	return load_resolve(options->address, options->port, &options->target);
}

static void finish_sha(struct download *d)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, len = 0;

	EVP_DigestFinal_ex(d->sha, digest, &len);
	for (i = 0; i < len && i < 32; i++)
		snprintf(d->sha256 + 2 * i, 3, "%02x", digest[i]);
}

static bool passed(const struct download *d)
{
	return d->complete && strcasecmp(d->sha256, d->options->sha256) == 0;
}

static bool was_reset(const struct download *d)
{
	return d->err == ECONNRESET || d->err == EPIPE || d->err == ECONNREFUSED;
}

static const char *verdict(const struct download *d)
{
	if (d->err)
		return d->err == EBADMSG ? "not an HTTP 200 answer" : strerror(d->err);
	if (!d->complete)
		return d->bytes < d->options->size ? "closed too early" : "too many bytes";
	return passed(d) ? "sha256 right" : "sha256 wrong";
}

static int report(const struct download *d)
{
	json_t *json;
	int err;

	printf("%lld of %lld bytes, %d reset, %s, longest gap %.3f s, %.1f s\n",
	       (long long)d->bytes, (long long)d->options->size, was_reset(d), verdict(d),
	       load_seconds(d->longest), load_seconds(d->ended - d->begun));
	if (!d->options->json)
		return 0;
	json = json_pack("{sb sI sI ss sb sb si sb ss sf sf sf sf}", "passed", passed(d), "bytes",
			 (json_int_t)d->bytes, "size", (json_int_t)d->options->size, "sha256",
			 d->sha256, "sha256_equal", strcasecmp(d->sha256, d->options->sha256) == 0,
			 "complete", d->complete, "reset", (int)was_reset(d), "closed",
			 d->err == 0 && !d->complete, "verdict", verdict(d), "longest_gap_s",
			 load_seconds(d->longest), "longest_gap_end_monotonic",
			 load_seconds(d->longest_at), "longest_gap_end_realtime",
			 d->longest_realtime, "duration_s", load_seconds(d->ended - d->begun));
	err = load_write_json(d->options->json, json);
	json_decref(json);
	return err;
}

static int download(struct download *d)
{
	int err;

	d->sha = EVP_MD_CTX_new();
	if (!d->sha || EVP_DigestInit_ex(d->sha, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	err = load_signals(&d->signals);
	if (err)
		return err;
	d->err = -load_connect(&d->options->target, (int)d->options->receive_buffer, &d->fd);
	if (!d->err) {
		download_run(d);
		close(d->fd);
	}
	close(d->signals);
	finish_sha(d);
	return report(d);
}

int download_main(int argc, char **argv)
{
	struct download_options options = { .timeout = 60 * LOAD_SECOND };
	struct download *d;
	int err = parse(argc, argv, &options), code = 1;

	if (err) {
		fputs(usage, err > 0 ? stdout : stderr);
		return err > 0 ? 0 : 2;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return 1;
	d->options = &options;
	err = download(d);
	if (err)
		fprintf(stderr, "takeover-load: %s\n", strerror(-err));
	else
		code = passed(d) ? 0 : 1;
	EVP_MD_CTX_free(d->sha);
	free(d);
	return code;
}
