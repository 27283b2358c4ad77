// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "armed.h"

#define PATH_LEN (sizeof(TAKEOVER_RUN_DIR) + TAKEOVER_ARMED_NAME_LEN + 32)

static const char *record(const char *name, const char *suffix, char *buf)
{
	snprintf(buf, PATH_LEN, TAKEOVER_RUN_DIR "/armed-%.*s%s", TAKEOVER_ARMED_NAME_LEN, name,
		 suffix);
	return buf;
}

const char *takeover_armed_root(pid_t root, char *buf, size_t len)
{
	snprintf(buf, len, "%d-%llu", (int)root, takeover_request_started(root));
	return buf;
}

long takeover_armed_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

int takeover_arm(const char *name, const struct takeover_armed *a)
{
	char path[PATH_LEN], new[PATH_LEN], line[sizeof(*a) + 64];
	int fd, n, ret = 0;

	mkdir(TAKEOVER_RUN_DIR, 0700);
	record(name, "", path);
	record(name, ".new", new);
	n = snprintf(line, sizeof(line), "%d %llu %ld %s %s\n", (int)a->mover,
		     takeover_request_started(a->mover), a->until_s, a->socket[0] ? a->socket : "-",
		     a->published[0] ? a->published : "-");
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = EIO;
	if (write(fd, line, n) != n || rename(new, path) < 0) {
		ret = -errno;
		unlink(new);
	}
	close(fd);
	return ret;
}

void takeover_disarm(const char *name)
{
	char path[PATH_LEN];

	unlink(record(name, "", path));
	unlink(record(name, ".images", path));
}

/* Not when nobody has reaped it yet, nor when its PID is another's by now. */
static bool lives(pid_t pid, unsigned long long started)
{
	struct pollfd pfd = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ret;

	if (pfd.fd < 0)
		return false;
	ret = poll(&pfd, 1, 0) == 0 && takeover_request_started(pid) == started;
	close(pfd.fd);
	return ret;
}

int takeover_armed_find(const char *name, struct takeover_armed *a)
{
	char path[PATH_LEN];
	FILE *f = fopen(record(name, "", path), "re");
	unsigned long long started;
	bool whole;
	int mover;

	if (!f)
		return -errno;
	whole = fscanf(f, "%d %llu %ld %107s %1023s", &mover, &started, &a->until_s, a->socket,
		       a->published) == 5;
	fclose(f);
	if (!whole || a->until_s < takeover_armed_now())
		return -ENOENT;
	a->mover = mover;
	if (strcmp(a->socket, "-") == 0)
		a->socket[0] = '\0';
	if (strcmp(a->published, "-") == 0)
		a->published[0] = '\0';
	return mover > 0 && !lives(mover, started) ? -ESRCH : 0;
}

const char *takeover_armed_images(const char *name, char *buf, size_t len)
{
	char path[PATH_LEN];

	snprintf(buf, len, "%s", record(name, ".images", path));
	return buf;
}

int takeover_armed_give_images(const char *name, const char *images)
{
	char path[PATH_LEN];

	record(name, ".images", path);
	unlink(path);
	return symlink(images, path) < 0 ? -errno : 0;
}

/* "criu swrk FD" and "criu service", which criu changes to "criu: dump --rpc -t PID ..." where it
 * was built with libbsd (criu/cr-service.c, setproctitle). Who cannot tell leaves the addresses
 * where they are. */
bool takeover_in_rpc_mode(pid_t criu)
{
	char path[32], line[512], verb[16] = "", option[16] = "";
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)criu);
	f = fopen(path, "re");
	if (f) {
		n = fread(line, 1, sizeof(line) - 1, f);
		fclose(f);
	}
	line[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (line[i] == '\0')
			line[i] = ' ';
	sscanf(line, "%*s %15s %15s", verb, option);
	return (n == 0 && takeover_request_started(criu) > 0) || strcmp(verb, "swrk") == 0 ||
	       strcmp(verb, "service") == 0 || strcmp(option, "--rpc") == 0;
}
