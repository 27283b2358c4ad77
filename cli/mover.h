/* SPDX-License-Identifier: GPL-2.0-only */
/* The source's end of migrate: what migrate.c and mover_*.c share. Functions that return an int
 * return 0 or -errno; then migrate->why says why, in one line. */
#ifndef MOVER_H
#define MOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "container.h"
#include "criu.h"
#include "images_send.h"
#include "members.h"
#include "migrate.h"
#include "migrate_clock.h"
#include "migrate_options.h"
#include "place.h"
#include "report_migrate.h"
#include "rsh.h"

#define MOVER_ANSWER_S 30 /* for an answer, at most */

struct migrate {
	struct migrate_options o;
	const char *host, *rsh, *program;
	const char *const *criu_options;
	pid_t root;			 /* of the first tree, the leader */
	int root_fds[MEMBERS_TREES_MAX]; /* pidfds of all roots: a PID may be used again */
	char name[64];			 /* of the process; of several all */
	char title[512];		 /* the same with their PIDs */
	char here[64], there[64];
	json_t *facts;
	unsigned int connections;
	uint64_t memory;
	int timeout_s;	 /* for an answer */
	bool only_asked; /* --check, --dry-run */
	long freeze_until_ms;
	bool committed;
	bool runs_there; /* the destination has said so, or was heard on the segment */
	bool said_runs;	 /* it has said so */
	int64_t frozen_ns;
	int keep_fd;
	struct rsh remote;
	struct channel *channel;
	struct place place;
	struct images_sender *images;
	struct criu criu; /* the leader's */
	struct members members;
	struct container container; /* with --docker and so on; ->runtime NULL: none */
	int images_fd, more_fd;	    /* its images, where criu writes them; files beside them */
	struct clock_offset clock;
	json_t *theirs; /* the destination's part of the record */
	char why[700];
};

int mover_smaller(long a, long b);

/* Unless a reason is known already it is @why, or that time is up, or somebody has interrupted.
 * Returns @ret. */
int mover_say(struct migrate *m, int ret, const char *why);

/* The next word from the destination, which must be @word. */
int mover_expect(struct migrate *m, const char *word, struct channel_message *message);

/* Hello, and what the clocks are apart. */
int mover_greet(struct migrate *m);

/* What is in the way, on either host; with --sync after the copying. -ECANCELED without a
 * reason: nothing, and no more was asked for. */
int mover_preflight(struct migrate *m);

/* After the commit, in place of an answer: wait for the destination to say that it runs, over a
 * new connection, or to announce itself, and tell it of the commit of the takeover @id ("": not
 * known). Whether it runs; else migrate->why says more. */
bool mover_again(struct migrate *m, const char *id);

/* Every task of the trees, one tree after the other; free() *@ret_pids. */
int mover_tasks(const struct migrate *m, pid_t **ret_pids, size_t *ret_n);

/* mover_container.c, of --docker and so on. Find the container, whose first process then is the
 * root; its name for people. */
int mover_container_find(struct migrate *m, char *error, size_t len);
void mover_container_name(struct migrate *m);

/* In place of criu dump: start it; send what there is of images; what else the container needs. */
int mover_container_start(struct migrate *m);
int mover_container_follow(struct migrate *m);
int mover_container_save(struct migrate *m);

/* The runtime has dumped it without us, as any container: it has ended, and what there is of it are
 * its images. */
int mover_container_lost(struct migrate *m);
/* What it has beside memory. */
uint64_t mover_container_bytes(const struct migrate *m);

/* Whether the other host, which has found @there, waits for the image; send it. */
bool mover_container_lacks_image(const struct migrate *m, const struct checks *there);
int mover_container_send_image(struct migrate *m);

/* At the end, however it ended. */
void mover_container_end(struct migrate *m);

/* Fill in migrate->name and ->title. */
void mover_name(struct migrate *m);

/* How many of the roots have ended; one of those to *@ret_pid. */
size_t mover_ended(const struct migrate *m, pid_t *ret_pid);

/* The last line. @runs: the destination's last word, or NULL. */
void mover_say_result(struct migrate *m, const json_t *runs);

/* The last line of a failure; @what has become of the service. Returns the exit status. */
int mover_say_failure(struct migrate *m, const char *what);

/* For ip-takeover report. */
void mover_save_report(const struct migrate *m, const char *result);

#endif
