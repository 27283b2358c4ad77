// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "images_memory.h"
#include "images_pagemap.h"

#define PIECES 256

struct reader {
	pid_t pid;
	int pagemap;
	size_t page;
	unsigned char *buf;
	struct iovec remote[PIECES];
	int n;
	size_t len; /* of all of them */
	int (*each)(void *arg, const unsigned char *pages, uint32_t n);
	void *arg;
	uint64_t bytes;
};

/* Read what is gathered. The kernel stops at a piece that it cannot read. */
static int flush(struct reader *r)
{
	struct iovec *remote = r->remote;
	int n = r->n, ret = 0;

	while (n > 0 && ret == 0) {
		struct iovec local = { r->buf, r->len };
		ssize_t got = process_vm_readv(r->pid, &local, 1, remote, n, 0);
		size_t done = got > 0 ? got / r->page * r->page : 0;

		if (got < 0 && errno != EFAULT && errno != EIO)
			return -errno;
		if (done > 0)
			ret = r->each(r->arg, r->buf, done / r->page);
		r->bytes += done;
		for (; n > 0 && done >= remote->iov_len; remote++, n--) {
			done -= remote->iov_len;
			r->len -= remote->iov_len;
		}
		if (n > 0) {
			r->len -= remote->iov_len;
			remote++;
			n--;
		}
	}
	r->n = 0;
	r->len = 0;
	return ret;
}

static int gather(struct reader *r, const struct images_range *range)
{
	for (uint64_t at = range->start; at < range->end;) {
		size_t room = IMAGES_MEMORY_AT_ONCE - r->len, len = range->end - at;
		int ret;

		if (len > room)
			len = room;
		r->remote[r->n++] = (struct iovec){ (void *)(uintptr_t)at, len };
		r->len += len;
		at += len;
		ret = r->n == PIECES || r->len == IMAGES_MEMORY_AT_ONCE ? flush(r) : 0;
		if (ret != 0)
			return ret;
	}
	return 0;
}

static int read_mapping(struct reader *r, uint64_t start, uint64_t end, bool shared)
{
	struct images_range ranges[IMAGES_RANGES_MAX];

	while (start < end) {
		int n = images_pagemap(r->pagemap, start, end, shared, ranges, &start);

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			int ret = gather(r, &ranges[i]);

			if (ret != 0)
				return ret;
		}
	}
	return 0;
}

static bool is_ours(const char *perms, const char *name)
{
	if (perms[3] == 's')
		return strncmp(name, "/dev/zero (", 11) == 0 || strncmp(name, "/memfd:", 7) == 0 ||
		       strncmp(name, "/SYSV", 5) == 0;
	/* vvar, vdso, vsyscall: the kernel's. */
	return strncmp(name, "[v", 2) != 0;
}

static int read_mappings(struct reader *r, FILE *maps)
{
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	while (ret == 0 && getline(&line, &size, maps) > 0) {
		uint64_t start, end;
		char perms[5];
		int name = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &start, &end, perms,
			   &name) == 3 &&
		    is_ours(perms, line + name))
			ret = read_mapping(r, start, end, perms[3] == 's');
	}
	free(line);
	return ret != 0 ? ret : flush(r);
}

int images_memory_read(pid_t pid, int (*each)(void *arg, const unsigned char *pages, uint32_t n),
		       void *arg, uint64_t *ret_bytes)
{
	struct reader r = { .pid = pid, .page = sysconf(_SC_PAGESIZE), .each = each, .arg = arg };
	char path[64];
	FILE *maps;
	int ret = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	r.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (r.pagemap < 0)
		ret = -errno;
	r.buf = malloc(IMAGES_MEMORY_AT_ONCE);
	if (ret == 0)
		ret = r.buf ? read_mappings(&r, maps) : -ENOMEM;
	free(r.buf);
	if (r.pagemap >= 0)
		close(r.pagemap);
	fclose(maps);
	if (ret == 0)
		*ret_bytes = r.bytes;
	return ret;
}
