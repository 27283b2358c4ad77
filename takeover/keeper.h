/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keeper: one per host and takeover, owns the addresses, the guard, the hold and
 * the announcements. keeper.c opens what it needs and watches over the worker;
 * worker.c is the event loop, keeper_requests.c who asks it, keeper_guard.c its guard;
 * source*.c, destination*.c and standby.c are what it does in its role; journal.c is
 * what it leaves written.
 */
#ifndef TAKEOVER_KEEPER_H
#define TAKEOVER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "announce.h"
#include "armed.h"
#include "backend_exec.h"
#include "config.h"
#include "guard.h"
#include "hold.h"
#include "kept.h"
#include "manifest.h"
#include "members.h"
#include "netns.h"
#include "quiesce.h"
#include "request.h"
#include "routes.h"

enum takeover_state {
	TAKEOVER_STARTING,
	TAKEOVER_PREPARED,  /* guarded; on the destination the address is here, silent */
	TAKEOVER_WITHDRAWN, /* source: the address is off this host */
	TAKEOVER_COMMITTED, /* source: the tasks are dead; holds until the new owner speaks */
	TAKEOVER_READY,	    /* destination, by a mover: restored, frozen, silent */
	TAKEOVER_CLAIMED,   /* destination: announced */
	TAKEOVER_RELEASED,  /* destination: packets flow */
	TAKEOVER_DONE,
	TAKEOVER_ROLLED_BACK,
	TAKEOVER_ABANDONED, /* source: the process is gone, and nobody has it */
	TAKEOVER_STATES,
};

enum takeover_role { TAKEOVER_SOURCE, TAKEOVER_DESTINATION, TAKEOVER_STANDBY };

/* The destination has rolled back because criu ended, and for no other reason. */
#define TAKEOVER_EVENT_CRIU_GONE "criu gone"

#define TAKEOVER_EVENTS_MAX 64
#define TAKEOVER_TASKS_MAX  4096

struct takeover_event {
	uint64_t at_ns; /* CLOCK_REALTIME */
	char what[48];
};

/* One packet that waits in the kernel, and our copy of it. */
struct takeover_held {
	struct takeover_held *next;
	uint32_t id;
	bool late; /* not to be relayed: source.h */
	size_t len;
	unsigned char packet[];
};

/* Of the backend keepalived, for one address. */
struct takeover_vrrp_turn {
	char instance[TAKEOVER_VRRP_NAME_LEN];
	char track_file[TAKEOVER_VRRP_PATH_LEN];
	long patience_ms;
	long quiet_ms; /* a master would have spoken */
	int turn;      /* what it waits for, since when */
	long since_ms, said_ms;
	uint64_t known;		       /* this keepalived has the address here; master.h */
	uint64_t newer;		       /* another one runs since, */
	long newer_since_ms, asked_ms; /* was asked whether it has */
	long called_ms;		       /* others were told that it is to come here */
	bool complained;
	bool answered; /* somebody for the address, since we asked */
	unsigned char by[TAKEOVER_MAC_LEN];
};

/*
 * All of it lies in memory shared between the keeper and its worker, and all
 * descriptors are open in both: a worker that dies is followed by one that goes on
 * where it stopped. Pointers marked (worker) are made anew then.
 */
struct takeover_keeper {
	enum takeover_role role;
	bool checkpoint; /* of the source: a copy is taken, nothing moves */
	bool frozen;	 /* and criu has the tree */
	enum takeover_state state;
	pid_t criu_pid, root_pid;
	struct takeover_netns netns; /* in which all is done */
	char socket[TAKEOVER_SOCKET_LEN];
	int criu_fd;			     /* pidfd of criu, -1 when gone */
	unsigned long long criu_started;     /* takeover_request_started() */
	char armed[TAKEOVER_ARMED_NAME_LEN]; /* the record by which it was found, "": none */
	bool adopted;	  /* criu_pid is not whom the socket is named after: armed.h */
	bool criu_lost;	  /* it has ended when no worker looked */
	pid_t mover_pid;  /* who decides for both hosts, or 0 */
	int mover_fd;	  /* its pidfd, -1 when gone */
	bool decided;	  /* destination: committed by the mover */
	bool criu_killed; /* and is gone */
	int root_fd;	  /* pidfd of the restored tree's root, -1 (worker) */
	int images_fd;	  /* CRIU's image directory, O_PATH */
	int listen_fd, report_fd;
	bool reported; /* how the first step went, to report_fd */
	struct takeover_reply report;
	struct takeover_half half; /* on the destination: of the leader */
	struct takeover_member members[TAKEOVER_MEMBERS_MAX];
	size_t n_members;
	bool news;		 /* somebody has come so far that others may go on */
	bool left_repair;	 /* on the destination: the leader's sockets */
	bool released, enlarged; /* on the destination: the packets, the segments */
	struct takeover_config config;
	struct takeover_manifest *manifest;
	struct takeover_hold *hold;			     /* what comes for the addresses */
	struct takeover_hold *hold_out;			     /* what leaves from them */
	struct takeover_wire *wires[TAKEOVER_ADDRESSES_MAX]; /* one an address */
	char guard_name[TAKEOVER_GUARD_NAME_LEN];
	enum takeover_guard_mode guard_mode;
	struct takeover_guard *guard;	       /* (worker) */
	bool was_here[TAKEOVER_ADDRESSES_MAX]; /* on the destination, before us */
	bool withdrew[TAKEOVER_ADDRESSES_MAX]; /* on the source, we ourselves */
	bool returning;			       /* on the source: rolled back when they are here */
	bool undone[TAKEOVER_ADDRESSES_MAX];   /* on the source: back */
	bool settled[TAKEOVER_ADDRESSES_MAX];  /* at the end; backend.h */
	bool at_rest;			       /* all of them */
	struct takeover_exec execs[TAKEOVER_ADDRESSES_MAX];
	bool owner_known[TAKEOVER_ADDRESSES_MAX];
	bool runs_there; /* on the source: with keepalived, by its own word */
	bool unheard;	 /* on the source: for as long as it holds */
	bool given_up;	 /* on a destination that has rolled back: it had been the master */
	bool given_away; /* and another host asks for it */
	bool relay_said; /* that what waited first was relayed */
	unsigned char owner[TAKEOVER_ADDRESSES_MAX][TAKEOVER_MAC_LEN];
	struct takeover_held *held, **held_tail; /* (worker) */
	unsigned long n_held, n_relayed;
	bool root_known;		 /* from the beginning */
	pid_t tasks[TAKEOVER_TASKS_MAX]; /* on the source: the tree; service.h */
	size_t n_tasks;
	struct takeover_vrrp_turn vrrp[TAKEOVER_ADDRESSES_MAX];
	struct takeover_kept *kept[TAKEOVER_ADDRESSES_MAX]; /* on the source: as they were */
	struct takeover_routes *routes; /* on the source: of its addresses, or NULL */
	bool routes_detached;
	struct takeover_unrest unrest;	   /* what the quiesce has not waited for */
	long quiesced_ms;		   /* how long it took */
	bool hold_later;		   /* but for SYNs: when a runtime's criu is there */
	bool silent;			   /* nothing of the tree leaves the source any more */
	bool halted;			   /* nor runs, should criu be killed; halt.h */
	struct takeover_sockets leftovers; /* (worker) of no process; they end on the source */
	unsigned int n_connections;	   /* of TCP and the tree, before the dump */
	uint16_t port;			   /* one that the service answers at */
	long back_since_ms;		   /* the source has sockets again */
	long ready_at_ms; /* on the destination: since when only the source's word is missing */
	bool in_doubt;	  /* and it does not come */
	long probed_at_ms, deadline_ms, quiet_at_ms;
	long moved_at_ms;  /* on the source: since when it runs there, by the mover's word; or 0 */
	int lock_fd;	   /* shared while the guard holds packets; keeper_guard.c */
	long opened_at_ms; /* the guard's rules are gone, its chains not yet; or 0 */
	bool unopened;	   /* they should be */
	long stuck_at_ms;  /* since when the guard cannot be removed; or 0 */
	bool guard_stays;  /* nor later: its journal stays, too */
	int round;	   /* next round of the announcement schedule */
	long claimed_at_ms;
	char message[400];
	struct takeover_event events[TAKEOVER_EVENTS_MAX];
	size_t n_events;
};

/* Connections to the keeper that have not said anything yet, or wait for a decision. */
#define TAKEOVER_ASKERS_MAX 40

struct takeover_askers {
	struct takeover_asker {
		int fd;
		bool asked;
		struct takeover_request request;
	} all[TAKEOVER_ASKERS_MAX];
	size_t n;
};

/* What a role does; each returns 0 or -errno with keeper->message set. open() before
 * the worker exists: it changes nothing on the host, and a positive return says that
 * there is nothing to do. begin() in the worker, maybe again after one that died. */
int takeover_source_open(struct takeover_keeper *keeper);
int takeover_source_begin(struct takeover_keeper *keeper);
int takeover_source_request(struct takeover_keeper *keeper, const struct takeover_request *request);
void takeover_source_criu_gone(struct takeover_keeper *keeper);
void takeover_source_mover_gone(struct takeover_keeper *keeper);
void takeover_source_member_gone(struct takeover_keeper *keeper, struct takeover_member *member,
				 bool killed);
void takeover_source_held(struct takeover_keeper *keeper, struct takeover_held *packet);
void takeover_source_leaving(struct takeover_keeper *keeper, uint32_t id, const void *packet,
			     size_t len);
void takeover_source_frame(struct takeover_keeper *keeper, size_t i, const unsigned char *mac);
/* The new owner of address @i has spoken. */
void takeover_source_owner(struct takeover_keeper *keeper, size_t i, const unsigned char *mac);
void takeover_source_tick(struct takeover_keeper *keeper);
void takeover_source_rollback(struct takeover_keeper *keeper);

int takeover_destination_open(struct takeover_keeper *keeper);
int takeover_destination_begin(struct takeover_keeper *keeper);
int takeover_destination_request(struct takeover_keeper *keeper,
				 const struct takeover_request *request);
void takeover_destination_criu_gone(struct takeover_keeper *keeper);
void takeover_destination_mover_gone(struct takeover_keeper *keeper);
void takeover_destination_member_gone(struct takeover_keeper *keeper,
				      struct takeover_member *member);
void takeover_destination_tick(struct takeover_keeper *keeper);
void takeover_destination_rollback(struct takeover_keeper *keeper);

/* @names: addresses, with commas between. */
int takeover_standby_open(struct takeover_keeper *keeper, const char *names);
int takeover_standby_begin(struct takeover_keeper *keeper);
int takeover_standby_request(struct takeover_keeper *keeper,
			     const struct takeover_request *request);
void takeover_standby_mover_gone(struct takeover_keeper *keeper);
void takeover_standby_tick(struct takeover_keeper *keeper);
void takeover_standby_rollback(struct takeover_keeper *keeper);

/* keeper->message, printf-like; returns @ret. */
int takeover_keeper_say(struct takeover_keeper *keeper, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, behind what it says already. */
void takeover_keeper_add(struct takeover_keeper *keeper, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* On the source: from now on criu is @criu_pid, with the images that armed.h names. */
int takeover_keeper_adopt(struct takeover_keeper *keeper, pid_t criu_pid);

/* In a new worker: its descriptors are this worker's own. */
void takeover_keeper_adopt_again(struct takeover_keeper *keeper);

/* At the end: the record that a mover has left that was killed, when no criu can look for it any
 * more. */
void takeover_keeper_disarm(struct takeover_keeper *keeper);

/* Bind the queues for what comes and what leaves; @copy: their packets will be read. */
int takeover_keeper_hold(struct takeover_keeper *keeper, bool copy);

/* Take in what has come to the queues. */
void takeover_keeper_read(struct takeover_keeper *keeper);

/* Set the role's guard, over one that a dead worker has left. */
int takeover_keeper_guard(struct takeover_keeper *keeper);

/* Go on with the guard that a dead worker has left. */
int takeover_keeper_guard_adopt(struct takeover_keeper *keeper);

/* On the destination: let out what the sockets have sent so far, and all that follows. */
void takeover_keeper_release_out(struct takeover_keeper *keeper);

/* Let held packets go on through the stack, and all that follow; the event loop
 * takes the guard away a little later. */
void takeover_keeper_release(struct takeover_keeper *keeper);

/* After a release: let on what was on its way to the queue, then remove the guard. And again,
 * where that failed. */
void takeover_keeper_release_rest(struct takeover_keeper *keeper);

/* Remove the guard: what it holds is dropped. False: try again, for a second; then it stays,
 * which keeper->message says. */
bool takeover_keeper_unguard(struct takeover_keeper *keeper);

/* The same when nothing waits here any more, and no other keeper's guard holds packets:
 * those would be dropped, too. */
bool takeover_keeper_unguard_gently(struct takeover_keeper *keeper);

/* The same at an end without owner; but where this host would forward what still comes for
 * the addresses, the guard stays and drops it, until somebody makes way. */
void takeover_keeper_shut(struct takeover_keeper *keeper);

/* The guard stays, and drops, also when we have ended. */
void takeover_keeper_leave_shut(struct takeover_keeper *keeper);

/* Accept whoever wants to ask, and answer those who have; a role's -EINPROGRESS says that it
 * is not decided yet. */
void takeover_keeper_serve(struct takeover_keeper *keeper, struct takeover_askers *askers);

/* Before anybody hears of the decision: see takeover_request_mark(). */
int takeover_keeper_mark(const struct takeover_keeper *keeper);

/* Whether the worker has nothing left to do. */
bool takeover_keeper_ended(const struct takeover_keeper *keeper);

/* The event loop: from the role's beginning, or where a dead worker stopped, to the
 * end of the takeover. */
void takeover_worker(struct takeover_keeper *keeper);

/* An event with its time; and the whole state to /run/ip-takeover/<id>-<role>.json. */
void takeover_event(struct takeover_keeper *keeper, const char *what);
void takeover_journal(struct takeover_keeper *keeper, const char *event);

/* At the end: a record stays with the images; the journal only after a failure. */
void takeover_journal_close(struct takeover_keeper *keeper);

/* A journal, by its file or its text, which @name stands for in @error. Of what is used of
 * it every field is checked: -EINVAL. Free with json_decref(). */
struct json_t;
int takeover_journal_read(const char *path, struct json_t **ret_journal, char *error, size_t len);
int takeover_journal_parse(const char *bytes, size_t n, const char *name,
			   struct json_t **ret_journal, char *error, size_t len);

/* Of one that was read: the network namespace that its takeover is in. */
struct takeover_netns takeover_journal_netns(const struct json_t *journal, const char *name);

/* Other takeovers of these addresses in this network namespace: -EBUSY when one is under way. With
 * @make_way forget one that has ended, and end one that is over but for its patience. */
int takeover_others(struct takeover_keeper *keeper, bool make_way);

/* "source" and so on. */
const char *takeover_role_name(enum takeover_role role);

/* "prepared" and so on. */
const char *takeover_state_name(enum takeover_state state);

/* The keeper's main: argv as takeover_keeper_start() gives it. */
int takeover_keeper_main(int argc, char **argv);

#endif
