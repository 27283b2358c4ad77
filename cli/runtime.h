/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Container runtimes: how a container is looked up, made anew on another host, dumped and
 * restored, by the runtime's own command. What is the same for all of them is in container.h.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "address.h"
#include "check.h"
#include "outer.h"

#define RUNTIME_ID_LEN	128
#define RUNTIME_WORDS	250
#define RUNTIME_WAIT_MS 60000 /* for a command that is not the dump or the restore */

struct runtime;

struct container {
	const struct runtime *runtime;
	char name[RUNTIME_ID_LEN]; /* as a person names it */
	char id[RUNTIME_ID_LEN];   /* as the runtime does, on this host */
	pid_t pid;		   /* of its first process, on the source */
	/* On the destination: where the restore wants them; "": anywhere. On the source sent()'s.
	 */
	char images[PATH_MAX];
	bool begun; /* its dump, or its restore, was started here, once or more often */
	/* For the other host: what it needs to make the container anew. Of the fields that are the
	 * same for all runtimes see container.h. */
	json_t *spec;
};

/* A command line; the words are its own. */
struct command {
	char *words[RUNTIME_WORDS + 1];
	size_t n;
};

/* Functions that return an int return 0, or -errno with one line in @error that says what is wrong
 * and what to do. NULL: there is nothing to do for this runtime. */
struct runtime {
	const char *name; /* and the option of migrate */
	/* Its restore leaves its own outputs to the container, for as long as that lives: a file
	 * of ours would grow for ever. What it has to say it logs to DIR/restore-said.log. */
	bool mute;

	/* On the source. Fill in all of @ret_container but ->images. */
	int (*find)(const char *name, struct container *ret_container, char *error, size_t len);
	/* What of it cannot move, beside what container.h looks for. */
	void (*judge_here)(const struct container *c, struct checks *checks);
	/* Immediately before the dump: nobody but us may act when its process ends. */
	int (*before)(struct container *c, char *error, size_t len);
	/* Dump it, and let it die; without a takeover's script that is an ordinary checkpoint. @dir
	 * is an empty directory of ours, for logs, and for images if the runtime lets us choose. */
	void (*dump)(const struct container *c, const char *dir, struct command *ret_command);
	/* It is frozen: files of its own that the other host must have, into @dirfd. */
	int (*save)(const struct container *c, int dirfd, char *error, size_t len);
	/* Its images, in @dirfd, are on the other host. */
	void (*sent)(struct container *c, int dirfd);
	/* It runs elsewhere, and is to be forgotten here; or it was not moved, and runs. */
	void (*moved)(struct container *c);
	void (*stays)(struct container *c);

	/* On the destination. @spec is what find() has made there: untrusted. */
	void (*judge)(const json_t *spec, struct checks *checks);
	/* The device of this host behind which the container will have the address, if it has a
	 * network of its own; -ENODEV. */
	int (*device)(const json_t *spec, const struct takeover_address *address,
		      char ret_device[IF_NAMESIZE]);
	/* The network namespace that it will share with another one, which runs here: its path;
	 * "": it shares none. */
	int (*netns)(const json_t *spec, char *ret_path, size_t size, char *error, size_t len);
	/* Make it, not running, and fill in @ret_container. */
	int (*create)(const json_t *spec, struct container *ret_container, char *error, size_t len);
	/* Images and files are in the directory @dirfd: what save() has made goes to its place. */
	int (*load)(const struct container *c, int dirfd, char *error, size_t len);
	void (*restore)(const struct container *c, const char *dir, struct command *ret_command);
	/* A restore has failed, nothing of it runs, and there will be another one. */
	void (*again)(struct container *c);
	/* It runs. */
	void (*runs)(struct container *c);
	/* Before there is a keeper in the container's network namespace: the devices of this host
	 * that its own will be on, by their MACs (outer.h). At most TAKEOVER_OUTER_MAX. */
	size_t (*outer)(const struct container *c, struct takeover_outer *ret_all);
	/* Undo create(); nothing of it runs. */
	void (*remove)(struct container *c);

	/* CRIU's log of the dump or the restore, where a failed one leaves it: "" is not known. */
	void (*log)(const struct container *c, const char *verb, const char *dir, char *buf,
		    size_t len);
};

extern const struct runtime runtime_runc, runtime_crun, runtime_docker, runtime_podman;

/* By its name, or NULL. */
const struct runtime *runtime_find(const char *name);

/* One word more, printf-like. */
void command_add(struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void command_free(struct command *command);

/* Run it to its end; what it prints, both outputs, goes to @buf. 0; -ENOENT: no such program;
 * -ETIMEDOUT; -EIO: it has failed: the last line that it printed is @buf then. */
int command_run(const struct command *command, char *buf, size_t len);

/* The same for a few words, up to a NULL. */
int command_words(char *buf, size_t len, ...) __attribute__((sentinel));

#endif
