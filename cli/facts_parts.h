/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of facts_collect(). */
#ifndef FACTS_PARTS_H
#define FACTS_PARTS_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "config.h"

struct facts_task {
	pid_t pid, parent, group, session;
	pid_t root; /* of its tree, 0: of none */
};

struct facts_tree {
	struct facts_task *tasks; /* of all roots; free() it */
	size_t n;
	const pid_t *roots;
	size_t n_roots;
};

/* @error, printf-like; returns @ret. */
int facts_say(char *error, size_t len, int ret, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* facts_tasks.c: what facts_collect() says about @pids. */
int facts_tree_find(const pid_t *pids, size_t n, struct facts_tree *ret_tree, char *error,
		    size_t len);

/* Each adds its fields to @facts. A task that ends meanwhile is passed over. */
void facts_add_tasks(json_t *facts, const struct facts_tree *tree);
void facts_add_files(json_t *facts, const struct facts_tree *tree);

/* facts_sockets.c, facts_patience.c; 0 or -errno. */
int facts_add_sockets(json_t *facts, const struct facts_tree *tree,
		      const struct takeover_config *config);
void facts_add_patience(json_t *facts, const struct facts_tree *tree);

/* facts_host.c; 0 or -errno with @error. */
int facts_add_host(json_t *facts, char *error, size_t len);

#endif
