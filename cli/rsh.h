/* SPDX-License-Identifier: GPL-2.0-only */
/* The other host's end of migrate and the like, started there by ssh or another remote shell. */
#ifndef RSH_H
#define RSH_H

#include <stdbool.h>
#include <sys/types.h>

#include "channel.h"

struct rsh {
	pid_t pid;
	int error_fd; /* what it says on its standard error */
	char said[2048];
};

/* Run "@rsh @host @program @verb", where @rsh may have options behind it, parted by spaces
 * (no shell sees it). *@ret_channel is its input and output. */
int rsh_start(struct rsh *rsh, const char *command, const char *host, const char *program,
	      const char *verb, struct channel **ret_channel);

/* Run "@rsh @host @program @verb @id": its exit status, or -errno. */
int rsh_run(const char *command, const char *host, const char *program, const char *verb,
	    const char *id);

/* The same beside us, without a word to or from it but rsh_why(); rsh_end() it. */
int rsh_ask(struct rsh *rsh, const char *command, const char *host, const char *program,
	    const char *verb, const char *id);

/* Whether it has ended: then its exit status, and rsh->pid is 0. */
bool rsh_ended(struct rsh *rsh, int *ret_status);

/* Why the channel has ended: what the remote shell said last. */
const char *rsh_why(struct rsh *rsh);

/* After channel_close(): wait for its end, but not for long. */
void rsh_end(struct rsh *rsh);

#endif
