// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nonlocal.h"
#include "request.h"

#define PATH TAKEOVER_RUN_DIR "/" NONLOCAL_NAME

static const char *const all[] = {
	"/proc/sys/net/ipv4/ip_nonlocal_bind",
	"/proc/sys/net/ipv6/ip_nonlocal_bind",
};

#define N (sizeof(all) / sizeof(all[0]))

static int mine = -1; /* the file, locked */

/* The one that has the name: the last one before us has removed another, perhaps. */
static int open_locked(int flags, int how)
{
	for (;;) {
		int fd = open(PATH, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
		struct stat st;

		if (fd < 0)
			return -1;
		if (flock(fd, how) < 0) {
			close(fd);
			return -1;
		}
		if (fstat(fd, &st) == 0 && st.st_nlink > 0)
			return fd;
		close(fd);
	}
}

static bool is(const char *path, char wanted)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = 0;
	bool ret = fd >= 0 && read(fd, &value, 1) == 1 && value == wanted;

	if (fd >= 0)
		close(fd);
	return ret;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, 1) < 0)
		value = NULL; /* it stays as it is */
	if (fd >= 0)
		close(fd);
}

void nonlocal_allow(void)
{
	if (mine >= 0)
		return;
	mkdir(TAKEOVER_RUN_DIR, 0700);
	mine = open_locked(O_CREAT, LOCK_SH);
	/* Marked first: whoever is killed in between has changed nothing. */
	for (size_t i = 0; mine >= 0 && i < N; i++)
		if (is(all[i], '0') && pwrite(mine, "1", 1, i) == 1)
			set(all[i], "1");
}

/* @fd: locked by us alone. */
static void undo(int fd)
{
	char mark;

	for (size_t i = 0; i < N; i++)
		if (pread(fd, &mark, 1, i) == 1 && mark == '1' && is(all[i], '1'))
			set(all[i], "0");
	unlink(PATH);
}

void nonlocal_end(void)
{
	if (mine < 0)
		return;
	if (flock(mine, LOCK_EX | LOCK_NB) == 0)
		undo(mine);
	close(mine);
	mine = -1;
}

bool nonlocal_is_left(void)
{
	int fd = open_locked(0, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void nonlocal_clean(void)
{
	int fd = open_locked(0, LOCK_EX | LOCK_NB);

	if (fd < 0)
		return;
	undo(fd);
	close(fd);
}
