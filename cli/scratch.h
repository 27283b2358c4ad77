/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory for a criu that is run to find something out. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <signal.h>

#define SCRATCH "/tmp/ip-takeover-check-XXXXXX"

/* Begin with @dir as SCRATCH: makes it, and its name. Whoever interrupts us waits until
 * scratch_end(), with the same @before. 0 or -errno; end it either way. */
int scratch_begin(char dir[sizeof(SCRATCH)], sigset_t *before);

/* Removes it, with whatever criu has left in it. */
void scratch_end(const char *dir, const sigset_t *before);

#endif
