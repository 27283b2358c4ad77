// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "half.h"
#include "tasks.h"

static size_t command_line(pid_t pid, char *buf, size_t len)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(buf, 1, len, f);
		fclose(f);
	}
	return n;
}

void takeover_half_begin(struct takeover_half *half, pid_t criu_pid)
{
	half->n = command_line(criu_pid, half->criu, sizeof(half->criu));
}

/* The command line has the image directory in it, which no other criu works in. */
static bool is_it(const struct takeover_half *half, pid_t criu_pid)
{
	char line[sizeof(half->criu)];

	return takeover_task_parent(half->pid) == criu_pid ||
	       (half->n > 0 && command_line(half->pid, line, sizeof(line)) == half->n &&
		memcmp(line, half->criu, half->n) == 0);
}

int takeover_half_find(const struct takeover_half *half, pid_t criu_pid)
{
	int fd;

	if (half->pid == 0 || criu_pid == 0 || !is_it(half, criu_pid))
		return -1;
	fd = syscall(SYS_pidfd_open, half->pid, 0);
	/* It is not another's PID since. */
	if (fd >= 0 && !is_it(half, criu_pid)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
