// SPDX-License-Identifier: GPL-2.0-only
/* Check of what runc and crun tell criu: the lines of ours that scripts/runtime-conf puts into
 * their files, as criu reads them (criu/config.c, parse_statement). */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define PLUGIN "ip_takeover_plugin.so"

struct told {
	bool established;
	bool locks;	       /* by iptables, which leaves what locks a whole network namespace */
	char libdir[PATH_MAX]; /* empty: none */
};

static bool on_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
		int n = snprintf(file, sizeof(file), "%.*s/%s", (int)strcspn(path, ":"), path,
				 name);

		if (n < (int)sizeof(file) && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* One line: an option without its dashes, and its value. */
static void read_line(char *line, struct told *told)
{
	char *name = line + strspn(line, " \t"), *value = name + strcspn(name, " \t=\n");

	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t=");
	if (*value == '"')
		value[1 + strcspn(value + 1, "\"\n")] = '\0', value++;
	else
		value[strcspn(value, " \t\n")] = '\0';
	if (strcmp(name, "tcp-established") == 0)
		told->established = true;
	if (strcmp(name, "no-tcp-established") == 0)
		told->established = false;
	if (strcmp(name, "network-lock") == 0)
		told->locks = strcmp(value, "skip") != 0 && strcmp(value, "nftables") != 0;
	if (strcmp(name, "libdir") == 0)
		snprintf(told->libdir, sizeof(told->libdir), "%s", value);
}

static int read_told(const char *path, struct told *told)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");
	int ret = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0)
		read_line(line, told);
	if (ferror(f))
		ret = -EIO;
	free(line);
	fclose(f);
	return ret;
}

/* Whether it is there at all, and the one that lies beside us: builds are not mixed. */
static bool has_plugin(const char *libdir)
{
	char file[PATH_MAX + sizeof(PLUGIN) + 1];

	snprintf(file, sizeof(file), "%s/" PLUGIN, libdir);
	return access(file, R_OK) == 0;
}

static bool has_our_plugin(const char *libdir)
{
	char file[PATH_MAX + sizeof(PLUGIN) + 1], ours[PATH_MAX];
	struct stat a, b;

	snprintf(file, sizeof(file), "%s/" PLUGIN, libdir);
	return check_find_plugin(ours) < 0 || (stat(file, &a) == 0 && stat(ours, &b) == 0 &&
					       a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

void check_runtime(struct checks *c, const char *runtime, enum check_state bad)
{
	struct told told = { .locks = true };
	char path[64], remedy[120];
	int ret;

	snprintf(path, sizeof(path), "/etc/criu/%s.conf", runtime);
	snprintf(remedy, sizeof(remedy), "make install RUNTIMES=%s, to move its containers",
		 runtime);
	ret = read_told(path, &told);
	/* crun takes runc's file where it has none of its own (crun src/libcrun/criu.c). */
	if (ret == -ENOENT && strcmp(runtime, "crun") == 0 &&
	    read_told("/etc/criu/runc.conf", &told) == 0)
		strcpy(path, "/etc/criu/runc.conf"), ret = 0;
	if (ret < 0)
		check_say(c, bad, runtime, remedy, "its criu does not load the plugin: %s: %s",
			  path, strerror(-ret));
	else if (told.libdir[0] && access(told.libdir, R_OK | X_OK) < 0)
		check_say(c, bad, runtime, "remove that line, or install what it names",
			  "its criu will fail: %s: libdir %.200s: %s", path, told.libdir,
			  strerror(errno));
	else if (!told.libdir[0] || !has_plugin(told.libdir))
		check_say(c, bad, runtime, remedy,
			  "its criu does not load the plugin: %s names no libdir that has it",
			  path);
	else if (!has_our_plugin(told.libdir))
		check_say(c, bad, runtime, remedy,
			  "its criu loads the plugin of another ip-takeover: %s: libdir %.200s",
			  path, told.libdir);
	else if (!told.established)
		check_say(c, bad, runtime, remedy,
			  "its criu refuses connections: no tcp-established in %s", path);
	else if (told.locks && bad == CHECK_NO)
		check_say(c, bad, runtime, remedy,
			  "its criu locks networks by iptables, and leaves that behind: no "
			  "network-lock skip or nftables in %s",
			  path);
	else
		check_say(c, CHECK_OK, runtime, NULL, "its criu loads the plugin, by %s", path);
}

void check_runtimes(struct checks *c)
{
	static const struct {
		const char *name, *conf;
	} runtimes[] = {
		{ "runc", "/etc/criu/runc.conf" },
		{ "crun", "/etc/criu/crun.conf" },
	};

	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (access(runtimes[i].conf, F_OK) == 0 || on_path(runtimes[i].name))
			check_runtime(c, runtimes[i].name, CHECK_WARNING);
}
