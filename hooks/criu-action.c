// SPDX-License-Identifier: GPL-2.0-only
/*
 * criu --action-script: CRIU runs this at every stage, with the stage in
 * CRTOOLS_SCRIPT_ACTION. Exit code 0 goes on, 1 makes CRIU refuse or abort.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

/* CRTOOLS_IMAGE_DIR is /proc/<criu>/fd/<n> (criu/action-scripts.c): it names CRIU's
 * process even when a shell stands between CRIU and us, as before CRIU 4. */
static pid_t criu_pid(const char *images)
{
	int pid, fd;

	if (sscanf(images, "/proc/%d/fd/%d", &pid, &fd) == 2)
		return pid;
	return getppid();
}

int main(void)
{
	const char *stage = getenv("CRTOOLS_SCRIPT_ACTION");
	const char *images = getenv("CRTOOLS_IMAGE_DIR");
	const char *root = getenv("CRTOOLS_INIT_PID");
	struct takeover_stage_context context = { 0 };
	char self[PATH_MAX], line[600];
	ssize_t n;
	int ret;

	if (!stage || !images) {
		fprintf(stderr,
			"criu-action: run me by criu --action-script; CRTOOLS_SCRIPT_ACTION "
			"and CRTOOLS_IMAGE_DIR are not set\n");
		return 2;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0) {
		perror("criu-action: /proc/self/exe");
		return 1;
	}
	self[n] = '\0';
	context.self = self;
	context.images = images;
	context.criu_pid = criu_pid(images);
	context.root_pid = root ? atoi(root) : 0;
	ret = takeover_stage(&context, stage, 0, line, sizeof(line));
	if (line[0])
		fprintf(stderr, "ip-takeover: %s\n", line);
	return ret < 0;
}
