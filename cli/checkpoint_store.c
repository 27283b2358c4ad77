// SPDX-License-Identifier: GPL-2.0-only
/* One service's directory of checkpoints: who has it, what is in it, what goes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_store.h"
#include "netlink.h"

#define PARTIAL	 ".partial-"
#define AGAIN_MS 20
#define ALL_MAX	 4096

static int make(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = parent + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int store_open(const char *path, bool may_make, struct store *store, char *error, size_t len)
{
	struct stat st;
	int ret;

	store->fd = -1;
	if (path[0] != '/' || strlen(path) >= sizeof(store->path)) {
		snprintf(error, len, "%.200s: expected a directory by its whole path", path);
		return -EINVAL;
	}
	ret = may_make ? make(path) : 0;
	strcpy(store->path, path);
	if (ret == 0)
		store->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret == 0 && (store->fd < 0 || fstat(store->fd, &st) < 0))
		ret = -errno;
	if (ret < 0) {
		snprintf(error, len, "%.200s: %s%s", path, strerror(-ret),
			 ret == -ENOENT ? "; no checkpoint has been taken, or sent here" : "");
	} else if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		snprintf(error, len, "%.200s: others than root may write it; chown root, chmod 700",
			 path);
		ret = -EPERM;
	}
	if (ret < 0)
		store_close(store);
	return ret;
}

void store_close(struct store *store)
{
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
}

int store_lock(const struct store *store, int patience_ms)
{
	long deadline = takeover_now_ms() + patience_ms;

	while (flock(store->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || takeover_now_ms() >= deadline)
			return -errno;
		poll(NULL, 0, AGAIN_MS);
	}
	return 0;
}

void store_unlock(const struct store *store)
{
	flock(store->fd, LOCK_UN);
}

/* A directory in it, of such a name, unless somebody is at it. */
static void remove_partial(const struct store *store, const char *name)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[PATH_MAX + 256];

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", store->path, name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		place_empty(fd, path);
	close(fd);
}

static DIR *open_again(const struct store *store)
{
	int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

void store_tidy(const struct store *store)
{
	DIR *dir = open_again(store);
	struct dirent *de;

	while (dir && (de = readdir(dir)))
		if (strncmp(de->d_name, PARTIAL, strlen(PARTIAL)) == 0)
			remove_partial(store, de->d_name);
	if (dir)
		closedir(dir);
}

int store_begin(const struct store *store, struct place *place)
{
	int ret;

	snprintf(place->path, sizeof(place->path), "%s/" PARTIAL "XXXXXX", store->path);
	place->watch = -1;
	if (!mkdtemp(place->path))
		return -errno;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0) {
		ret = -errno;
		rmdir(place->path);
		return ret;
	}
	flock(place->fd, LOCK_EX | LOCK_NB);
	place->watch = place_watch(place->fd, place->path);
	return 0;
}

/* All that is in it, and its own list of that. */
static int sync_all(int dirfd)
{
	int again = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct dirent *de;

	if (!dir)
		return -errno;
	while (ret == 0 && (de = readdir(dir))) {
		int fd = de->d_type == DT_REG
				 ? openat(dirfd, de->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
				 : -1;

		if (de->d_type == DT_REG && (fd < 0 || fsync(fd) < 0))
			ret = -errno;
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return ret < 0 ? ret : fsync(dirfd) < 0 ? -errno : 0;
}

int store_next(const struct store *store, time_t now, char ret_name[STORE_NAME_STRLEN])
{
	struct store_entry *all;
	unsigned int number = 1;
	size_t n;
	int ret = store_list(store, &all, &n);

	if (ret < 0)
		return ret;
	/* The oldest goes first: no clock that was set back may make it of the newest. */
	if (n > 0 && all[0].at >= now) {
		now = all[0].at;
		number = all[0].number + 1;
	}
	free(all);
	store_name(now, ret_name);
	snprintf(ret_name + strlen(ret_name), 16, "-%u", number);
	return 0;
}

int store_keep(const struct store *store, struct place *place, const char *name)
{
	const char *partial = strrchr(place->path, '/') + 1;
	int ret = sync_all(place->fd);

	if (ret < 0) {
		place_remove(place);
		return ret;
	}
	/* Our lock of it goes with this; but we have that of the whole. */
	place_leave(place);
	if (renameat2(store->fd, partial, store->fd, name, RENAME_NOREPLACE) < 0)
		ret = -errno;
	if (ret == 0 && fsync(store->fd) < 0)
		ret = -errno;
	if (ret < 0)
		remove_partial(store, partial);
	return ret;
}

void store_name(time_t at, char ret_name[STORE_NAME_STRLEN])
{
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(ret_name, STORE_NAME_STRLEN, "%Y%m%dT%H%M%SZ", &tm);
}

bool store_is_name(const char *name, struct store_entry *entry)
{
	char again[STORE_NAME_STRLEN + 16];
	struct tm tm = { 0 };
	const char *rest = strptime(name, "%Y%m%dT%H%M%SZ-", &tm);

	if (!rest || strlen(name) >= STORE_NAME_STRLEN ||
	    strspn(rest, "0123456789") != strlen(rest) || rest[0] == '\0' || strlen(rest) > 9)
		return false;
	entry->at = timegm(&tm);
	entry->number = atoi(rest);
	/* As we would have written it, and no other way. */
	store_name(entry->at, again);
	snprintf(again + strlen(again), 16, "-%u", entry->number);
	strcpy(entry->name, name);
	return strcmp(name, again) == 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? 1 : -1;
	return x->number < y->number ? 1 : x->number > y->number ? -1 : 0;
}

int store_list(const struct store *store, struct store_entry **ret_entries, size_t *ret_n)
{
	struct store_entry *all = calloc(ALL_MAX, sizeof(*all));
	DIR *dir = all ? open_again(store) : NULL;
	struct dirent *de;
	size_t n = 0;

	if (!dir) {
		free(all);
		return all ? -EIO : -ENOMEM;
	}
	while (n < ALL_MAX && (de = readdir(dir)))
		n += store_is_name(de->d_name, &all[n]);
	closedir(dir);
	qsort(all, n, sizeof(*all), newest_first);
	*ret_entries = all;
	*ret_n = n;
	return 0;
}

void store_prune(const struct store *store, unsigned int keep)
{
	struct store_entry *all;
	size_t n;

	if (store_list(store, &all, &n) < 0)
		return;
	for (size_t i = keep; i < n; i++) {
		char partial[STORE_NAME_STRLEN + 16];

		/* Half removed it would be half a checkpoint. */
		snprintf(partial, sizeof(partial), PARTIAL "%s", all[i].name);
		if (renameat(store->fd, all[i].name, store->fd, partial) == 0)
			remove_partial(store, partial);
	}
	free(all);
}
