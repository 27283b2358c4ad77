// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what this host is set up for: privileges, configuration, /run. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "check.h"
#include "cli.h"
#include "journal.h"
#include "request.h"

static uint64_t effective_capabilities(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long set = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &set) == 1)
			break;
	if (f)
		fclose(f);
	return set;
}

void check_privileges(struct checks *c)
{
	static const struct {
		int number;
		const char *name;
	} needed[] = {
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },	  { CAP_NET_RAW, "CAP_NET_RAW" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },	  { CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
		{ CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE" }, { CAP_KILL, "CAP_KILL" },
	};
	uint64_t set = effective_capabilities();
	char missing[200] = "";

	c->root = geteuid() == 0;
	if (!c->root) {
		check_say(c, CHECK_NO, "privileges", "run criu and ip-takeover as root",
			  "user %d, not root", (int)geteuid());
		return;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(set & 1ULL << needed[i].number)) {
			strcat(missing, " ");
			strcat(missing, needed[i].name);
		}
	if (missing[0])
		check_say(c, CHECK_NO, "privileges", "give these capabilities to the container",
			  "root without%s", missing);
	else if (!(set & 1ULL << CAP_SYS_RESOURCE))
		check_say(
			c, CHECK_OK, "privileges", NULL,
			"root; without CAP_SYS_RESOURCE, so that criu dumps root's processes only");
	else
		check_say(c, CHECK_OK, "privileges", NULL, "root");
}

void check_configuration(struct checks *c)
{
	char error[200];
	int ret = takeover_config_read(&c->config, error, sizeof(error));

	if (ret == -ENOENT)
		check_say(c, CHECK_NO, "configuration",
			  "write there what this host may hold, as in: addresses = ( { address = "
			  "\"192.0.2.100/24\"; device = \"eth0\"; } );",
			  "%s", error);
	else if (ret < 0)
		check_say(c, CHECK_NO, "configuration", "correct it; ip-takeover(8) has an example",
			  "%s", error);
	else
		check_say(c, CHECK_OK, "configuration", NULL, "%zu address%s",
			  c->config.n_addresses, c->config.n_addresses == 1 ? "" : "es");
}

void check_run_dir(struct checks *c)
{
	bool exists = access(TAKEOVER_RUN_DIR, F_OK) == 0;
	const char *dir = exists ? TAKEOVER_RUN_DIR : "/run";
	char ids[300] = "";
	size_t n = 0, i;
	json_t *all, *j;

	if (!c->root) {
		check_needs_root(c, TAKEOVER_RUN_DIR);
		return;
	}
	if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) < 0) {
		check_say(c, CHECK_NO, TAKEOVER_RUN_DIR, "make it a directory that root can write",
			  "%s: %s", dir, strerror(errno));
		return;
	}
	all = cli_journals();
	json_array_foreach(all, i, j) {
		size_t len = strlen(ids);

		if (json_is_true(json_object_get(j, "keeper")))
			continue;
		snprintf(ids + len, sizeof(ids) - len, "%s%s (%s)", n++ ? ", " : "",
			 json_string_value(json_object_get(j, "id")) ?: "?",
			 json_string_value(json_object_get(j, "state")) ?: "?");
	}
	json_decref(all);
	if (n > 0)
		check_say(c, CHECK_WARNING, TAKEOVER_RUN_DIR,
			  "ip-takeover status says more; ip-takeover clean removes it",
			  "left over, without a keeper: %s", ids);
	else
		check_say(c, CHECK_OK, TAKEOVER_RUN_DIR, NULL, "%s, nothing left over",
			  exists ? "writable" : "can be made");
}
