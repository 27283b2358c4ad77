/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keeper: one process per host and takeover that owns the addresses, the
 * guard, the hold and the announcements. keeper.c is its event loop; source.c and
 * destination.c are what it does in its role; journal.c what it leaves written.
 */
#ifndef TAKEOVER_KEEPER_H
#define TAKEOVER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "announce.h"
#include "config.h"
#include "guard.h"
#include "hold.h"
#include "manifest.h"
#include "request.h"

enum takeover_state {
	TAKEOVER_PREPARED,  /* guarded; on the destination the address is here, silent */
	TAKEOVER_WITHDRAWN, /* source: the address is off this host */
	TAKEOVER_COMMITTED, /* source: the tasks are dead; holds until the new owner speaks */
	TAKEOVER_CLAIMED,   /* destination: announced */
	TAKEOVER_RELEASED,  /* destination: packets flow */
	TAKEOVER_DONE,
	TAKEOVER_ROLLED_BACK,
	TAKEOVER_STATES,
};

enum takeover_role { TAKEOVER_SOURCE, TAKEOVER_DESTINATION };

#define TAKEOVER_EVENTS_MAX 64

struct takeover_event {
	uint64_t at_ns; /* CLOCK_REALTIME */
	char what[48];
};

/* One packet that waits in the kernel, and our copy of it. */
struct takeover_held {
	struct takeover_held *next;
	uint32_t id;
	size_t len;
	unsigned char packet[];
};

struct takeover_keeper {
	enum takeover_role role;
	enum takeover_state state;
	pid_t criu_pid, root_pid;
	int criu_fd;	/* pidfd of criu, -1 when gone */
	int images_fd;	/* CRIU's image directory, O_PATH */
	int listen_fd, monitor_fd;
	bool dying;	/* CRIU said that the tasks are going to die */
	struct takeover_config config;
	struct takeover_manifest *manifest;
	char guard_name[32];
	struct takeover_guard *guard;
	struct takeover_hold *hold;
	struct takeover_wire *wires[TAKEOVER_ADDRESSES_MAX]; /* one an address */
	bool owner_known[TAKEOVER_ADDRESSES_MAX];
	unsigned char owner[TAKEOVER_ADDRESSES_MAX][TAKEOVER_MAC_LEN];
	struct takeover_held *held, **held_tail;
	unsigned long n_held, n_relayed;
	long probed_at_ms, deadline_ms, quiet_at_ms;
	int round; /* next round of the announcement schedule */
	long claimed_at_ms;
	char message[256];
	struct takeover_event events[TAKEOVER_EVENTS_MAX];
	size_t n_events;
};

/* What a role does; each returns 0 or -errno with keeper->message set. */
int takeover_source_prepare(struct takeover_keeper *keeper);
int takeover_source_request(struct takeover_keeper *keeper, const struct takeover_request *request);
void takeover_source_criu_gone(struct takeover_keeper *keeper);
void takeover_source_frame(struct takeover_keeper *keeper, size_t i, const unsigned char *mac);
void takeover_source_tick(struct takeover_keeper *keeper);
void takeover_source_rollback(struct takeover_keeper *keeper);

int takeover_destination_prepare(struct takeover_keeper *keeper);
int takeover_destination_request(struct takeover_keeper *keeper,
				 const struct takeover_request *request);
void takeover_destination_criu_gone(struct takeover_keeper *keeper);
void takeover_destination_tick(struct takeover_keeper *keeper);
void takeover_destination_rollback(struct takeover_keeper *keeper);

/* keeper->message, printf-like; returns @ret. */
int takeover_keeper_say(struct takeover_keeper *keeper, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Let held packets go on through the stack and take the guard away, in the order
 * that loses none. */
void takeover_keeper_release(struct takeover_keeper *keeper);

/* Journal: an event with its time, and the whole state, to
 * /run/ip-takeover/<id>-<role>.json; before each step. */
void takeover_journal(struct takeover_keeper *keeper, const char *event);

/* After success: the journal goes; the record stays with the images. */
void takeover_journal_close(struct takeover_keeper *keeper);

/* "prepared" and so on. */
const char *takeover_state_name(enum takeover_state state);

/* The keeper's main: argv as takeover_keeper_start() gives it. */
int takeover_keeper_main(int argc, char **argv);

#endif
