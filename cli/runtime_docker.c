// SPDX-License-Identifier: GPL-2.0-only
/* Docker: the table. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "docker.h"
#include "place.h"
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

/* containerd packs a checkpoint, all of it, before docker checkpoint ends: seconds for each 100
 * MiB. Memory goes aside, in the same file system; by a link that leads there from anywhere docker
 * start --checkpoint would find it here, too. */
static void sent(struct container *c, int dirfd)
{
	char proc[64], at[PATH_MAX - 128] = "", name[32], link[PATH_MAX];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", dirfd);
	if (readlink(proc, at, sizeof(at) - 64) < 0 || !strrchr(at, '/'))
		return;
	snprintf(strrchr(at, '/'), 64, "/" PLACE_NAME "%d", (int)getpid());
	if (mkdir(at, 0700) < 0)
		return;
	snprintf(c->images, sizeof(c->images), "%s", at);
	for (int i = 1;; i++) {
		snprintf(name, sizeof(name), "pages-%d.img", i);
		snprintf(link, sizeof(link), "%s/%s", at, name);
		if (renameat(dirfd, name, AT_FDCWD, link) < 0)
			return;
		snprintf(link, sizeof(link), DOCKER_UP "%s/%s", at, name);
		if (symlinkat(link, dirfd, name) < 0)
			return;
	}
}

static void forget_sent(const struct container *c)
{
	int fd = c->images[0] ? open(c->images, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	place_empty(fd, c->images);
	close(fd);
}

static void moved(struct container *c)
{
	char error[300];

	forget_sent(c);
	if (docker_api("DELETE", NULL, NULL, error, sizeof(error),
		       "/containers/%s?force=true&v=true", c->id) < 0)
		progress_error("the container runs on the other host; what is left of it here is "
			       "not removed: %s; docker rm %s",
			       error, c->name);
}

/* 0 and what dockerd thinks. */
static int is_paused(const struct container *c, bool *ret_paused)
{
	char error[300];
	json_t *inspect = NULL;
	int ret = docker_api("GET", NULL, &inspect, error, sizeof(error), "/containers/%s/json",
			     c->id);

	*ret_paused = json_is_true(json_object_get(json_object_get(inspect, "State"), "Paused"));
	json_decref(inspect);
	return ret;
}

/* By the runtime itself: "pause" or "resume". */
static void tell_runtime(const struct container *c, const char *verb)
{
	const char *oci = json_string_value(json_object_get(c->spec, "oci"));
	char root[128], text[300];

	snprintf(root, sizeof(root), "/run/docker/runtime-%.60s/moby", oci);
	command_words(text, sizeof(text), oci, "--root", root, verb, c->id, NULL);
}

/* containerd pauses what it dumps, and cannot resume it when the dump has failed, since CRIU has
 * done so (containerd-shim-runc-v2; criu/seize.c): dockerd takes it for paused from then on, and
 * does not believe in docker unpause. So it is paused for a moment. When dockerd was killed it may
 * be paused indeed, and nobody else resumes it. */
static void resume(const struct container *c)
{
	char error[300];
	bool paused;

	if (is_paused(c, &paused) < 0) {
		tell_runtime(c, "resume");
		return;
	}
	if (!paused)
		return;
	tell_runtime(c, "pause");
	if (docker_api("POST", NULL, NULL, error, sizeof(error), "/containers/%s/unpause", c->id) <
	    0) {
		tell_runtime(c, "resume");
		progress_error("it runs, but is paused for dockerd: %s", error);
	}
}

static void stays(struct container *c)
{
	char error[300], name[64];

	forget_sent(c);
	resume(c);
	if (has_policy(c) && set_policy(c, NULL, error, sizeof(error)) < 0)
		progress_error("its restart policy stays \"no\": %s; docker update --restart=%s %s",
			       error,
			       json_string_value(json_object_get(
				       json_object_get(c->spec, "restart"), "Name")),
			       c->name);
	snprintf(name, sizeof(name), DOCKER_CHECKPOINT "-%d", (int)getpid());
	docker_remove_checkpoint(c, name);
}

/* Of a dump that has failed containerd's shim leaves it there; of a restore docker removes it. */
static void log_of(const struct container *c, const char *verb, const char *dir, char *buf,
		   size_t len)
{
	bool dump = strcmp(verb, "dump") == 0;
	const char *root = json_string_value(json_object_get(c->spec, "root"));

	(void)dir;
	snprintf(buf, len, "%s/containerd/daemon/io.containerd.runtime.v2.task/moby/%s/%s.log",
		 dump ? "/run/docker" : root, c->id, dump ? "criu-dump" : "restore");
}

const struct runtime runtime_docker = {
	.name = "docker",
	.find = docker_find,
	.judge_here = docker_judge_here,
	.before = before,
	.dump = dump,
	.save = docker_save,
	.sent = sent,
	.moved = moved,
	.stays = stays,
	.judge = docker_judge,
	.netns = docker_netns,
	.create = docker_create,
	.load = docker_load,
	.restore = restore,
	.runs = docker_runs,
	.remove = docker_remove,
	.log = log_of,
};
