/* SPDX-License-Identifier: GPL-2.0-only */
/* The command lines of ip-takeover checkpoint, checkpoints and revive. */
#ifndef CHECKPOINT_OPTIONS_H
#define CHECKPOINT_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#define CHECKPOINT_KEEP 3

struct checkpoint_options {
	pid_t pid;
	const char *dir; /* or NULL */
	const char *host, *rsh, *program;
	unsigned int keep;
	unsigned int max_age; /* 0: the configuration's */
	bool claim, quiet, json;
	const char *const *criu; /* up to a NULL */
};

/* Of the verb argv[0]. -1 and *@ret_options; else the exit status, said why. */
int checkpoint_options_read(int argc, char **argv, struct checkpoint_options *ret_options);

#endif
