/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract with a program of the user's that moves an address, ip-takeover(8) PROGRAMS: its
 * verbs, its environment, what its exit status means. */
#ifndef TAKEOVER_EXEC_H
#define TAKEOVER_EXEC_H

#include "config.h"
#include "program.h"

enum takeover_exec_verb { TAKEOVER_EXEC_CLAIM, TAKEOVER_EXEC_WITHDRAW, TAKEOVER_EXEC_STATUS };

/* What a program is told: all of it from this host's own configuration, but for the takeover's
 * id, which is a uuid, and a MAC. */
struct takeover_exec_job {
	const struct takeover_backend_settings *settings;
	const struct takeover_address *address;
	bool source;
	const char *id;		   /* of the takeover, or NULL: a person has asked */
	const unsigned char *peer; /* MAC of the other host on the device, or NULL */
};

const char *takeover_exec_verb_name(enum takeover_exec_verb verb);

/* Begin @verb, or go on with the one that @program is at. -EINPROGRESS: call again. 0: done, by
 * its own word; TAKEOVER_EXEC_STATUS: 1 when this host has the address and 0 when not. -errno
 * with @error saying which program failed at what, how, and what to do. */
int takeover_exec_go_on(struct takeover_program *program, const struct takeover_exec_job *job,
			enum takeover_exec_verb verb, char *error, size_t len);

/* Its status must agree with @verb, which it says that it has done. As above, and
 * -EREMOTEIO when it does not. */
int takeover_exec_verify(struct takeover_program *program, const struct takeover_exec_job *job,
			 enum takeover_exec_verb verb, char *error, size_t len);

/* Both, and wait: for a person's command. */
int takeover_exec_run(const struct takeover_exec_job *job, enum takeover_exec_verb verb,
		      char *error, size_t len);

/* Its status, and wait: 1, 0 or -errno as above. */
int takeover_exec_status(const struct takeover_exec_job *job, char *error, size_t len);

#endif
