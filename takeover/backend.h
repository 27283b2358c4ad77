/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Backends: how the addresses of a takeover leave a host and come to it. Each address has the
 * one that the configuration names for it; config.h.
 */
#ifndef TAKEOVER_BACKEND_H
#define TAKEOVER_BACKEND_H

#include <stddef.h>

#include "keeper.h"

/*
 * What a backend does with the address keeper->manifest->addresses[i]. Each function returns 0
 * when it is done and the kernel shows it, -EINPROGRESS to be called again a little later (for
 * how long, the backend itself bounds), or -errno with the reason in keeper->message. It may be
 * called anew by the worker that follows one that died: what it keeps lies in the keeper.
 */
struct takeover_backend {
	/* Before anything is changed: whether it can do its part. NULL: always. */
	int (*prepare)(struct takeover_keeper *keeper, size_t i);
	/* The address leaves this host. */
	int (*withdraw)(struct takeover_keeper *keeper, size_t i);
	/* It comes back: the rollback of withdraw(), be that done or not. */
	int (*put_back)(struct takeover_keeper *keeper, size_t i);
	/* It comes to this host, whose guard stands. */
	int (*claim)(struct takeover_keeper *keeper, size_t i);
	/* It leaves again: the rollback of claim(), be that done or not. */
	int (*let_go)(struct takeover_keeper *keeper, size_t i);
	/* The takeover is over: on the source after a commit, on a destination that has rolled
	 * back. NULL: nothing is left to do then. */
	int (*settle)(struct takeover_keeper *keeper, size_t i);
};

/* Addresses and announcements of our own: RTM_NEWADDR, RTM_DELADDR, gratuitous ARP. */
extern const struct takeover_backend takeover_backend_garp;

/* keepalived has them, by VRRP (RFC 5798, RFC 9568). */
extern const struct takeover_backend takeover_backend_keepalived;

/* A program of the user's, ip-takeover(8) PROGRAMS. */
extern const struct takeover_backend takeover_backend_exec;

/* Whether address @i has this backend; whether any has. */
bool takeover_backend_is(const struct takeover_keeper *keeper, size_t i,
			 enum takeover_backend_kind kind);
bool takeover_backend_any(const struct takeover_keeper *keeper, enum takeover_backend_kind kind);

/* All addresses of the takeover, each by its backend. These wait until it is done, and stop
 * at the first that fails. */
int takeover_backend_prepare(struct takeover_keeper *keeper);
int takeover_backend_withdraw(struct takeover_keeper *keeper);
int takeover_backend_claim(struct takeover_keeper *keeper);

/* These undo: one address that fails keeps no other from it. let_go() waits; the others
 * are to be called again after -EINPROGRESS. */
int takeover_backend_put_back(struct takeover_keeper *keeper);
int takeover_backend_let_go(struct takeover_keeper *keeper);
int takeover_backend_settle(struct takeover_keeper *keeper);

#endif
