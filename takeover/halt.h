/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that must not run when criu is killed: the kernel lets them go on at once, with sockets
 * in repair mode, before anybody can end that. A SIGSTOP that waits for each while criu has it
 * frozen stops it there, before it is back in its own code (linux kernel/signal.c, get_signal).
 */
#ifndef TAKEOVER_HALT_H
#define TAKEOVER_HALT_H

#include "keeper.h"

/* On the source, when a mover decides: all tasks of the trees, which criu has frozen and dumped.
 * A dump by criu alone may leave them stopped or running by its own options: not that. */
void takeover_halt(struct takeover_keeper *keeper);

/* They may go on, when and if criu lets them. */
void takeover_halt_end(struct takeover_keeper *keeper);

/* The same for the tree of @root, when its keeper is dead. */
void takeover_halt_end_tree(pid_t root);

#endif
