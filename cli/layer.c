// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer.h"
#include "runtime.h"

#define ENTRY_BYTES 2048 /* headers, extended attributes, and what fills up the last block */
#define DIRS_OPEN   32

static int is_empty(const char *path, bool *ret_empty)
{
	DIR *dir = opendir(path);
	struct dirent *de;

	if (!dir)
		return -errno;
	*ret_empty = true;
	while ((de = readdir(dir)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			*ret_empty = false;
	closedir(dir);
	return 0;
}

static int tar(const char *const *words, const char *dir, int dirfd, const char *name, char *error,
	       size_t len)
{
	struct command c = { 0 };
	char said[512];
	int ret;

	command_add(&c, "tar");
	command_add(&c, "--directory=%s", dir);
	command_add(&c, "--numeric-owner");
	command_add(&c, "--xattrs");
	command_add(&c, "--file=/proc/%d/fd/%d/%s", (int)getpid(), dirfd, name);
	for (; *words; words++)
		command_add(&c, "%s", *words);
	ret = command_run(&c, said, sizeof(said));
	command_free(&c);
	if (ret < 0)
		snprintf(error, len, "%.200s: %.200s", dir, said);
	return ret;
}

static uint64_t counted;

/* Sparse files have less than their size. */
static int count(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint64_t stored = (uint64_t)st->st_blocks * 512;

	(void)path;
	(void)ftw;
	counted += ENTRY_BYTES;
	if (type == FTW_F && S_ISREG(st->st_mode))
		counted += (uint64_t)st->st_size < stored ? (uint64_t)st->st_size : stored;
	return 0;
}

uint64_t layer_bytes(const char *dir)
{
	counted = 0;
	nftw(dir, count, DIRS_OPEN, FTW_PHYS | FTW_MOUNT);
	return counted;
}

int layer_pack(const char *dir, int dirfd, const char *name, char *error, size_t len)
{
	bool empty = true;
	int ret = is_empty(dir, &empty);

	if (ret < 0) {
		snprintf(error, len, "%.200s: %s", dir, strerror(-ret));
		return ret;
	}
	if (empty)
		return 0;
	/* Sockets are criu's. */
	return tar((const char *const[]){ "--create", "--sparse", "--acls",
					  "--warning=no-file-ignored", "--xattrs-include=trusted.*",
					  "--xattrs-include=security.*", "--xattrs-include=user.*",
					  ".", NULL },
		   dir, dirfd, name, error, len);
}

int layer_unpack(int dirfd, const char *name, const char *dir, char *error, size_t len)
{
	int ret;

	if (faccessat(dirfd, name, F_OK, 0) < 0)
		return 0;
	ret = tar((const char *const[]){ "--extract", "--acls", "--same-owner",
					 "--preserve-permissions", "--xattrs-include=*", NULL },
		  dir, dirfd, name, error, len);
	unlinkat(dirfd, name, 0);
	return ret;
}
