/* SPDX-License-Identifier: GPL-2.0-only */
/* On either host: the criu's of the trees that move beside the leader's, whose keeper decides for
 * all of them (takeover/members.h). Each has a directory of its own in that of the images. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <jansson.h>
#include <limits.h>

#include "criu.h"
#include "images.h"
#include "place.h"

#define MEMBERS_TREES_MAX IMAGES_DIRS_MAX

struct members {
	pid_t roots[MEMBERS_TREES_MAX];	   /* the leader's first */
	size_t n;			   /* without the leader */
	char list[MEMBERS_TREES_MAX * 12]; /* for the keeper, of all */
	bool started;
	struct member {
		struct criu criu;
		char images[PATH_MAX + 32];
	} all[MEMBERS_TREES_MAX - 1];
};

/* For the trees of @roots, the leader's first. */
void members_init(struct members *members, const pid_t *roots, size_t n);

/* For the other host, and what has come from there, untrusted, NULL: none. -EINVAL. */
json_t *members_give(const struct members *members);
int members_take(const json_t *json, struct members *ret_members);

/* Start them, once, as soon as the @leader's keeper listens; @options are those behind ours. 0 also
 * when it is too early. */
int members_start(struct members *members, const struct criu *leader, const struct place *place,
		  const char *const options[]);

/* Before another try. */
void members_forget(struct members *members);

/* Whether all have ended; those that were not started have. */
bool members_ended(struct members *members);

/* Whether one has ended too early, or badly. */
bool members_failed(struct members *members);

/* Wait so long for them to end; then kill them. False: that was so. */
bool members_wait(struct members *members, int timeout_ms);

/* Why one of them, or the @leader, has failed: of those that have ended one that did not only
 * hear from the keeper that another has. As of criu_why(). */
const char *members_why(struct members *members, struct criu *leader, char *buf, size_t len);

#endif
