/* SPDX-License-Identifier: GPL-2.0-only */
/* /etc/criu/ip-takeover.conf: which service addresses this host may hold. */
#ifndef TAKEOVER_CONFIG_H
#define TAKEOVER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "vrrp.h"

#define TAKEOVER_CONFIG_PATH   "/etc/criu/ip-takeover.conf"
#define TAKEOVER_CONFIG_ENV    "IP_TAKEOVER_CONFIG"
#define TAKEOVER_ADDRESSES_MAX 64
#define TAKEOVER_PROGRAM_PATH  256

/* What a destination does that never hears whether the source has committed. */
enum takeover_in_doubt { TAKEOVER_DOUBT_WAIT, TAKEOVER_DOUBT_GO, TAKEOVER_DOUBT_ABORT };

/* How claim and withdraw are done; backend.h. */
enum takeover_backend_kind {
	TAKEOVER_BACKEND_GARP,
	TAKEOVER_BACKEND_KEEPALIVED,
	TAKEOVER_BACKEND_EXEC
};

/* What an address's backend is to know. */
struct takeover_backend_settings {
	enum takeover_backend_kind kind;
	/* keepalived: which instance has it, which file takes it from there; "": as keepalived
	 * itself says. */
	char instance[TAKEOVER_VRRP_NAME_LEN];
	char track_file[TAKEOVER_VRRP_PATH_LEN];
	/* exec: who moves it, and how long each of its verbs may take. */
	char program[TAKEOVER_PROGRAM_PATH];
	unsigned int seconds;
};

struct takeover_config {
	struct takeover_address addresses[TAKEOVER_ADDRESSES_MAX];
	struct takeover_backend_settings backends[TAKEOVER_ADDRESSES_MAX]; /* one an address */
	size_t n_addresses;
	uint32_t hold_packets;	     /* the guard's queue holds at most so many */
	uint32_t hold_seconds;	     /* after a commit the source holds at most so long */
	uint32_t probe_ms;	     /* patience of the conflict probe */
	uint32_t keepalived_seconds; /* it may take so long to give an address; 0: by its own timers
				      */
	uint32_t quiesce_ms;	     /* before the freeze sockets drain at most so long */
	/* Sockets of processes that are not dumped do not stand in the way. */
	bool ignore_others;
	enum takeover_in_doubt in_doubt;
	uint32_t in_doubt_seconds;   /* after so long */
	uint32_t checkpoint_max_age; /* seconds; what is older is not revived by itself */
};

/* Read the file named by IP_TAKEOVER_CONFIG, else TAKEOVER_CONFIG_PATH. -ENOENT
 * when there is none; -EPERM when others than root may write it; -EINVAL when a
 * setting is wrong. @error (of @len bytes) then says which file and line, what
 * is wrong and what to write instead. */
int takeover_config_read(struct takeover_config *ret_config, char *error, size_t len);

/* The same from the @n bytes at @text; @name stands for the file in @error. An @include
 * is refused: nobody would check who may write the included file. */
int takeover_config_parse(const char *text, size_t n, const char *name,
			  struct takeover_config *ret_config, char *error, size_t len);

/* The configured address equal to @address, or NULL. */
const struct takeover_address *takeover_config_find(const struct takeover_config *config,
						    const struct takeover_address *address);

/* What the configuration says of the backend of @address; of one that it does not name,
 * garp's. */
const struct takeover_backend_settings *
takeover_config_backend(const struct takeover_config *config,
			const struct takeover_address *address);

/* Whether @address is on this host: where its backend is to put it, which for keepalived is the
 * device or a macvlan on it. As takeover_address_present(). */
int takeover_config_present(const struct takeover_config *config,
			    const struct takeover_address *address, bool *ret_present);

#endif
