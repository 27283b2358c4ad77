/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is the same for the containers of all runtimes. The facts of a service that is one have a
 * field "container", struct container's spec:
 *
 *   runtime   a runtime's name
 *   name      the container's
 *   oci       where the runtime is an engine: "runc" or "crun", which runs CRIU for it
 *   mounts    [{ source, destination }]: paths of the host that it sees, which are not copied
 *   network   "host", or what else its network namespace is; without it "host"
 *   published [address]: of the host, that lead to ports of it; "0.0.0.0" and "::" stand for all
 *   inner     [address]: which they lead to
 *   image     the image's ID, or name, which `RUNTIME save` takes, where images are
 *   layer     bytes of its files that go with it, about
 *   ...       what the runtime adds
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include "facts_read.h"
#include "runtime.h"

/* A finding of this name that is not ok: the image is not here, and is to be sent. */
#define CONTAINER_IMAGE "image"

/* To spec's "mounts"; nothing when one is NULL. */
void container_add_mount(json_t *mounts, const char *source, const char *destination);

/* For spec's "published", of engines' HostConfig.PortBindings: { "6379/tcp": [{ "HostIp": "",
 * "HostPort": "6379" }] }. */
json_t *container_published(const json_t *bindings);

/* The container of such facts; NULL: it is none, or of a runtime that is not known. */
const json_t *container_of(const json_t *facts);

/* Whether it has a network namespace of its own; then, on the destination: the host's device behind
 * which the address is to be, or -ENODEV. @spec may be NULL. */
bool container_has_network(const json_t *spec);
int container_device(const json_t *spec, const struct takeover_address *address,
		     char ret_device[IF_NAMESIZE]);

/* On the destination: into the network namespace that it will be in, if another container has made
 * that; takeover_netns_leave(@ret_back) if *@ret_back is not -1. -errno, and a finding. */
int container_enter(const json_t *spec, int *ret_back, struct checks *checks);

/* On the destination, and on the source. */
void container_judge(const json_t *facts, struct checks *checks);
void container_judge_here(const struct container *container, struct checks *checks);

/* Whether it has the host's network. */
bool container_is_on_host(const json_t *spec);

/* On the source, before anything is asked of its sockets: those that are behind published ports are
 * to be seen, here and by its keeper. 0, or -errno and why. */
int container_look_inside(const struct container *container, char *error, size_t len);

/* Frees what it has; not what runs. */
void container_forget(struct container *container);

#endif
