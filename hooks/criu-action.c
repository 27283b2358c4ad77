// SPDX-License-Identifier: GPL-2.0-only
/*
 * criu --action-script: CRIU runs this at every stage, with the stage in
 * CRTOOLS_SCRIPT_ACTION. Exit code 0 goes on, 1 makes CRIU refuse or abort.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "armed.h"
#include "members.h"
#include "request.h"
#include "stage.h"

/* CRTOOLS_IMAGE_DIR is /proc/<criu>/fd/<n> (criu/action-scripts.c): it names CRIU's
 * process even when a shell stands between CRIU and us, as before CRIU 4. */
static pid_t criu_pid(const char *images)
{
	char again[64];
	int pid, fd;

	if (sscanf(images, "/proc/%d/fd/%d", &pid, &fd) != 2 || fd < 0)
		return -1;
	snprintf(again, sizeof(again), "/proc/%d/fd/%d", pid, fd);
	return strcmp(images, again) == 0 ? pid : -1;
}

static pid_t pid_of(const char *text)
{
	char again[16];

	snprintf(again, sizeof(again), "%d", atoi(text));
	return strcmp(text, again) == 0 ? atoi(text) : -1;
}

static bool is_socket(const char *path)
{
	static const char start[] = TAKEOVER_RUN_DIR "/criu-";

	return strncmp(path, start, sizeof(start) - 1) == 0 && strlen(path) < TAKEOVER_SOCKET_LEN;
}

static int refuse(const char *name, const char *expected)
{
	fprintf(stderr, "criu-action: %s: expected %s; run me by criu --action-script\n", name,
		expected);
	return 2;
}

int main(void)
{
	const char *stage = getenv("CRTOOLS_SCRIPT_ACTION");
	const char *images = getenv("CRTOOLS_IMAGE_DIR");
	const char *root = getenv("CRTOOLS_INIT_PID");
	const char *mover = getenv("IP_TAKEOVER_MOVER");
	const char *keeper = getenv(TAKEOVER_KEEPER_ENV), *tree = getenv(TAKEOVER_TREES_ENV);
	struct takeover_stage_context context = { 0 };
	char self[PATH_MAX], line[600];
	ssize_t n;
	int ret;

	if (!stage || !*stage)
		return refuse("CRTOOLS_SCRIPT_ACTION", "a stage like pre-dump");
	context.criu_pid = images ? criu_pid(images) : -1;
	if (context.criu_pid <= 0)
		return refuse("CRTOOLS_IMAGE_DIR", "/proc/PID/fd/N of a criu process");
	context.rpc = takeover_in_rpc_mode(context.criu_pid);
	context.checkpoint = getenv("IP_TAKEOVER_CHECKPOINT") != NULL;
	context.root_pid = root ? pid_of(root) : 0;
	if (context.root_pid < 0)
		return refuse("CRTOOLS_INIT_PID", "a PID, 0 or nothing");
	context.mover = mover ? pid_of(mover) : 0;
	if (context.mover < 0)
		return refuse("IP_TAKEOVER_MOVER", "the PID of ip-takeover migrate, or nothing");
	context.keeper = keeper && *keeper ? keeper : NULL;
	if (context.keeper && (context.mover == 0 || !is_socket(keeper)))
		return refuse(TAKEOVER_KEEPER_ENV, "a keeper's socket of ip-takeover migrate");
	/* Of a tree that is to be restored criu does not know it yet. */
	if (context.keeper && context.root_pid == 0)
		context.root_pid = tree ? pid_of(tree) : -1;
	if (context.root_pid < 0)
		return refuse(TAKEOVER_TREES_ENV, "the PID of this tree's root");
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0) {
		perror("criu-action: /proc/self/exe");
		return 1;
	}
	self[n] = '\0';
	context.self = self;
	context.images = images;
	ret = takeover_stage(&context, stage, 0, line, sizeof(line));
	if (line[0])
		fprintf(stderr, "ip-takeover: %s\n", line);
	return ret < 0;
}
