// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "images_file.h"

#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

int images_file_prepare(struct images_file *file, int dirfd, uint64_t size)
{
	void *map;

	if (size <= file->mapped)
		return 0;
	if (file->fd < 0)
		file->fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	/* Without it, a write through the map could end in SIGBUS. */
	if (file->fd < 0 || fallocate(file->fd, 0, 0, size) < 0)
		return -errno;
	map = file->map ? mremap(file->map, file->mapped, size, MREMAP_MAYMOVE)
			: mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	madvise((char *)map + file->mapped, size - file->mapped, MADV_POPULATE_WRITE);
	file->map = map;
	file->mapped = size;
	return 0;
}

static int give_name(const struct images_file *file, int dirfd, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int images_file_create(struct images_file *file, int dirfd, const char *name)
{
	int fd;

	if (file->fd >= 0)
		return give_name(file, dirfd, name);
	fd = openat(dirfd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	file->fd = fd;
	return 0;
}

int images_file_write(struct images_file *file, const void *data, size_t len)
{
	const char *from = data;

	if (file->size < file->mapped) {
		size_t n = file->mapped - file->size < len ? file->mapped - file->size : len;

		memcpy(file->map + file->size, from, n);
		file->size += n;
		from += n;
		len -= n;
	}
	while (len > 0) {
		ssize_t n = pwrite(file->fd, from, len, file->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		file->size += n;
		from += n;
		len -= n;
	}
	return 0;
}

/* Where nothing was written yet there are zeros. */
int images_file_write_zeros(struct images_file *file, uint64_t len)
{
	file->size += len;
	return 0;
}

int images_file_finish(struct images_file *file)
{
	return ftruncate(file->fd, file->size) < 0 ? -errno : 0;
}

void images_file_drop(struct images_file *file)
{
	if (file->map)
		munmap(file->map, file->mapped);
	if (file->fd >= 0)
		close(file->fd);
	*file = IMAGES_FILE_NONE;
}
