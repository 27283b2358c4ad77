// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "layer.h"
#include "runtime.h"

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

/* It may be much more than other commands have to do. */
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
