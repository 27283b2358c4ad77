/* SPDX-License-Identifier: GPL-2.0-only */
/* The manifest: ip-takeover.json in the CRIU image directory, what the
 * destination must know. Untrusted input there. */
#ifndef TAKEOVER_MANIFEST_H
#define TAKEOVER_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "announce.h"
#include "config.h"
#include "siphash.h"

#define TAKEOVER_MANIFEST_NAME	  "ip-takeover.json"
#define TAKEOVER_MANIFEST_VERSION 1
#define TAKEOVER_ID_STRLEN	  37
#define TAKEOVER_NEIGHBOURS_MAX	  1024

struct takeover_manifest {
	char id[TAKEOVER_ID_STRLEN]; /* uuid */
	uint64_t epoch;		     /* CLOCK_REALTIME of the dump, ns */
	bool withdrawn;		     /* the source says that it has let go of them all */
	bool translated;	     /* the sockets are behind them: inner.h */
	struct takeover_address addresses[TAKEOVER_ADDRESSES_MAX];
	size_t n_addresses;
	/* On-link neighbours and gateways that the moved connections use. */
	unsigned char neighbours[TAKEOVER_NEIGHBOURS_MAX][TAKEOVER_MAC_LEN];
	size_t n_neighbours;
	/* Of a mover, for a destination in doubt: by what the keepers know one another, and the
	 * source's MAC on the device of each address. */
	bool has_secret;
	unsigned char secret[TAKEOVER_SECRET_LEN];
	unsigned char source[TAKEOVER_ADDRESSES_MAX][TAKEOVER_MAC_LEN];
};

/* Fill @id with a fresh random uuid (RFC 9562 version 4) and set the epoch. */
int takeover_manifest_init(struct takeover_manifest *manifest);

/* Whether @id is a uuid as takeover_manifest_init() writes it: safe in a file's name. */
bool takeover_manifest_is_id(const char *id);

/* Write it into the directory @dirfd, whole or not at all. */
int takeover_manifest_write(int dirfd, const struct takeover_manifest *manifest);

/* Read it; free with free(). -ENOENT when there is none, -EPROTO when of another
 * version, -EINVAL when a field is wrong: @error says which and why. */
int takeover_manifest_read(int dirfd, struct takeover_manifest **ret_manifest, char *error,
			   size_t len);

/* As text, and back from @n bytes of it. Free what they return with free(). */
int takeover_manifest_format(const struct takeover_manifest *manifest, char **ret_text);
int takeover_manifest_parse(const char *text, size_t n, struct takeover_manifest **ret_manifest,
			    char *error, size_t len);

#endif
