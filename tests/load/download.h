/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One download. download.c reads the options and reports, download_run.c
 * reads the file.
 */
#ifndef TAKEOVER_LOAD_DOWNLOAD_H
#define TAKEOVER_LOAD_DOWNLOAD_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "load.h"

struct download_options {
	struct load_target target;
	const char *address, *port, *path;
	const char *sha256;
	int64_t size;
	int64_t rate; /* bytes a second; 0: as fast as they come */
	int64_t receive_buffer;
	int64_t timeout;
	bool progress;
	const char *json, *ready;
};

struct download {
	const struct download_options *options;
	int fd, signals;
	EVP_MD_CTX *sha;
	char head[8192];
	size_t head_len;
	bool in_body, ready, complete;
	int64_t bytes;
	int64_t begun, last, ended;  /* last: when bytes came last */
	int64_t longest, longest_at; /* the longest gap between reads, and its end */
	double longest_realtime;
	int err; /* 0, ECONNRESET, EBADMSG (no HTTP 200), ETIMEDOUT, ECANCELED (a signal), ... */
	char sha256[65];
};

/* Reads to the end of the stream; what went wrong is in err. */
void download_run(struct download *download);

#endif
