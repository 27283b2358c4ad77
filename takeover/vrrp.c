// SPDX-License-Identifier: GPL-2.0-only
/* Talking to keepalived: a signal, the file that it writes then, and the files that it tracks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink.h"
#include "netns.h"
#include "vrrp.h"

#define PATIENCE_MS 1000
#define TEXT_MAX    (4 << 20)
/* What comes behind all that is of interest (keepalived vrrp/vrrp_print.c). */
#define LAST_SECTION "------< Interfaces >------"

/* The parent's: it passes the signal on. */
static const char *const pid_files[] = { "/run/keepalived.pid", "/run/keepalived/keepalived.pid" };

static bool is_keepalived(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	return strncmp(name, "keepalived", 10) == 0;
}

static pid_t find_keepalived(void)
{
	for (size_t i = 0; i < sizeof(pid_files) / sizeof(pid_files[0]); i++) {
		FILE *f = fopen(pid_files[i], "re");
		int pid = 0;

		if (f && fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		if (pid > 0 && is_keepalived(pid))
			return pid;
	}
	return 0;
}

bool takeover_vrrp_runs(void)
{
	return find_keepalived() != 0;
}

bool takeover_vrrp_is_elsewhere(void)
{
	return !takeover_netns_has(find_keepalived());
}

/* The parent starts another child when one dies (keepalived vrrp/vrrp_daemon.c,
 * vrrp_respawn_thread). */
uint64_t takeover_vrrp_which(void)
{
	pid_t parent = find_keepalived();
	uint64_t which = parent;
	char path[64];
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
	f = parent ? fopen(path, "re") : NULL;
	while (f && fscanf(f, "%d", &child) == 1)
		if (is_keepalived(child))
			which = (which << 22) + child;
	if (f)
		fclose(f);
	return which;
}

/* Once it is whole: -EAGAIN before. Anybody may write to /tmp: only root's file counts. */
static int read_data(const char *path, char **ret_text, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0) {
		close(fd);
		return -EPERM;
	}
	text = malloc(TEXT_MAX + 1);
	n = text ? read(fd, text, TEXT_MAX) : 0;
	close(fd);
	if (n > 0) {
		text[n] = '\0';
		if (strstr(text, LAST_SECTION)) {
			*ret_text = text;
			*ret_n = n;
			return 0;
		}
	}
	free(text);
	return -EAGAIN;
}

int takeover_vrrp_ask(char **ret_text, size_t *ret_n, char *error, size_t len)
{
	long deadline = takeover_now_ms() + PATIENCE_MS;
	pid_t pid = find_keepalived();
	char path[64];
	int ret;

	if (pid == 0) {
		snprintf(error, len, "keepalived does not run here (%s): start it", pid_files[0]);
		return -ESRCH;
	}
	/* As it sees it: systemd may have given it a /tmp of its own. */
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/keepalived.data", (int)pid);
	unlink(path);
	if (kill(pid, SIGUSR1) < 0) {
		ret = -errno;
		snprintf(error, len, "cannot signal keepalived (pid %d): %s", (int)pid,
			 strerror(-ret));
		return ret;
	}
	while ((ret = read_data(path, ret_text, ret_n)) == -EAGAIN && takeover_now_ms() < deadline)
		poll(NULL, 0, 1);
	if (ret == -EAGAIN)
		ret = -ETIMEDOUT;
	if (ret < 0)
		snprintf(error, len,
			 "keepalived (pid %d) has not written /tmp/keepalived.data: %s; does it "
			 "run VRRP, and answer?",
			 (int)pid, strerror(-ret));
	return ret;
}

int takeover_vrrp_find(const struct takeover_address *address, const char *instance,
		       const char *track_file, struct takeover_vrrp *ret_vrrp, char *error,
		       size_t len)
{
	char *text;
	size_t n;
	int ret = takeover_vrrp_ask(&text, &n, error, len);

	if (ret < 0)
		return ret;
	ret = takeover_vrrp_parse(text, n, address, instance, track_file, ret_vrrp, error, len);
	free(text);
	return ret;
}

bool takeover_vrrp_is_track_file(const char *path)
{
	for (const char *c = path; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return path[0] == '/' && strlen(path) < TAKEOVER_VRRP_PATH_LEN && !strstr(path, "/../");
}

/* Never empty in between: that would be a zero. */
int takeover_vrrp_fault(const char *track_file, bool fault)
{
	int fd, ret = 0;

	if (access(track_file, F_OK) == 0 && takeover_vrrp_is_faulted(track_file) == fault)
		return 0;
	fd = open(track_file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, fault ? "1\n" : "0\n", 2, 0) != 2 || ftruncate(fd, 2) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

bool takeover_vrrp_is_faulted(const char *track_file)
{
	FILE *f = fopen(track_file, "re");
	int number = 0;

	if (f && fscanf(f, "%d", &number) != 1)
		number = 0;
	if (f)
		fclose(f);
	return number != 0;
}
