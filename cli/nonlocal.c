// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "nonlocal.h"

static struct {
	const char *path;
	bool changed;
} all[] = {
	{ "/proc/sys/net/ipv4/ip_nonlocal_bind", false },
	{ "/proc/sys/net/ipv6/ip_nonlocal_bind", false },
};

void nonlocal_allow(void)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = open(all[i].path, O_RDWR | O_CLOEXEC);
		char value;

		if (fd >= 0 && read(fd, &value, 1) == 1 && value == '0' &&
		    pwrite(fd, "1", 1, 0) == 1)
			all[i].changed = true;
		if (fd >= 0)
			close(fd);
	}
}

void nonlocal_end(void)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int fd = all[i].changed ? open(all[i].path, O_WRONLY | O_CLOEXEC) : -1;

		if (fd >= 0 && write(fd, "0", 1) == 1)
			all[i].changed = false;
		if (fd >= 0)
			close(fd);
	}
}
