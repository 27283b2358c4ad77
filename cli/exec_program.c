// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdio.h>

#include "exec_program.h"

int cli_program(const struct takeover_config *config, const struct takeover_address *address,
		enum takeover_exec_verb verb, const char *id)
{
	const struct takeover_exec_job job = {
		.settings = takeover_config_backend(config, address),
		.address = address,
		.source = verb == TAKEOVER_EXEC_WITHDRAW,
		.id = id,
	};
	char error[400];
	int ret;

	if (job.settings->kind != TAKEOVER_BACKEND_EXEC)
		return 0;
	/* Ignored, it would let the kernel reap the program. */
	signal(SIGCHLD, SIG_DFL);
	ret = takeover_exec_run(&job, verb, error, sizeof(error));
	if (ret < 0)
		fprintf(stderr, "ip-takeover: %s\n", error);
	return ret;
}
