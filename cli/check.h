/* SPDX-License-Identifier: GPL-2.0-only */
/* ip-takeover check: findings about this host. No check changes anything on it, and none
 * sends a packet. */
#ifndef CHECK_H
#define CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"

#define CHECK_PATIENCE_MS 10000 /* for each program that is run */

enum check_state {
	CHECK_OK,
	CHECK_WARNING, /* a takeover works, though worse than it could */
	CHECK_NO,      /* this host cannot take part */
};

struct check {
	char name[80];
	enum check_state state;
	char what[600];
	char remedy[600]; /* empty when ok; may have several lines */
};

struct checks {
	const char *criu_name;	       /* --criu, or NULL: look on PATH */
	char criu[PATH_MAX];	       /* empty: none found */
	unsigned int criu_version;     /* 3.17 is 317; 0: not known */
	bool criu_works;	       /* on this kernel */
	bool root;		       /* effective user */
	struct takeover_config config; /* no addresses when it cannot be read */
	struct check found[3 * TAKEOVER_ADDRESSES_MAX + 128];
	size_t n;
};

/* Add a finding. @remedy: what a person can do, NULL when there is nothing to do. */
void check_say(struct checks *c, enum check_state state, const char *name, const char *remedy,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Whether none of them says no. */
bool check_ok(const struct checks *c);

/* To stdout; the exit status, 0 when all is well and said. */
int check_print(const struct checks *c, bool as_json);

/* For what only root, and what only criu, can find out. */
void check_needs_root(struct checks *c, const char *name);
void check_needs_criu(struct checks *c, const char *name);

/* check_host.c */
void check_privileges(struct checks *c);
void check_configuration(struct checks *c);
void check_run_dir(struct checks *c);

/* check_address.c */
void check_devices(struct checks *c);
void check_addresses(struct checks *c);
void check_keepalived(struct checks *c);

/* check_exec.c: runs their status, which is to change nothing */
void check_programs(struct checks *c);

/* check_kernel.c */
void check_guard(struct checks *c);
void check_sockets(struct checks *c);
void check_repair(struct checks *c);
void check_pidfd(struct checks *c);

/* check_criu.c */
void check_criu(struct checks *c);
void check_criu_works(struct checks *c);
void check_iptables(struct checks *c);

/* check_plugin.c */
void check_plugin(struct checks *c);
void check_hook(struct checks *c);

/* Our plugin's file, as it lies beside us; -errno. */
int check_find_plugin(char ret_path[PATH_MAX]);

/* check_runtime.c: says nothing where there is no runtime */
void check_runtimes(struct checks *c);

/* Whether criu loads our plugin under @runtime, "runc" or "crun"; if not that is @bad. */
void check_runtime(struct checks *c, const char *runtime, enum check_state bad);

/* The next line of @text that is an error of CRIU's, without its time; NULL: none. */
const char *check_next_error(const char **text);

/* What cli_run() returned, for a person. */
const char *check_why(int ret);

#endif
