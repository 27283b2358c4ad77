// SPDX-License-Identifier: GPL-2.0-only
/* Keepers without a journal and without a criu: nobody can reach them any more. They and
 * the packet queues that they hold end. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clean.h"
#include "journal.h"

#define DYING_MS 2000
/* A keeper that dies leaves its worker; one that dies is followed by another. */
#define ROUNDS 3

/* Whether it keeps its journal where we look. A container has a /run of its own. */
static bool shares_run(pid_t pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root/run/.", (int)pid);
	return stat(path, &its) == 0 && stat("/run/.", &own) == 0 && its.st_ino == own.st_ino &&
	       its.st_dev == own.st_dev;
}

/* "ip-takeover keeper ROLE CRIU-PID ...", one word after the other, of this host, in whichever
 * network namespace; its role and the PID of its criu. */
static bool is_keeper(pid_t pid, char *ret_role, size_t len, pid_t *ret_criu)
{
	char path[64], line[256], *word[4] = { line };
	size_t n;
	FILE *f;

	if (!shares_run(pid))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	for (int i = 1; i < 4; i++) {
		word[i] = word[i - 1] + strlen(word[i - 1]) + 1;
		if (word[i] >= line + n)
			return false;
	}
	if (strcmp(word[0], "ip-takeover") != 0 || strcmp(word[1], "keeper") != 0)
		return false;
	/* As its journal has it. */
	snprintf(ret_role, len, "%s", strcmp(word[2], "checkpoint") == 0 ? "source" : word[2]);
	/* One that stands by works for no criu, and is known by its own PID. */
	*ret_criu = strcmp(word[2], "standby") == 0 ? pid : atoi(word[3]);
	return *ret_criu > 0;
}

static bool is_known(const struct clean *c, const char *role, pid_t criu)
{
	char start[48];
	json_t *j;
	size_t i;

	snprintf(start, sizeof(start), TAKEOVER_RUN_DIR "/criu-%d-", (int)criu);
	json_array_foreach(c->journals, i, j)
		if (strncmp(journal_field(j, "socket"), start, strlen(start)) == 0 &&
		    strcmp(journal_field(j, "role"), role) == 0)
			return true;
	return false;
}

/* By a pidfd, looked at again: the PID may be another's meanwhile. */
static void end(struct clean *c, pid_t pid)
{
	struct pollfd pfd = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	char role[16];
	pid_t criu;

	if (pfd.fd < 0)
		return;
	if (is_keeper(pid, role, sizeof(role), &criu) &&
	    clean_removes(c, "keeper %d (%s of criu %d), which has no journal", (int)pid, role,
			  (int)criu)) {
		if (syscall(SYS_pidfd_send_signal, pfd.fd, SIGKILL, NULL, 0) < 0)
			clean_fails(c, "cannot end it", -errno);
		else if (poll(&pfd, 1, DYING_MS) == 0)
			clean_fails(c, "it does not end", -ETIMEDOUT);
	}
	close(pfd.fd);
}

void clean_keepers(struct clean *c)
{
	for (int round = 0; round < (c->dry ? 1 : ROUNDS); round++) {
		DIR *dir = opendir("/proc");
		struct dirent *de;

		while (dir && (de = readdir(dir))) {
			pid_t pid = atoi(de->d_name), criu;
			char role[16];

			if (pid > 0 && is_keeper(pid, role, sizeof(role), &criu) &&
			    kill(criu, 0) < 0 && !is_known(c, role, criu))
				end(c, pid);
		}
		if (dir)
			closedir(dir);
	}
}

bool clean_any_keeper(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	bool any = false;
	char role[16];
	pid_t criu;

	while (dir && !any && (de = readdir(dir)))
		any = atoi(de->d_name) > 0 &&
		      is_keeper(atoi(de->d_name), role, sizeof(role), &criu);
	if (dir)
		closedir(dir);
	return any;
}
