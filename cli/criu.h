/* SPDX-License-Identifier: GPL-2.0-only */
/* A criu that a mover runs, with our action script, and the keeper that it starts. */
#ifndef CRIU_H
#define CRIU_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "armed.h"
#include "keeper.h"
#include "request.h"

struct criu {
	pid_t pid;
	int pidfd, status; /* of waitpid(), when pidfd is -1 */
	char socket[TAKEOVER_SOCKET_LEN];
	const char *verb, *images;
	char log[PATH_MAX]; /* in the directory @images, or a path */
	bool of_runtime;    /* pid is a runtime's command, socket perhaps not known yet */
	bool mute;	    /* what it says goes nowhere, as what its children say */
	char armed[TAKEOVER_ARMED_NAME_LEN];
	/* Of criu_settle(): the keeper has rolled back of its own will; it was told to commit */
	bool refused, committed;
	int asked_fd; /* a request that is not answered yet, -1: none */
};

/* Start "criu @verb" on the images in the directory @images, with @more behind our options, and
 * the names and values @env, up to a NULL, in its environment. */
int criu_start(const char *verb, const char *images, const char *const more[],
	       const char *const env[], struct criu *ret_criu);

/* The same without what a mover adds: only images, log, no lock of criu's own, and @options. @env
 * may be NULL. */
int criu_run(const char *verb, const char *images, const char *const options[],
	     const char *const env[], struct criu *ret_criu);

/* The same for any command line, with ->verb and ->images of @criu set. Unless @gate is -1 it waits
 * for a byte from there. */
int criu_spawn(const char *const argv[], const char *const env[], int gate, struct criu *criu);

/* A runtime's command @argv that has the container with the first process @root dumped: its keeper
 * is prepared before it begins. @reply says why the keeper refuses. Undo with criu_disarm(). */
int criu_start_dump_by(const char *const argv[], const char *images, pid_t root,
		       struct criu *ret_criu, struct takeover_reply *reply);

/* A runtime's command @argv that restores what the directory @images has: whose keeper serves us.
 * @mute: it leaves its outputs to the container. */
int criu_start_restore_by(const char *const argv[], const char *images, bool mute,
			  struct criu *ret_criu);

/* Nothing is declared any more. */
void criu_disarm(struct criu *criu);

/* Of a restore: look for its keeper, which comes with the runtime's criu. Whether it is known. */
bool criu_find_keeper(struct criu *criu);

/* Whether the guard of that keeper stands. */
bool criu_is_prepared(const struct criu *criu);

/* criu's image directory, O_DIRECTORY, as soon as there is one: or -errno. */
int criu_open_images(const struct criu *criu);

/* What the runtime's command has said last, without what surrounds it in its log; "": nothing. */
const char *criu_runtime_why(const struct criu *criu, char *buf, size_t len);

/* A runtime's restore has ended badly, killed perhaps: its criu ends, too, wherever it is, and its
 * keeper acts on that. */
void criu_end_orphan(struct criu *criu);

/* Our action script: its path, of PATH_MAX at most. */
int criu_action(char *ret_path);

/* Whether it has ended; then criu->status says how. */
bool criu_ended(struct criu *criu);

/* Wait so long for it to end. */
bool criu_wait(struct criu *criu, int timeout_ms);

/* Ask its keeper @verb, which is answered when it is decided; again when the worker has died.
 * 0 and the reply; -EAGAIN: not yet: criu->asked_fd, when it is one, will be readable;
 * -ENOENT: there is no keeper (yet). */
int criu_ask(struct criu *criu, enum takeover_request_verb verb, struct takeover_reply *ret_reply);

/* Ask and wait for the answer; a reply that is negative is put into @reply, too. */
int criu_tell(struct criu *criu, enum takeover_request_verb verb, struct takeover_reply *ret_reply);

/* Have its keeper undo what was done, and wait for its end, but not for long. */
void criu_abort(struct criu *criu, int timeout_ms);

/* It has ended: where that leaves its takeover, after its keeper's own end, if that has not
 * become the owner; the rest of a keeper that was killed is undone, or done. When
 * nothing is known of one: DONE, or STARTING if criu has failed, whose keeper has refused then. */
enum takeover_state criu_settle(struct criu *criu);

/* The takeover that its keeper drives; "" when there is none (yet). Returns @ret_id. */
const char *criu_takeover(const struct criu *criu, char ret_id[TAKEOVER_ID_STRLEN]);

/* The source's keeper has committed: whether it has heard the new owner, or does within so long. */
bool criu_owner_is_heard(const struct criu *criu, int timeout_ms);

/* Whether its keeper takes requests already. */
bool criu_keeper_listens(const struct criu *criu);

/* Whether the keeper was killed, and its worker. */
bool criu_keeper_is_dead(const struct criu *criu);

/* Why it failed: what we have said to its log, else its first error; "" when there is none. */
const char *criu_why(const struct criu *criu, char *buf, size_t len);

#endif
