// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "scratch.h"

int scratch_begin(char dir[sizeof(SCRATCH)], sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, before);
	return mkdtemp(dir) ? 0 : -errno;
}

void scratch_end(const char *dir, const sigset_t *before)
{
	DIR *d = dir[0] ? opendir(dir) : NULL;
	struct dirent *de;

	while (d && (de = readdir(d)))
		unlinkat(dirfd(d), de->d_name, 0);
	if (d) {
		closedir(d);
		rmdir(dir);
	}
	sigprocmask(SIG_SETMASK, before, NULL);
}
