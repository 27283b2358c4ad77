// SPDX-License-Identifier: GPL-2.0-only
/* Tasks by /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tasks.h"

#define PF_EXITING 0x00000004

int takeover_tasks_all(pid_t **ret_pids, size_t *ret_n)
{
	DIR *dir = opendir("/proc");
	size_t n = 0, capacity = 0;
	pid_t *pids = NULL;
	struct dirent *de;

	if (!dir)
		return -errno;
	while ((de = readdir(dir))) {
		if (!isdigit(de->d_name[0]) || atoi(de->d_name) == getpid())
			continue;
		if (n == capacity) {
			pid_t *more;

			capacity = capacity ? capacity * 2 : 256;
			more = realloc(pids, capacity * sizeof(*pids));
			if (!more)
				break;
			pids = more;
		}
		pids[n++] = atoi(de->d_name);
	}
	closedir(dir);
	*ret_pids = pids;
	*ret_n = n;
	return 0;
}

static pid_t tracer_of(pid_t pid)
{
	char path[64], line[256];
	int by = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && by == 0 && fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %d", &by);
	if (f)
		fclose(f);
	return by;
}

bool takeover_task_traced(pid_t pid, pid_t tracer)
{
	return tracer_of(pid) == tracer;
}

const char *takeover_task_name(pid_t pid, char *buf, size_t len)
{
	char path[64];
	FILE *f;

	snprintf(buf, len, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return buf;
	if (fgets(buf, len, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
	/* Its own choice (prctl(2), PR_SET_NAME), and it gets into logs and journals. */
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return buf;
}

/* The fields of /proc/PID/stat that follow the name, from the state on; empty when the
 * process is gone. */
static const char *stat_of(pid_t pid, char *buf, size_t len)
{
	char path[64], *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return "";
	/* A name may contain anything, a newline, too. */
	buf[fread(buf, 1, len - 1, f)] = '\0';
	rest = strrchr(buf, ')');
	fclose(f);
	return rest && strlen(rest) > 4 ? rest + 2 : "";
}

pid_t takeover_task_parent(pid_t pid)
{
	char buf[1024];
	int parent = 0;

	sscanf(stat_of(pid, buf, sizeof(buf)), "%*c %d", &parent);
	return parent;
}

/* linux include/uapi/linux/pidfd.h, since 6.15: the exit code outlives the zombie. */
struct pidfd_info_exit {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};

#define INFO_EXIT (1U << 3)
#define GET_INFO  _IOWR(0xFF, 11, struct pidfd_info_exit)

bool takeover_task_was_killed(pid_t pid, int pidfd)
{
	struct pidfd_info_exit info = { .mask = INFO_EXIT };
	char buf[1024], state = 0;
	const char *rest = stat_of(pid, buf, sizeof(buf));
	int code = 0;

	/* A zombie has it in the last field (linux fs/proc/array.c). */
	if (sscanf(rest, "%c", &state) == 1 && state == 'Z')
		code = atoi(strrchr(rest, ' ') + 1);
	else if (ioctl(pidfd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT))
		code = info.exit_code;
	return WIFSIGNALED(code);
}

/* Whether SIGKILL waits for the thread or its process. */
static bool kill_pending(pid_t pid)
{
	unsigned long long pending, all = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SigPnd: %llx", &pending) == 1 ||
		    sscanf(line, "ShdPnd: %llx", &pending) == 1)
			all |= pending;
	if (f)
		fclose(f);
	return all & 1ULL << (SIGKILL - 1);
}

enum takeover_task takeover_task_state(pid_t pid)
{
	unsigned int flags = 0;
	char buf[1024], state;

	if (sscanf(stat_of(pid, buf, sizeof(buf)), "%c %*d %*d %*d %*d %*d %u", &state, &flags) !=
	    2)
		return TAKEOVER_TASK_GONE;
	if (strchr("ZX", state) || (flags & PF_EXITING) || kill_pending(pid))
		return TAKEOVER_TASK_GONE;
	return state == 'T' ? TAKEOVER_TASK_STOPPED : TAKEOVER_TASK_RUNS;
}

bool takeover_tasks_traced(const pid_t *pids, size_t n, const pid_t *tracers, size_t n_tracers)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		pid_t tracer = tracer_of(pids[i]);
		bool traced = false;

		for (size_t t = 0; t < n_tracers; t++)
			traced |= tracer == tracers[t];
		if (!traced && takeover_task_state(pids[i]) != TAKEOVER_TASK_GONE)
			return false;
		any |= traced;
	}
	return any;
}

bool takeover_task_descends(pid_t pid, pid_t root)
{
	for (int depth = 0; depth < 64 && pid > 1; depth++) {
		if (pid == root)
			return true;
		pid = takeover_task_parent(pid);
	}
	return false;
}
