/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of podman share. A container's spec (container.h) has, beside the fields that
 * are the same for all runtimes:
 *
 *   id, layer_id by which podman's files on the source name the container and its writable layer
 *   version    podman's
 *   driver     of its storage
 *   image      its name, or its ID where it has none; image_id
 *   command    the words that made the container, "podman run ..." or "podman create ..."
 *   config     its config.json, as the OCI runtime has it
 *   networks   { NAME: { driver, device, addresses: [...], mac } }, as podman_network.c makes it
 */
#ifndef PODMAN_H
#define PODMAN_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "runtime.h"

/* What podman prints in JSON, asked with these words, up to a NULL. 0 and *@ret_json; -errno and
 * its last line in @error. */
int podman_ask(json_t **ret_json, char *error, size_t len, ...) __attribute__((sentinel));

/* A text in objects in objects: @path is "State.Status". "" when there is none. */
const char *podman_field(const json_t *json, const char *path);
const json_t *podman_get(const json_t *json, const char *path);

/* One that podman makes up: 64 hexadecimal digits. */
bool podman_is_id(const char *text);

/* Of a container, for its spec. */
json_t *podman_mounts(const json_t *inspect);

/* Whether there is an image @name, and its ID is @id. */
bool podman_has_image(const char *name, const char *id);

/* The command that makes the container of @spec anew, not running: what `podman run` alone knows
 * is left out. 0; -EINVAL and why: these words are none that make a container. */
int podman_create_command(const json_t *spec, struct command *ret_command, char *error, size_t len);

/* podman_network.c. On the source: the networks of the running container @inspect, untranslated;
 * NULL and why: of a kind that cannot move. */
json_t *podman_networks(const json_t *inspect, pid_t pid, char *error, size_t len);
/* On the destination. */
void podman_judge_networks(const json_t *spec, struct checks *checks);
int podman_device(const json_t *spec, const struct takeover_address *address,
		  char ret_device[IF_NAMESIZE]);
size_t podman_outer(const struct container *c, struct takeover_outer *ret_all);
/* On the destination, the container's networks with their "parent", a device of this host. */
int podman_find_parents(json_t *spec, char *error, size_t len);
/* What podman, restoring, reads for their addresses and MACs: the file network.status. */
json_t *podman_network_status(const json_t *spec);

/* podman_there.c, podman_files.c */
void podman_judge(const json_t *spec, struct checks *checks);
int podman_create(const json_t *spec, struct container *ret_container, char *error, size_t len);
void podman_restore(const struct container *c, const char *dir, struct command *command);
void podman_again(struct container *c);
void podman_remove(struct container *c);
/* Of what podman_save() packs. */
uint64_t podman_layer_bytes(const struct container *c);
int podman_save(const struct container *c, int dirfd, char *error, size_t len);
int podman_load(const struct container *c, int dirfd, char *error, size_t len);

#endif
