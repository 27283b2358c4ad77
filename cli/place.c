// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "place.h"

/* Memory first, then a disk. */
const char *const place_parents[] = { "/dev/shm", "/run", "/tmp", "/var/tmp", NULL };

static bool has_room(const char *path, uint64_t bytes, bool memory)
{
	struct statfs st;

	return statfs(path, &st) == 0 && (st.f_type == TMPFS_MAGIC) == memory &&
	       st.f_bavail > bytes / st.f_bsize;
}

static int open_place(struct place *place)
{
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0) {
		int ret = -errno;

		rmdir(place->path);
		return ret;
	}
	flock(place->fd, LOCK_EX | LOCK_NB);
	place->watch = place_watch(place->fd, place->path);
	return 0;
}

int place_make(uint64_t bytes, struct place *place)
{
	const char *parent = NULL;

	for (int memory = 1; memory >= 0; memory--)
		for (size_t i = 0; !parent && place_parents[i]; i++)
			if (has_room(place_parents[i], bytes, memory))
				parent = place_parents[i];
	if (!parent)
		return -ENOSPC;
	snprintf(place->path, sizeof(place->path), "%s/" PLACE_NAME "XXXXXX", parent);
	if (!mkdtemp(place->path))
		return -errno;
	return open_place(place);
}

int place_make_at(const char *path, uint64_t bytes, struct place *place)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	dirname(parent);
	mkdir(parent, 0700);
	if (!has_room(parent, bytes, true) && !has_room(parent, bytes, false))
		return -ENOSPC;
	snprintf(place->path, sizeof(place->path), "%s", path);
	return mkdir(path, 0700) < 0 ? -errno : open_place(place);
}

bool place_is_full(const struct place *place)
{
	struct statfs st;

	return place->fd >= 0 && fstatfs(place->fd, &st) == 0 && st.f_bavail == 0;
}

void place_remove(struct place *place)
{
	if (place->fd < 0)
		return;
	place_empty(place->fd, place->path);
	close(place->fd);
	if (place->watch >= 0)
		close(place->watch);
	place->fd = place->watch = -1;
}
