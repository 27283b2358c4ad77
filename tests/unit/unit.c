// SPDX-License-Identifier: GPL-2.0-only
/* Namespaces for a unit test. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "unit.h"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* A namespace of this kind, as root in a user namespace when we are not root. */
static void enter(int kind, const char *name)
{
	char map[64];
	unsigned int uid = geteuid();

	if (uid != 0) {
		snprintf(map, sizeof(map), "0 %u 1\n", uid);
		if (unshare(CLONE_NEWUSER) < 0 || write_file("/proc/self/setgroups", "deny") < 0 ||
		    write_file("/proc/self/uid_map", map) < 0 ||
		    write_file("/proc/self/gid_map", map) < 0) {
			print_message("skipped: no user namespace: %s\n", strerror(errno));
			skip();
		}
	}
	if (unshare(kind) < 0) {
		print_message("skipped: no %s namespace: %s\n", name, strerror(errno));
		skip();
	}
}

void unit_need_netns(void)
{
	enter(CLONE_NEWNET, "network");
	unit_run("ip link set lo up");
}

void unit_need_run(void)
{
	enter(CLONE_NEWNS, "mount");
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
}

void unit_run(const char *line)
{
	if (system(line) != 0)
		fail_msg("failed: %s", line);
}
