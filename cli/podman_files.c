// SPDX-License-Identifier: GPL-2.0-only
/* Files of a container of podman that are not in CRIU's images: its writable layer, and its
 * /dev/shm, which CRIU takes for the host's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "layer.h"
#include "podman.h"

#define LAYER "podman-layer.tar"
#define SHM   "devshm-checkpoint.tar" /* podman unpacks it (libpod, restore()) */

/* The container's own, if it has one. */
static const char *shm_of(const struct container *c)
{
	json_t *mount;
	size_t i;

	json_array_foreach(podman_get(c->spec, "config.mounts"), i, mount) {
		const char *source = podman_field(mount, "source");

		if (strcmp(podman_field(mount, "destination"), "/dev/shm") == 0 &&
		    strstr(source, c->id))
			return source;
	}
	return NULL;
}

static const char *upper_of(const struct container *c, char *buf, size_t len)
{
	snprintf(buf, len, "%.2000s/%.100s/%.100s/diff", podman_field(c->spec, "root"),
		 podman_field(c->spec, "driver"), podman_field(c->spec, "layer_id"));
	return buf;
}

uint64_t podman_layer_bytes(const struct container *c)
{
	char upper[PATH_MAX];
	const char *shm = shm_of(c);

	return layer_bytes(upper_of(c, upper, sizeof(upper))) + (shm ? layer_bytes(shm) : 0);
}

int podman_save(const struct container *c, int dirfd, char *error, size_t len)
{
	const char *shm = shm_of(c);
	char upper[PATH_MAX];

	return layer_pack(upper_of(c, upper, sizeof(upper)), dirfd, LAYER, error, len)
		       ?: shm ? layer_pack(shm, dirfd, SHM, error, len)
			      : 0;
}

int podman_load(const struct container *c, int dirfd, char *error, size_t len)
{
	char path[PATH_MAX];
	int ret = layer_unpack(dirfd, LAYER, podman_field(c->spec, "upper"), error, len);

	snprintf(path, sizeof(path), "%.4000s/" SHM, podman_field(c->spec, "static"));
	if (ret == 0 && renameat(dirfd, SHM, AT_FDCWD, path) < 0 && errno != ENOENT) {
		ret = -errno;
		snprintf(error, len, "%.200s: %s", path, strerror(-ret));
	}
	return ret;
}
