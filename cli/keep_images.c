// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep_images.h"

#define AT_ONCE (1 << 30)

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* 1: it has nothing in it. */
static int is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *de;
	int empty = 1;

	if (!dir)
		return -errno;
	while (empty && (de = readdir(dir)))
		empty = is_dots(de->d_name);
	closedir(dir);
	return empty;
}

int keep_images_open(const char *path, int *ret_fd, char *error, size_t len)
{
	int ret = mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
	int fd = ret == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (ret == 0 && fd < 0)
		ret = -errno;
	if (ret == 0 && faccessat(fd, ".", W_OK, 0) < 0)
		ret = -errno;
	if (ret == 0)
		ret = is_empty(fd) ?: -ENOTEMPTY;
	if (ret < 0) {
		snprintf(error, len, "--keep-images %s: %s", path, strerror(-ret));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	*ret_fd = fd;
	return 0;
}

static int copy_file(int from, const struct stat *st, int to_dir, const char *name)
{
	int to, ret;
	ssize_t n;

	if (!S_ISREG(st->st_mode))
		return 0;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while ((n = to < 0 ? -1 : sendfile(to, from, NULL, AT_ONCE)) > 0)
		;
	ret = n < 0 ? -errno : 0;
	if (to >= 0 && close(to) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

static int copy_all(int from_dir, int to_dir);

/* Of a tree of several. */
static int copy_dir(int from, int to_dir, const char *name)
{
	int to, ret;

	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	ret = copy_all(from, to);
	close(to);
	return ret;
}

static int copy(int from_dir, int to_dir, const char *name)
{
	int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), ret;
	struct stat st;

	if (from < 0)
		return -errno;
	if (fstat(from, &st) < 0)
		ret = -errno;
	else
		ret = S_ISDIR(st.st_mode) ? copy_dir(from, to_dir, name)
					  : copy_file(from, &st, to_dir, name);
	close(from);
	return ret;
}

static int copy_all(int from_dir, int to_dir)
{
	int again = openat(from_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct dirent *de;

	if (!dir)
		return -errno;
	while (ret == 0 && (de = readdir(dir)))
		if (!is_dots(de->d_name))
			ret = copy(dirfd(dir), to_dir, de->d_name);
	closedir(dir);
	return ret;
}

int keep_images(const struct place *place, int fd)
{
	return copy_all(place->fd, fd);
}
