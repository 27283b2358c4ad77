/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A takeover that is declared beforehand. A container runtime runs criu itself, by RPC, for copies
 * as well as for moves, and passes nothing on from whoever asked it: what a dump or a restore is
 * for, criu's plugin and script learn from a record in /run/ip-takeover.
 *
 * A dump's record has the name of the tree's root (takeover_armed_root()), a restore's the id of
 * the takeover in the manifest.
 */
#ifndef TAKEOVER_ARMED_H
#define TAKEOVER_ARMED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "request.h"

/* To a source's keeper: a runtime is about to start criu, which will say so (TAKEOVER_DUMP_BY). */
#define TAKEOVER_RUNTIME_ENV "IP_TAKEOVER_RUNTIME"

#define TAKEOVER_ARMED_NAME_LEN	     48
#define TAKEOVER_ARMED_PUBLISHED_LEN 1024

struct takeover_armed {
	pid_t mover; /* who decides for both hosts, or 0; takeover_arm() adds when it was started */
	long until_s;			  /* CLOCK_BOOTTIME */
	char socket[TAKEOVER_SOCKET_LEN]; /* of the keeper that has begun already, or "" */
	char published[TAKEOVER_ARMED_PUBLISHED_LEN]; /* as of inner.h, or "" */
};

/* The name for the dump of the tree with the root @root: PID and time of its start, by which a
 * recycled PID is another. Returns @buf. */
const char *takeover_armed_root(pid_t root, char *buf, size_t len);

/* Now, as in takeover_armed.until_s. */
long takeover_armed_now(void);

/* Write the record @name, whole or not at all; or remove it, and its images' name. */
int takeover_arm(const char *name, const struct takeover_armed *armed);
void takeover_disarm(const char *name);

/* -ENOENT: there is none, or its time is over. -ESRCH: its mover has ended; *@ret_armed is filled
 * in: what that has started is not to be taken for a copy, nor for what a person has asked for. */
int takeover_armed_find(const char *name, struct takeover_armed *ret_armed);

/* criu's image directory @images ("/proc/PID/fd/N") for whoever reads it meanwhile, under the name
 * that takeover_armed_images() gives: a symbolic link. */
int takeover_armed_give_images(const char *name, const char *images);
const char *takeover_armed_images(const char *name, char *buf, size_t len);

/* Whether @criu was started as "criu swrk FD", as by runc, crun and libcriu, or "criu service". */
bool takeover_in_rpc_mode(pid_t criu);

#endif
