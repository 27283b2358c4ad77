// SPDX-License-Identifier: GPL-2.0-only
/* Checks of CRIU itself, and of what it locks with. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "run.h"

#define OLDEST	 317
#define HAS_SKIP 319 /* --network-lock skip */

static char output[RUN_OUTPUT_MAX];

const char *check_why(int ret)
{
	return ret == -ETIMEDOUT ? "it did not end within 10 s" : strerror(-ret);
}

/* @name as a shell would find it. */
static int find_program(const char *name, char *ret_path)
{
	const char *path = getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin";
	char try[PATH_MAX];
	struct stat st;

	while (!strchr(name, '/')) {
		size_t len = strcspn(path, ":");

		if (snprintf(try, sizeof(try), "%.*s/%s", (int)len, path, name) <
			    (int)sizeof(try) &&
		    len > 0 && access(try, X_OK) == 0 && stat(try, &st) == 0 &&
		    S_ISREG(st.st_mode)) {
			strcpy(ret_path, try);
			return 0;
		}
		if (path[len] == '\0')
			return -ENOENT;
		path += len + 1;
	}
	if (strlen(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (access(name, X_OK) < 0)
		return -errno;
	strcpy(ret_path, name);
	return 0;
}

void check_criu(struct checks *c)
{
	const char *name = c->criu_name ?: "criu", *version;
	unsigned int major, minor;
	int status = 0, ret = find_program(name, c->criu);

	if (ret < 0) {
		check_say(c, CHECK_NO, "criu",
			  "install CRIU 3.17 or newer, or name it: --criu PATH", "%s: %s%s", name,
			  strerror(-ret), strchr(name, '/') ? "" : ", on PATH");
		return;
	}
	ret = cli_run((const char *[]){ c->criu, "--version", NULL }, NULL, CHECK_PATIENCE_MS,
		      output, sizeof(output), &status);
	version = strstr(output, "Version: ");
	if (ret < 0 || !version || sscanf(version, "Version: %u.%u", &major, &minor) != 2) {
		check_say(c, CHECK_NO, "criu",
			  "install CRIU 3.17 or newer, or name it: --criu PATH",
			  "%s does not say its version%s%s", c->criu, ret < 0 ? ": " : "",
			  ret < 0 ? check_why(ret) : "");
		c->criu[0] = '\0';
		return;
	}
	version += strlen("Version: ");
	c->criu_version = major * 100 + minor;
	if (c->criu_version < OLDEST) {
		check_say(c, CHECK_NO, "criu", "install CRIU 3.17 or newer", "%s %.*s is too old",
			  c->criu, (int)strcspn(version, "\n"), version);
		c->criu[0] = '\0';
	} else {
		check_say(c, CHECK_OK, "criu", NULL, "%s %.*s%s", c->criu,
			  (int)strcspn(version, "\n"), version,
			  c->criu_version < HAS_SKIP ? ", which has no --network-lock skip" : "");
	}
}

const char *check_next_error(const char **text)
{
	while (**text) {
		const char *line = *text, *error, *end = line + strcspn(line, "\n");

		*text = *end ? end + 1 : end;
		error = strstr(line, "Error (");
		if (error && error < end && !memmem(error, end - error, "RLIMIT_NOFILE", 13))
			return error;
	}
	return NULL;
}

static void errors(char *buf, size_t len)
{
	const char *text = output, *error;
	size_t used = 0;

	buf[0] = '\0';
	while (used < len && (error = check_next_error(&text)))
		used += snprintf(buf + used, len - used, "%s%.*s", used ? "; " : "",
				 (int)strcspn(error, "\n"), error);
}

void check_criu_works(struct checks *c)
{
	int status = 0, ret;
	char said[400];

	if (!c->criu[0]) {
		check_needs_criu(c, "criu check");
		return;
	}
	if (!c->root) {
		check_needs_root(c, "criu check");
		return;
	}
	ret = cli_run((const char *[]){ c->criu, "check", NULL }, NULL, CHECK_PATIENCE_MS, output,
		      sizeof(output), &status);
	errors(said, sizeof(said));
	c->criu_works = ret == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (c->criu_works)
		check_say(c, CHECK_OK, "criu check", NULL, "works on this kernel");
	else
		check_say(c, CHECK_NO, "criu check",
			  strcasestr(said, "vdso") ? "install a newer CRIU: this one does not know "
						     "this kernel's vDSO"
						   : "install a CRIU that knows this kernel; "
						     "`criu check -v4` says more",
			  "%s: %s", ret < 0 ? check_why(ret) : "fails",
			  said[0] ? said : "it does not say why");
}

/* CRIU locks connections with it unless told otherwise. */
void check_iptables(struct checks *c)
{
	char path[PATH_MAX];
	bool needed = c->criu_version && c->criu_version < HAS_SKIP;
	int status = 0;

	if (find_program("iptables", path) < 0) {
		if (needed)
			check_say(c, CHECK_WARNING, "iptables",
				  "install iptables, or CRIU 3.19 for --network-lock skip",
				  "not found: this criu locks with it");
		else
			check_say(c, CHECK_OK, "iptables", NULL,
				  "not found: dump with --network-lock skip");
		return;
	}
	if (cli_run((const char *[]){ path, "--version", NULL }, NULL, CHECK_PATIENCE_MS, output,
		    sizeof(output), &status) < 0)
		output[0] = '\0';
	output[strcspn(output, "\n")] = '\0';
	check_say(c, CHECK_OK, "iptables", NULL, "%s%s", output[0] ? output : path,
		  strstr(output, "legacy") ? ": what CRIU locks with it, nft does not list" : "");
}
