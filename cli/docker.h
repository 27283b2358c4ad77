/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Docker, by its Engine API at its socket (docs.docker.com, "Docker Engine API"); curl speaks HTTP.
 * The functions of runtime_docker.c's table are in docker_*.c.
 *
 * To container.h's fields of spec this adds:
 *
 *   id, image        the container's and the image's, on the source
 *   create           what POST /containers/create takes, but for the network and restart policy
 *   network          "host", or "container:" and the name of the other one
 *   restart          HostConfig.RestartPolicy
 *   root             DockerRootDir, on either host its own
 *   driver           the storage driver
 *   layer            bytes of the writable layer and of the volumes that are copied
 *   layers           [{ "tar": its name beside the images, "at": "" or where the volume is mounted,
 *                    "path": on the source }], what is carried
 *   volumes          names of volumes that are not copied
 *   versions         { component: its version }
 */
#ifndef DOCKER_H
#define DOCKER_H

#include "container.h"

#define DOCKER_SOCKET	  "/run/docker.sock"
#define DOCKER_HOST	  "unix://" DOCKER_SOCKET
#define DOCKER_CHECKPOINT "ip-takeover"
#define DOCKER_UP	  "../../../../../../../../../../../.." /* to the root, from anywhere */

/* @method on @path, with @body (may be NULL) as JSON. 0 and *@ret_answer, which is NULL when there
 * was none; -ENOENT: no such thing; -errno; then @error is one line. @ret_answer may be NULL. */
int docker_api(const char *method, const json_t *body, json_t **ret_answer, char *error, size_t len,
	       const char *path, ...) __attribute__((format(printf, 6, 7)));

/* Whether it may be in a path: a name as Docker allows it, or an ID. */
bool docker_name_ok(const char *name);

/* Whether it has, as expected, what goes into a path of the API. */
bool docker_spec_ok(const json_t *spec);

/* Where the container's own files are: the directory of the layer or volume that @layer of a spec
 * names, by what inspect says. NULL: nowhere. */
const char *docker_layer_path(const json_t *inspect, const json_t *layer);

/* The versions of dockerd, containerd and runc here. */
json_t *docker_versions(const json_t *version);

int docker_find(const char *name, struct container *ret_container, char *error, size_t len);
void docker_judge_here(const struct container *c, struct checks *checks);
void docker_judge(const json_t *spec, struct checks *checks);
int docker_save(const struct container *c, int dirfd, char *error, size_t len);
int docker_netns(const json_t *spec, char *ret_path, size_t size, char *error, size_t len);
int docker_create(const json_t *spec, struct container *ret_container, char *error, size_t len);
int docker_load(const struct container *c, int dirfd, char *error, size_t len);
void docker_runs(struct container *c);

/* Also of a dockerd that was killed. */
void docker_remove_checkpoint(const struct container *c, const char *name);

void docker_remove(struct container *c);

#endif
