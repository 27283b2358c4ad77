/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keepalived says of itself: which of its VRRP instances has an address, and which file
 * that instance tracks. SIGUSR1 makes it write all it knows to /tmp/keepalived.data
 * (keepalived(8), SIGNALS; keepalived vrrp/vrrp_print.c, core/global_data.c).
 */
#ifndef TAKEOVER_VRRP_H
#define TAKEOVER_VRRP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"

#define TAKEOVER_VRRP_NAME_LEN	64
#define TAKEOVER_VRRP_PATH_LEN	128
#define TAKEOVER_VRRP_IPS_MAX	128
#define TAKEOVER_VRRP_GROUP_MAX 16

enum takeover_vrrp_state { TAKEOVER_VRRP_BACKUP, TAKEOVER_VRRP_MASTER, TAKEOVER_VRRP_FAULT };

/* One address's instance. */
struct takeover_vrrp {
	char instance[TAKEOVER_VRRP_NAME_LEN];
	char group[TAKEOVER_VRRP_NAME_LEN]; /* its sync group, or "" */
	enum takeover_vrrp_state state;
	bool preempts;
	unsigned int down_ms; /* so long without a master, and it is one */
	unsigned int priority;
	unsigned int skew_ms; /* so long after a master that steps down (RFC 5798 section 6.1) */
	char track_file[TAKEOVER_VRRP_PATH_LEN]; /* FAULT while it holds no zero */
	/* All that moves with the address: of its instance, and of its group. */
	struct takeover_address ips[TAKEOVER_VRRP_IPS_MAX];
	size_t n_ips;
	/* What it, and each other of its group, advertises; without those of authentication,
	 * unicast, or more than TAKEOVER_ADVERT_IPS_MAX addresses. */
	struct takeover_advert adverts[TAKEOVER_VRRP_GROUP_MAX];
	size_t n_adverts;
};

/* What keepalived has written, @n bytes at @text, about @address. With @instance or @track_file
 * (else "") it must be in that instance, and track that file. -ENOENT when no instance has it,
 * -EINVAL when the instance does not do: @error says why, and what to do; it is in *@ret_vrrp all
 * the same. */
int takeover_vrrp_parse(const char *text, size_t n, const struct takeover_address *address,
			const char *instance, const char *track_file,
			struct takeover_vrrp *ret_vrrp, char *error, size_t len);

/* Ask the running keepalived; free *@ret_text with free(). -ESRCH when there is none,
 * -ETIMEDOUT when it does not answer within a second; @error says it in a line. */
int takeover_vrrp_ask(char **ret_text, size_t *ret_n, char *error, size_t len);

/* Ask it, and read what it says. */
int takeover_vrrp_find(const struct takeover_address *address, const char *instance,
		       const char *track_file, struct takeover_vrrp *ret_vrrp, char *error,
		       size_t len);

/* Whether one runs: if not, what it has put here is no longer ours by VRRP. */
bool takeover_vrrp_runs(void);

/* Whether one runs in another network namespace than this process: it has no part in addresses
 * that are here. */
bool takeover_vrrp_is_elsewhere(void);

/* Which one runs: another number once it, or the child that does its VRRP, was started anew.
 * 0: none. */
uint64_t takeover_vrrp_which(void);

/* Whether @path is one that takeover_vrrp_fault() may write to: absolute, without "..". */
bool takeover_vrrp_is_track_file(const char *path);

/* Write to the track file: the instance goes to FAULT, and gives its addresses up; or it does
 * its part again. 0 or -errno. keepalived hears it by inotify (keepalived lib/track_file.c). */
int takeover_vrrp_fault(const char *track_file, bool fault);

/* Whether the track file says so now. */
bool takeover_vrrp_is_faulted(const char *track_file);

#endif
