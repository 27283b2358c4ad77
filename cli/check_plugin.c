// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what CRIU loads and runs of ours. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "config.h"
#include "run.h"
#include "scratch.h"

static char output[RUN_OUTPUT_MAX];

/* One of @ways from our own file, in the build tree or as installed. */
static int find_ours(const char *const ways[2], char *ret_path)
{
	char self[PATH_MAX], try[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return -errno;
	self[n] = '\0';
	dirname(self);
	for (int i = 0; i < 2; i++) {
		snprintf(try, sizeof(try), "%s/%s", self, ways[i]);
		if (realpath(try, ret_path))
			return 0;
	}
	return -ENOENT;
}

int check_find_plugin(char ret_path[PATH_MAX])
{
	static const char *const ways[2] = { "plugin/ip_takeover_plugin.so",
					     "../lib/criu-ip-takeover/ip_takeover_plugin.so" };

	return find_ours(ways, ret_path);
}

/* Have criu dump a process of ours that has ended and only waits to be reaped: no process can
 * be harmed, and criu loads its plugins before it finds out (criu/cr-dump.c, cr_dump_tasks).
 * The configuration that it names is none, so that our plugin has nothing to do. */
static int dump_zombie(const struct checks *c, const char *libdir, const char *scratch)
{
	char pid_text[16], config[sizeof(SCRATCH) + 64];
	int status = 0, ret;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) < 0)
		return -errno;
	snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	snprintf(config, sizeof(config), TAKEOVER_CONFIG_ENV "=%s/none", scratch);
	ret = cli_run((const char *[]){ c->criu, "dump", "--no-default-config", "-v4", "-t",
					pid_text, "--images-dir", scratch, "--work-dir", scratch,
					"--libdir", libdir, "--leave-running", NULL },
		      config, CHECK_PATIENCE_MS, output, sizeof(output), &status);
	waitpid(pid, NULL, 0);
	return ret;
}

static int load_plugin(const struct checks *c, const char *libdir)
{
	char scratch[] = SCRATCH;
	sigset_t before;
	int ret;

	output[0] = '\0';
	ret = scratch_begin(scratch, &before);
	if (ret == 0)
		ret = dump_zombie(c, libdir, scratch);
	scratch_end(scratch, &before);
	return ret;
}

void check_plugin(struct checks *c)
{
	const char *line, *text = output, *error;
	char path[PATH_MAX], libdir[PATH_MAX];
	int ret = check_find_plugin(path);

	if (ret < 0) {
		check_say(c, CHECK_NO, "plugin", "make install", "not beside ip-takeover: %s",
			  strerror(-ret));
		return;
	}
	if (!c->criu[0]) {
		check_needs_criu(c, "plugin");
		return;
	}
	if (!c->root) {
		check_needs_root(c, "plugin");
		return;
	}
	ret = load_plugin(c, dirname(strcpy(libdir, path)));
	line = strstr(output, "ip-takeover: init(DUMP): ");
	if (ret == 0 && line && strstr(line, "nothing to do")) {
		check_say(c, CHECK_OK, "plugin", NULL, "criu loads %s", path);
		return;
	}
	error = line ?: check_next_error(&text);
	check_say(c, CHECK_NO, "plugin",
		  c->criu_works ? "make install again, of a build for this machine"
				: "first see that criu check works",
		  "criu does not load %s: %.*s", path, error ? (int)strcspn(error, "\n") : 40,
		  error	    ? error
		  : ret < 0 ? check_why(ret)
			    : "it does not say why");
}

void check_hook(struct checks *c)
{
	static const char *const ways[2] = { "criu-action",
					     "../libexec/criu-ip-takeover/criu-action" };
	char path[PATH_MAX];
	int ret = find_ours(ways, path);

	if (ret == 0 && access(path, X_OK) < 0)
		ret = -errno;
	if (ret < 0)
		check_say(c, CHECK_NO, "action script", "make install", "criu-action: %s",
			  strerror(-ret));
	else
		check_say(c, CHECK_OK, "action script", NULL, "%s", path);
}
