// SPDX-License-Identifier: GPL-2.0-only
/* Docker: the table. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "docker.h"
#include "progress.h"

/* The restart policy on the source; NULL: that of before. */
static int set_policy(const struct container *c, const char *name, char *error, size_t len)
{
	json_t *policy =
		name ? json_pack("{s:{s:s}}", "RestartPolicy", "Name", name)
		     : json_pack("{s:O}", "RestartPolicy", json_object_get(c->spec, "restart"));
	int ret = docker_api("POST", policy, NULL, error, len, "/containers/%s/update", c->id);

	json_decref(policy);
	return ret;
}

static bool has_policy(const struct container *c)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(c->spec, "restart"), "Name"));

	return name && name[0] && strcmp(name, "no") != 0;
}

/* dockerd would start it again, without its memory, once criu has ended it. */
static int before(struct container *c, char *error, size_t len)
{
	return has_policy(c) ? set_policy(c, "no", error, len) : 0;
}

static void dump(const struct container *c, const char *dir, struct command *command)
{
	(void)dir;
	for (const char *const *word = (const char *const[]){ "docker", "--host", DOCKER_HOST,
							      "checkpoint", "create", NULL };
	     *word; word++)
		command_add(command, "%s", *word);
	command_add(command, "%s", c->id);
	command_add(command, DOCKER_CHECKPOINT "-%d", (int)getpid());
}

static void restore(const struct container *c, const char *dir, struct command *command)
{
	(void)dir;
	for (const char *const *word =
		     (const char *const[]){ "docker", "--host", DOCKER_HOST, "start",
					    "--checkpoint", DOCKER_CHECKPOINT, NULL };
	     *word; word++)
		command_add(command, "%s", *word);
	command_add(command, "%s", c->id);
}

static void moved(struct container *c)
{
	char error[300];

	if (docker_api("DELETE", NULL, NULL, error, sizeof(error),
		       "/containers/%s?force=true&v=true", c->id) < 0)
		progress_error("the container runs on the other host; what is left of it here is "
			       "not removed: %s; docker rm %s",
			       error, c->name);
}

static void stays(struct container *c)
{
	char error[300];

	if (has_policy(c) && set_policy(c, NULL, error, sizeof(error)) < 0)
		progress_error("its restart policy stays \"no\": %s; docker update --restart=%s %s",
			       error,
			       json_string_value(json_object_get(
				       json_object_get(c->spec, "restart"), "Name")),
			       c->name);
	docker_api("DELETE", NULL, NULL, error, sizeof(error),
		   "/containers/%s/checkpoints/" DOCKER_CHECKPOINT "-%d", c->id, (int)getpid());
}

/* Of a dump that has failed containerd's shim leaves it there; of a restore docker removes it. */
static void log_of(const struct container *c, const char *verb, const char *dir, char *buf,
		   size_t len)
{
	(void)dir;
	buf[0] = '\0';
	if (strcmp(verb, "dump") == 0)
		snprintf(buf, len,
			 "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/%s/"
			 "criu-dump.log",
			 c->id);
}

const struct runtime runtime_docker = {
	.name = "docker",
	.find = docker_find,
	.judge_here = docker_judge_here,
	.before = before,
	.dump = dump,
	.save = docker_save,
	.moved = moved,
	.stays = stays,
	.judge = docker_judge,
	.create = docker_create,
	.load = docker_load,
	.restore = restore,
	.runs = docker_runs,
	.remove = docker_remove,
	.log = log_of,
};
