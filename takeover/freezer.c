// SPDX-License-Identifier: GPL-2.0-only
/* By /proc/PID/cgroup, and the files where every distribution mounts them. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "freezer.h"

/* Whether @line is one of the file's. */
static bool has_line(const char *cgroup, const char *file, const char *line)
{
	char path[PATH_MAX + 64], text[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	f = fopen(path, "re");
	while (f && !found && fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		found = strcmp(text, line) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

/* HIERARCHY:CONTROLLERS:PATH (cgroups(7)). */
static bool is_frozen(char *line)
{
	char *controllers = strchr(line, ':'), *path, cgroup[PATH_MAX];

	path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path)
		return false;
	*path++ = '\0';
	if (strcmp(controllers, ":freezer") == 0) {
		snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/freezer%s", path);
		return has_line(cgroup, "freezer.state", "FROZEN");
	}
	if (controllers[1])
		return false;
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup%s", path);
	if (has_line(cgroup, "cgroup.events", "frozen 1"))
		return true;
	/* Beside the older hierarchies. */
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/unified%s", path);
	return has_line(cgroup, "cgroup.events", "frozen 1");
}

bool takeover_freezer_has(pid_t pid)
{
	char path[64], line[PATH_MAX];
	bool frozen = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	f = fopen(path, "re");
	while (f && !frozen && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		frozen = is_frozen(line);
	}
	if (f)
		fclose(f);
	return frozen;
}
