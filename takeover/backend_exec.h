/* SPDX-License-Identifier: GPL-2.0-only */
/* What the backend exec keeps of an address, in the keeper. */
#ifndef TAKEOVER_BACKEND_EXEC_H
#define TAKEOVER_BACKEND_EXEC_H

#include "program.h"

struct takeover_exec {
	struct takeover_program program;
	int op, step; /* where it is; a worker that dies there is followed by one that does the
		       * step again */
	bool had;     /* on the destination: before us */
	bool drawn;   /* and the program was asked to draw it here */
};

#endif
