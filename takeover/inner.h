/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A service behind this host's address translation, as a container with published ports is: its
 * peers know a service address of the host, its sockets are in another network namespace, on an
 * inner address there. Once this is open, the rest of the library sees those sockets beside the
 * host's own, on the service address (sockets.c, task_sockets.c). One a process.
 */
#ifndef TAKEOVER_INNER_H
#define TAKEOVER_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "netns.h"

/* What the container publishes, "192.0.2.100,2001:db8::100", to a source's keeper. */
#define TAKEOVER_PUBLISHED_ENV "IP_TAKEOVER_PUBLISHED"

/* Look into the network namespace at @path, for what is translated to from the addresses in the
 * text @published. 0, also when that is our own namespace, where nothing is to be translated: then
 * it is not open; -EINVAL: one of them is no address; -E2BIG; or -errno. */
int takeover_inner_open(const char *path, const char *published);
bool takeover_inner_is_open(void);

/* Whether @address is one of those published. */
bool takeover_inner_publishes(const struct takeover_address *address);

/* Call @fn in there, and come back. What @fn returns, or -errno. */
int takeover_inner_run(int (*fn)(void *data), void *data);

/* An inner address becomes the service address that leads to it; whether it was one. */
bool takeover_inner_translate(int family, unsigned char *ip);

/* All inner addresses; *@ret_n of them. */
const struct takeover_address *takeover_inner_addresses(size_t *ret_n);

/* Whether the process @pid only listens on published ports, beside the translation that the engine
 * has set up, so that nobody else does: dockerd's own way in, and podman's monitor of a container.
 */
bool takeover_inner_is_proxy(pid_t pid);

/* The namespace, for a journal; ->path as it was opened. */
const struct takeover_netns *takeover_inner_netns(void);

/* Whether a socket with this SO_NETNS_COOKIE is in there. */
bool takeover_inner_has(uint64_t cookie);

#endif
