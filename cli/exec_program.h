/* SPDX-License-Identifier: GPL-2.0-only */
/* A configured address's program, if it has one, by hand or in a killed keeper's stead. */
#ifndef EXEC_PROGRAM_H
#define EXEC_PROGRAM_H

#include "exec.h"

/* Have it do @verb for @address and wait; @id of the takeover, or NULL. 0 also when the
 * address has no program. -errno: said why. */
int cli_program(const struct takeover_config *config, const struct takeover_address *address,
		enum takeover_exec_verb verb, const char *id);

#endif
