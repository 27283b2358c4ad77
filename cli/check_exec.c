// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the programs that move addresses: fit to be run, and they say who has them. */
#include <stdio.h>

#include "check.h"
#include "exec.h"
#include "netlink.h"

static void check_program(struct checks *c, size_t i)
{
	const struct takeover_exec_job job = {
		.settings = &c->config.backends[i],
		.address = &c->config.addresses[i],
		.source = false,
	};
	char ip[TAKEOVER_ADDRESS_STRLEN], name[TAKEOVER_ADDRESS_STRLEN + 16], error[400];
	long begin = takeover_now_ms();
	int ret;

	snprintf(name, sizeof(name), "program %s",
		 takeover_address_ip(job.address, ip, sizeof(ip)));
	if (takeover_program_check(job.settings->program, error, sizeof(error)) < 0) {
		check_say(c, CHECK_NO, name, "see ip-takeover(8), PROGRAMS", "%s", error);
		return;
	}
	if (!c->root) {
		check_needs_root(c, name);
		return;
	}
	ret = takeover_exec_status(&job, error, sizeof(error));
	if (ret < 0)
		check_say(c, CHECK_NO, name,
			  "its status is to exit with 0 or 1 in time, see ip-takeover(8), PROGRAMS",
			  "%s", error);
	else
		check_say(c, CHECK_OK, name, NULL,
			  "%s says within %ld ms that this host %s the address",
			  job.settings->program, takeover_now_ms() - begin,
			  ret ? "has" : "does not have");
}

void check_programs(struct checks *c)
{
	for (size_t i = 0; i < c->config.n_addresses; i++)
		if (c->config.backends[i].kind == TAKEOVER_BACKEND_EXEC)
			check_program(c, i);
}
