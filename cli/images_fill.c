// SPDX-License-Identifier: GPL-2.0-only
/* Files of the images, one after the other. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images_receiver.h"

int images_fill_end(struct images_receiver *r)
{
	uint64_t prepared = r->file.mapped, size = r->file.size;
	int ret;

	if (r->file.fd < 0)
		return 0;
	ret = images_file_finish(&r->file);
	if (ret < 0)
		return images_cannot(r, ret, "finish a file");
	if (size < prepared)
		r->used -= (prepared - size) / r->store.size * r->store.size;
	/* A service waits: unmap it in images_receive_close(). */
	if (prepared > 0)
		r->spare[r->next_spare - 1] = r->file;
	else
		images_file_drop(&r->file);
	r->file = IMAGES_FILE_NONE;
	return 0;
}

/* The new file @name, in the directory @dir. */
static int create(struct images_receiver *r, int dir, const char *name)
{
	char path[16];
	int fd, ret;

	if (dir == 1)
		return images_file_create(&r->file, r->dirfd, name);
	snprintf(path, sizeof(path), "%d", dir);
	if (mkdirat(r->dirfd, path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(r->dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = images_file_create(&r->file, fd, name);
	close(fd);
	return ret;
}

int images_fill_file(struct images_receiver *r, const struct channel_message *m)
{
	char name[IMAGES_NAME_MAX + 1];
	int ret = images_fill_end(r), dir;
	size_t skip;

	if (ret < 0)
		return ret;
	dir = images_name_dir((const char *)m->payload, m->len, &skip);
	if (!images_name_is_plain((const char *)m->payload + skip, m->len - skip))
		return images_refuse(r, -EPROTO, "images: a file with a name that none has");
	if (r->files >= IMAGES_FILES_MAX)
		return images_refuse(r, -EFBIG, "images: more than %d files", IMAGES_FILES_MAX);
	memcpy(name, m->payload + skip, m->len - skip);
	name[m->len - skip] = '\0';
	/* What the file itself takes. */
	ret = images_charge(r, r->store.size);
	if (ret < 0)
		return ret;
	if (images_pages_number(name) >= 0 && r->next_spare < r->n_spare) {
		struct images_file *spare = &r->spare[r->next_spare++];

		r->file = *spare;
		*spare = IMAGES_FILE_NONE;
	}
	ret = create(r, dir, name);
	if (ret < 0)
		return images_refuse(r, ret, "images: cannot create %s: %s", name, strerror(-ret));
	r->files++;
	return 0;
}

/* The file grows by @len bytes: what has been prepared is paid for. */
static int grow(struct images_receiver *r, uint64_t len)
{
	uint64_t size = r->file.size, prepared = r->file.mapped > size ? r->file.mapped - size : 0;
	int ret = images_charge(r, len > prepared ? len - prepared : 0);

	if (ret == 0)
		r->bytes += len;
	return ret;
}

static int append(struct images_receiver *r, const void *data, size_t len)
{
	int ret = grow(r, len);

	if (ret < 0)
		return ret;
	ret = images_file_write(&r->file, data, len);
	return ret < 0 ? images_cannot(r, ret, "write") : 0;
}

static int take_run(struct images_receiver *r, const struct images_run *run,
		    const unsigned char **raw, size_t *raw_len)
{
	uint64_t len = run->count * (uint64_t)r->store.size;

	if (run->first == IMAGES_ZERO)
		return grow(r, len) ?: images_file_write_zeros(&r->file, len);
	if (run->first == IMAGES_RAW) {
		if (len > *raw_len)
			return images_refuse(r, -EPROTO, "images: pages are missing");
		*raw += len;
		*raw_len -= len;
		return append(r, *raw - len, len);
	}
	if (run->count == 0 || run->first > r->store.n || run->count > r->store.n - run->first)
		return images_refuse(r, -EPROTO, "images: pages that have not been sent");
	return append(r, pages_at(&r->store, run->first), len);
}

int images_fill_runs(struct images_receiver *r, const struct channel_message *m)
{
	const unsigned char *at = m->payload + sizeof(uint32_t), *raw;
	uint32_t n = 0;
	size_t raw_len;
	int ret = 0;

	if (m->len >= sizeof(n))
		memcpy(&n, m->payload, sizeof(n));
	n = ntohl(n);
	if (n == 0 || n > IMAGES_RUNS_MAX || m->len - sizeof(n) < n * sizeof(struct images_run))
		return images_refuse(r, -EPROTO, "images: %u runs in %zu bytes", n, m->len);
	raw = at + n * sizeof(struct images_run);
	raw_len = m->payload + m->len - raw;
	for (; n > 0 && ret == 0; n--, at += sizeof(struct images_run)) {
		struct images_run run;

		memcpy(&run, at, sizeof(run));
		run.first = ntohl(run.first);
		run.count = ntohl(run.count);
		ret = take_run(r, &run, &raw, &raw_len);
	}
	if (ret == 0 && raw_len > 0)
		ret = images_refuse(r, -EPROTO, "images: %zu bytes of pages too many", raw_len);
	return ret;
}

int images_fill_data(struct images_receiver *r, const struct channel_message *m)
{
	return append(r, m->payload, m->len);
}
