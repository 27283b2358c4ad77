// SPDX-License-Identifier: GPL-2.0-only
/* criu writes pages-1.img, then pages-2.img and so on; all else when it has them. */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images_sender.h"

#define WINDOW (2 * 1024 * 1024)

static int begin_file(struct images_sender *s, int fd, const char *name)
{
	int ret = channel_send_frame(s->channel, IMAGES_FILE, NULL, 0, name, strlen(name));

	if (ret < 0) {
		close(fd);
		return images_sent(s, ret);
	}
	s->fd = fd;
	s->offset = 0;
	s->stats.files++;
	return 0;
}

static ssize_t read_some(struct images_sender *s, size_t want)
{
	ssize_t n;

	do
		n = pread(s->fd, s->buf, want, s->offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? images_say(s, -errno, "images: cannot read: %s", strerror(errno)) : n;
}

/* Not read(): to look at pages where they are takes two thirds of the time. Nobody makes a
 * file of criu's shorter. */
static int send_window(struct images_sender *s, size_t len)
{
	const unsigned char *pages =
		mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, s->fd, s->offset);
	int ret = 0;

	if (pages == MAP_FAILED)
		return images_say(s, -errno, "images: cannot map: %s", strerror(errno));
	for (size_t at = 0, n; at < len && ret == 0; at += n) {
		n = len - at < IMAGES_RUNS_AT_ONCE ? len - at : IMAGES_RUNS_AT_ONCE;
		ret = images_sent(s, images_runs_add(&s->runs, pages + at, n / s->store.size));
	}
	munmap((void *)pages, len);
	s->offset += len;
	return ret;
}

/* All whole pages that are there. */
static int send_pages(struct images_sender *s)
{
	size_t size = s->store.size;
	int ret = 0;

	while (ret == 0) {
		struct stat st;
		uint64_t len;

		if (fstat(s->fd, &st) < 0)
			return images_say(s, -errno, "images: cannot stat: %s", strerror(errno));
		len = (uint64_t)st.st_size > s->offset ? st.st_size - s->offset : 0;
		len = len / size * size;
		if (len == 0)
			return images_sent(s, images_runs_flush(&s->runs));
		ret = send_window(s, len < WINDOW ? len : WINDOW);
	}
	return ret;
}

static int send_bytes(struct images_sender *s)
{
	ssize_t n;
	int ret = 0;

	while (ret == 0 && (n = read_some(s, IMAGES_CHUNK)) != 0) {
		if (n < 0)
			return n;
		ret = images_sent(s,
				  channel_send_frame(s->channel, IMAGES_DATA, NULL, 0, s->buf, n));
		s->offset += n;
		s->stats.raw += n;
	}
	return ret;
}

static int finish_file(struct images_sender *s)
{
	int ret = send_bytes(s);

	close(s->fd);
	s->fd = -1;
	s->bytes += s->offset;
	return ret;
}

/* 1: it is there, and the file before is whole. */
static int begin_next(struct images_sender *s, long number)
{
	char name[IMAGES_NAME_MAX];
	int fd, ret = 0;

	snprintf(name, sizeof(name), "pages-%ld.img", number);
	fd = openat(s->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : images_say(s, -errno, "%s: %s", name, strerror(errno));
	if (s->fd >= 0) {
		ret = send_pages(s) ?: finish_file(s);
		s->followed += s->offset;
	}
	if (ret < 0) {
		close(fd);
		return ret;
	}
	s->number = number;
	return begin_file(s, fd, name) ?: 1;
}

static int follow(struct images_sender *s)
{
	int ret;

	do {
		ret = s->fd >= 0 ? send_pages(s) : 0;
		if (ret == 0)
			ret = begin_next(s, s->fd >= 0 ? s->number + 1 : s->number);
	} while (ret == 1);
	return ret;
}

int images_send_follow(struct images_sender *s)
{
	uint64_t begin = images_now_ns();
	int ret = follow(s);

	s->stats.follow_ns += images_now_ns() - begin;
	return ret;
}

static bool is_log(const char *name)
{
	size_t len = strlen(name);

	return len >= 4 && strcmp(name + len - 4, ".log") == 0;
}

/* The file @name of the directory @dirfd, "DIR/" to the other side. @followed: bytes of pages
 * files that have been sent already. */
static int send_file(struct images_sender *s, int dirfd, const char *dir, const char *name,
		     uint64_t *followed)
{
	char full[16 + NAME_MAX];
	long number = images_pages_number(name);
	struct stat st;
	int fd, ret;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return images_say(s, -errno, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) || is_log(name))
		return 0;
	if (dirfd == s->dirfd && number > 0 && number <= s->number) {
		*followed += st.st_size;
		return 0;
	}
	if (!images_name_is_plain(name, strlen(name)))
		return images_say(s, -EINVAL, "images: a file with a name that none of criu's has");
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return images_say(s, -errno, "%s: %s", name, strerror(errno));
	snprintf(full, sizeof(full), "%s%s", dir, name);
	ret = begin_file(s, fd, full);
	if (ret == 0 && number >= 0)
		ret = send_pages(s);
	return ret ?: finish_file(s);
}

static int send_files(struct images_sender *s, int dirfd, const char *name, uint64_t *followed)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int ret = 0;

	if (!dir) {
		ret = images_say(s, -errno, "images: cannot list them: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (ret == 0 && (entry = readdir(dir)))
		ret = send_file(s, dirfd, name, entry->d_name, followed);
	closedir(dir);
	return ret;
}

/* Those of the trees beside the first. */
static int send_dirs(struct images_sender *s)
{
	int ret = 0;

	for (int i = 2; i <= IMAGES_DIRS_MAX && ret == 0; i++) {
		char name[16];
		uint64_t none;
		int fd;

		snprintf(name, sizeof(name), "%d/", i);
		fd = openat(s->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			break;
		if (fd < 0)
			return images_say(s, -errno, "%s: %s", name, strerror(errno));
		ret = send_files(s, fd, name, &none);
		close(fd);
	}
	return ret;
}

void images_send_from(struct images_sender *s, int dirfd)
{
	s->dirfd = dirfd;
}

void images_send_more(struct images_sender *s, int dirfd)
{
	s->more = dirfd;
}

static int rest(struct images_sender *s)
{
	struct images_end end;
	uint64_t followed = 0;
	int ret = follow(s);

	if (ret == 0 && s->fd >= 0) {
		ret = finish_file(s);
		s->followed += s->offset;
	} else if (ret == 0) {
		s->number = 0;
	}
	ret = ret ?: send_files(s, s->dirfd, "", &followed);
	if (ret == 0 && followed != s->followed)
		ret = images_say(s, -EIO, "images: a pages file has grown after the next one");
	ret = ret ?: send_dirs(s);
	if (ret == 0 && s->more >= 0)
		ret = send_files(s, s->more, "", &followed);
	if (ret < 0)
		return ret;
	end.files = htobe64(s->stats.files);
	end.bytes = htobe64(s->bytes);
	return images_sent(s,
			   channel_send_frame(s->channel, IMAGES_END, NULL, 0, &end, sizeof(end)));
}

int images_send_rest(struct images_sender *s)
{
	uint64_t begin = images_now_ns();
	int ret = rest(s);

	s->stats.rest_ns += images_now_ns() - begin;
	return ret;
}
