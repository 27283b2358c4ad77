// SPDX-License-Identifier: GPL-2.0-only
/* Files and guards that no journal names. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "armed.h"
#include "clean.h"
#include "guard.h"
#include "journal.h"
#include "manifest.h"
#include "nonlocal.h"
#include "outer.h"
#include "request.h"

#define WRITING_S 10 /* longer takes no keeper to replace its journal */

static bool is_named(const struct clean *c, const char *field, const char *value)
{
	json_t *j;
	size_t i;

	json_array_foreach(c->journals, i, j)
		if (strcmp(journal_field(j, field), value) == 0)
			return true;
	return false;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), len = strlen(end);

	return n > len && strcmp(name + n - len, end) == 0;
}

/* Nobody listens on it, and nobody is about to: its criu is gone. */
static bool is_deaf(const char *name, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char living[TAKEOVER_SOCKET_LEN];
	int criu, fd;
	bool deaf;

	if (strlen(path) >= sizeof(sun.sun_path) || sscanf(name, "criu-%d-", &criu) != 1 ||
	    strcmp(takeover_request_path(criu, living, sizeof(living)), path) == 0)
		return false;
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	deaf = fd >= 0 && connect(fd, (void *)&sun, sizeof(sun)) < 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return deaf;
}

/* Of a criu that is gone, whose keeper is. */
static bool is_dead_mark(const char *name, const char *path)
{
	char living[TAKEOVER_SOCKET_LEN], mark[TAKEOVER_SOCKET_LEN + 16], socket[600];
	int criu;

	if (sscanf(name, "criu-%d-", &criu) != 1 ||
	    strcmp(takeover_request_mark(takeover_request_path(criu, living, sizeof(living)), mark,
					 sizeof(mark)),
		   path) == 0)
		return false;
	snprintf(socket, sizeof(socket), "%.*s.sock", (int)(strlen(path) - strlen(".committed")),
		 path);
	return access(socket, F_OK) < 0;
}

static bool is_old(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && time(NULL) - st.st_mtime > WRITING_S;
}

/* Its time is over, or its mover has ended, or the process that it was for. */
static bool is_stale(const char *name)
{
	struct takeover_armed armed;
	char record[TAKEOVER_ARMED_NAME_LEN], again[TAKEOVER_ARMED_NAME_LEN];
	int pid = 0;

	snprintf(record, sizeof(record), "%s", name + strlen("armed-"));
	record[strcspn(record, ".")] = '\0';
	if (takeover_armed_find(record, &armed) < 0)
		return true;
	return !takeover_manifest_is_id(record) && sscanf(record, "%d-", &pid) == 1 &&
	       strcmp(takeover_armed_root(pid, again, sizeof(again)), record) != 0;
}

static bool is_readable(const char *path)
{
	json_t *journal = NULL;
	char error[800];
	int ret = takeover_journal_read(path, &journal, error, sizeof(error));

	json_decref(journal);
	return ret == 0 || ret == -ENOENT;
}

static void clean_file(struct clean *c, const char *name, const char *path)
{
	const char *why = NULL;

	if (strcmp(name, NONLOCAL_NAME) == 0 && nonlocal_is_left() &&
	    clean_removes(c,
			  "net.ipv4.ip_nonlocal_bind = 1, which a move that was killed has left"))
		nonlocal_clean();
	if (strncmp(name, "armed-", 6) == 0 && is_stale(name))
		why = "for a dump or restore that will not come";
	else if (ends_with(name, ".sock") && is_deaf(name, path))
		why = "on which no keeper listens";
	else if (ends_with(name, ".committed") && is_dead_mark(name, path))
		why = "which no keeper needs any more";
	else if (ends_with(name, ".json.tmp") && is_old(path))
		why = "half a journal";
	else if (ends_with(name, ".json") && !is_readable(path))
		why = "a journal that cannot be read";
	if (why && ends_with(name, ".json") && clean_any_keeper()) {
		clean_keeps("%s, %s: it may be that of a keeper at work", path, why);
		c->unsure = true;
		return;
	}
	if (why && clean_removes(c, "%s, %s", path, why) && unlink(path) < 0 && errno != ENOENT)
		clean_fails(c, path, -errno);
}

void clean_files(struct clean *c)
{
	DIR *dir = opendir(TAKEOVER_RUN_DIR);
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		char path[sizeof(TAKEOVER_RUN_DIR) + sizeof(de->d_name) + 1];

		snprintf(path, sizeof(path), TAKEOVER_RUN_DIR "/%s", de->d_name);
		clean_file(c, de->d_name, path);
	}
	if (dir)
		closedir(dir);
}

void clean_guards(struct clean *c)
{
	char(*names)[TAKEOVER_GUARD_NAME_LEN] = NULL;
	size_t n = 0;
	int ret;

	ret = takeover_guard_list(&names, &n);
	if (ret < 0)
		clean_fails(c, "cannot list the guards", ret);
	/* A keeper journals its guard before it sets it: only now does this tell. */
	json_decref(c->journals);
	c->journals = cli_journals();
	for (size_t i = 0; c->journals && ret == 0 && i < n; i++) {
		int removed;

		if (is_named(c, "guard", names[i]) || takeover_outer_is_used(names[i]))
			continue;
		if (c->unsure) {
			clean_keeps("guard ip-takeover-%s: a journal cannot be read", names[i]);
			continue;
		}
		if (!clean_removes(c, "guard ip-takeover-%s, which no journal names", names[i]))
			continue;
		removed = takeover_guard_remove(names[i]);
		if (removed < 0)
			clean_fails(c, "cannot remove it", removed);
	}
	free(names);
}
