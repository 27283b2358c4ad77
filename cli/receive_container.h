/* SPDX-License-Identifier: GPL-2.0-only */
/* The destination's end of migrate, where what moves is a container. */
#ifndef RECEIVE_CONTAINER_H
#define RECEIVE_CONTAINER_H

#include "container.h"
#include "criu.h"
#include "place.h"

/* Before the freeze: make the container of @facts, and the place for its images. 0, also when the
 * facts are those of none: then ->runtime is NULL; or -errno, and why. */
int receive_container_create(const json_t *facts, uint64_t bytes, struct container *ret_container,
			     struct place *ret_place, char *why, size_t len);

/* All is there: start its restore. */
int receive_container_restore(struct container *container, const struct place *place,
			      bool first, struct criu *ret_criu, char *why, size_t len);

/* Again and again while it restores: hold CRIU's log, which a runtime may remove when that has
 * failed. */
void receive_container_watch(const struct container *container, struct criu *criu);
/* Nothing keeps packets from the container's devices any more, but a keeper's guard. */
void receive_container_unguard(const struct container *container);

#endif
