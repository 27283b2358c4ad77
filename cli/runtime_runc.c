// SPDX-License-Identifier: GPL-2.0-only
/* runc and crun, which have the same verbs. A container is a bundle, a directory that a person has
 * made: it is to be on both hosts, at the same place. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "facts_fields.h"
#include "run.h"
#include "runtime.h"

#define TRIES	 50
#define AGAIN_MS 50

static int load_config(const char *bundle, json_t **ret_config, char *error, size_t len)
{
	char path[PATH_MAX + 16];
	json_error_t why;

	snprintf(path, sizeof(path), "%s/config.json", bundle);
	*ret_config = json_load_file(path, 0, &why);
	if (*ret_config)
		return 0;
	snprintf(error, len, "%s: %s", path, why.text);
	return -EINVAL;
}

/* Sources of bind mounts (OCI runtime specification, config.md, "Mounts"). */
static json_t *mounts_of(const json_t *config)
{
	json_t *list = json_array(), *mount, *option;
	size_t i, k;

	json_array_foreach(json_object_get(config, "mounts"), i, mount) {
		bool bind = false;

		json_array_foreach(json_object_get(mount, "options"), k, option)
			bind |= strcmp(json_string_value(option) ?: "", "bind") == 0 ||
				strcmp(json_string_value(option) ?: "", "rbind") == 0;
		if (bind)
			container_add_mount(
				list, json_string_value(json_object_get(mount, "source")),
				json_string_value(json_object_get(mount, "destination")));
	}
	return list;
}

/* As either takes it for a new one (runc libcontainer/factory_linux.go, crun
 * src/libcrun/container.c), and one that is a name in a path. */
static bool id_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < RUNTIME_ID_LEN && name[0] != '-' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.") ==
		       n;
}

/* What "state" has printed, behind warnings. */
static json_t *load_state(const char *text)
{
	const char *begin = strchr(text, '{');

	return begin ? json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static int find(const struct runtime *runtime, const char *name, struct container *c, char *error,
		size_t len)
{
	char text[RUN_OUTPUT_MAX];
	const char *bundle, *status;
	json_t *state, *config;
	json_int_t pid;
	int ret;

	if (!id_ok(name)) {
		snprintf(error, len, "\"%.60s\" is no ID of a container, or too long a one", name);
		return -EINVAL;
	}
	ret = command_words(text, sizeof(text), runtime->name, "state", name, NULL);
	if (ret < 0) {
		snprintf(error, len, "%.200s", text);
		return ret;
	}
	state = load_state(text);
	if (!facts_text(state, "status", 32, false, &status) ||
	    !facts_text(state, "bundle", PATH_MAX - 1, false, &bundle) ||
	    !facts_number(state, "pid", 0, INT_MAX, &pid)) {
		snprintf(error, len, "%s state %s: it says nothing that makes sense", runtime->name,
			 name);
		ret = -EPROTO;
	} else if (strcmp(status, "running") != 0) {
		snprintf(error, len, "container %s is %s; it must run", name, status);
		ret = -ESRCH;
	} else {
		ret = load_config(bundle, &config, error, len);
	}
	if (ret == 0) {
		*c = (struct container){ .runtime = runtime, .pid = pid };
		snprintf(c->name, sizeof(c->name), "%s", name);
		snprintf(c->id, sizeof(c->id), "%s", name);
		c->spec = json_pack("{s:s, s:s, s:s, s:o, s:o}", "runtime", runtime->name, "name",
				    name, "bundle", bundle, "mounts", mounts_of(config), "config",
				    config);
		if (!c->spec) {
			snprintf(error, len, "%s state %s: it says nothing that makes sense",
				 runtime->name, name);
			ret = -EPROTO;
		}
	}
	json_decref(state);
	return ret;
}

static int find_runc(const char *name, struct container *c, char *error, size_t len)
{
	return find(&runtime_runc, name, c, error, len);
}

static int find_crun(const char *name, struct container *c, char *error, size_t len)
{
	return find(&runtime_crun, name, c, error, len);
}

/* Without --tcp-established: that is in the same file as our plugin (check_runtime.c). Where criu
 * has not read it the dump fails, instead of ending the container, with its connections, for good.
 */
static void dump(const struct container *c, const char *dir, struct command *command)
{
	char images[PATH_MAX + 16];

	snprintf(images, sizeof(images), "%s/images", dir);
	mkdir(images, 0700);
	command_add(command, "%s", c->runtime->name);
	command_add(command, "checkpoint");
	command_add(command, "--image-path=%s", images);
	command_add(command, "--work-path=%s", dir);
	command_add(command, "%s", c->id);
}

static bool spec_of(const json_t *spec, const char **ret_name, const char **ret_bundle)
{
	return facts_text(spec, "name", RUNTIME_ID_LEN - 1, false, ret_name) && id_ok(*ret_name) &&
	       facts_text(spec, "bundle", PATH_MAX - 1, false, ret_bundle) &&
	       (*ret_bundle)[0] == '/';
}

/* Where either keeps what it knows of a container, by default, as root (runc main.go, crun
 * src/libcrun/status.c). Of one that has failed this may be all that there is. */
static bool is_taken(const struct runtime *runtime, const char *name)
{
	char path[RUNTIME_ID_LEN + 32];
	struct stat st;

	snprintf(path, sizeof(path), "/run/%s/%s", runtime->name, name);
	return lstat(path, &st) == 0;
}

/* What an OCI runtime needs beside the configuration. */
static int look_at_rootfs(const char *bundle, const json_t *config, char *error, size_t len)
{
	const json_t *root = json_object_get(config, "root");
	const char *path = json_string_value(json_object_get(root, "path")) ?: "";
	char full[2 * PATH_MAX];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s%s", path[0] == '/' ? "" : bundle,
		 path[0] == '/' ? "" : "/", path);
	errno = ENOTDIR;
	if (stat(full, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	snprintf(error, len, "%.300s: %s", full, strerror(errno));
	return -errno;
}

static void judge(const struct runtime *runtime, const json_t *spec, struct checks *checks)
{
	const char *name, *bundle;
	char text[RUN_OUTPUT_MAX];
	json_t *config = NULL;
	int ret;

	if (!spec_of(spec, &name, &bundle)) {
		check_say(checks, CHECK_NO, "container", "the same ip-takeover on both hosts",
			  "expected its name and bundle");
		return;
	}
	ret = command_words(text, sizeof(text), runtime->name, "state", name, NULL);
	if (ret == 0 || is_taken(runtime, name))
		check_say(checks, CHECK_NO, "container", "delete it, or give it another name",
			  "a container \"%s\" is here already", name);
	else if (ret != -EIO)
		check_say(checks, CHECK_NO, "container", "have it here as on the source", "%.300s",
			  text[0] ? text : strerror(-ret));
	if (load_config(bundle, &config, text, sizeof(text)) < 0)
		check_say(checks, CHECK_NO, "bundle", "copy the bundle here, to the same place",
			  "%.300s", text);
	else if (!json_equal(config, json_object_get(spec, "config")))
		check_say(checks, CHECK_NO, "bundle", "copy it from the source",
			  "%.300s/config.json is another one than on the source", bundle);
	else if (look_at_rootfs(bundle, config, text, sizeof(text)) < 0)
		check_say(checks, CHECK_NO, "bundle", "copy it from the source", "%.300s", text);
	else
		check_say(checks, CHECK_OK, "bundle", NULL, "%.300s", bundle);
	json_decref(config);
}

static void judge_runc(const json_t *spec, struct checks *checks)
{
	judge(&runtime_runc, spec, checks);
}

static void judge_crun(const json_t *spec, struct checks *checks)
{
	judge(&runtime_crun, spec, checks);
}

/* Made by the restore itself. */
static int create(const struct runtime *runtime, const json_t *spec, struct container *c,
		  char *error, size_t len)
{
	const char *name, *bundle;

	if (!spec_of(spec, &name, &bundle)) {
		snprintf(error, len, "container: expected its name and bundle");
		return -EINVAL;
	}
	*c = (struct container){ .runtime = runtime, .spec = json_incref((json_t *)spec) };
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->id, sizeof(c->id), "%s", name);
	return 0;
}

static int create_runc(const json_t *spec, struct container *c, char *error, size_t len)
{
	return create(&runtime_runc, spec, c, error, len);
}

static int create_crun(const json_t *spec, struct container *c, char *error, size_t len)
{
	return create(&runtime_crun, spec, c, error, len);
}

/* The last moment to find that the name was taken since. */
static int load(const struct container *c, int dirfd, char *error, size_t len)
{
	(void)dirfd;
	if (!is_taken(c->runtime, c->id))
		return 0;
	snprintf(error, len, "a container \"%s\" exists on the other host by now; delete it there",
		 c->id);
	return -EEXIST;
}

static void restore(const struct container *c, const char *dir, struct command *command)
{
	command_add(command, "%s", c->runtime->name);
	command_add(command, "--log=%s/restore-said.log", dir);
	command_add(command, "restore");
	command_add(command, "--detach");
	command_add(command, "--tcp-established");
	command_add(command, "--image-path=%s", dir);
	command_add(command, "--work-path=%s", dir);
	command_add(command, "--bundle=%s", json_string_value(json_object_get(c->spec, "bundle")));
	command_add(command, "%s", c->id);
}

/* When that is not to be found out it does: nobody ends it then. */
static bool runs(const struct container *c)
{
	char text[RUN_OUTPUT_MAX];
	const char *status;
	json_t *state;
	bool runs;
	int ret = command_words(text, sizeof(text), c->runtime->name, "state", c->id, NULL);

	if (ret < 0)
		return ret != -EIO;
	state = load_state(text);
	runs = !facts_text(state, "status", 32, false, &status) || strcmp(status, "stopped") != 0;
	json_decref(state);
	return runs;
}

/* Where a restore has criu find the root file system: runc, killed, leaves that mounted in its
 * state, and cannot delete it then (libcontainer/criu_linux.go); crun in the bundle
 * (src/libcrun/criu.c). */
static void unmount(const struct container *c)
{
	const char *bundle = json_string_value(json_object_get(c->spec, "bundle"));
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "/run/%s/%s/criu-root", c->runtime->name, c->id);
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	snprintf(path, sizeof(path), "%s/criu-root", bundle ?: "");
	if (bundle && umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		rmdir(path);
}

/* It has no process any more, or they are about to end. One that goes on to run is somebody
 * else's. */
static void delete (const struct container *c)
{
	char text[512];

	if (!is_taken(c->runtime, c->id))
		return;
	for (int i = 0; runs(c); i++) {
		if (i == TRIES)
			return;
		poll(NULL, 0, AGAIN_MS);
	}
	unmount(c);
	command_words(text, sizeof(text), c->runtime->name, "delete", "--force", c->id, NULL);
}

/* A restore that has failed may leave a state behind. */
static void forget(struct container *c)
{
	if (c->begun)
		delete (c);
}

/* Its checkpoint removes it, unless that was killed. */
static void moved(struct container *c)
{
	delete (c);
}

static void log_of(const struct container *c, const char *verb, const char *dir, char *buf,
		   size_t len)
{
	(void)c;
	snprintf(buf, len, "%s/%s.log", dir, verb);
}

const struct runtime runtime_runc = {
	.name = "runc",
	.mute = true,
	.find = find_runc,
	.dump = dump,
	.moved = moved,
	.judge = judge_runc,
	.create = create_runc,
	.load = load,
	.restore = restore,
	.again = forget,
	.remove = forget,
	.log = log_of,
};

const struct runtime runtime_crun = {
	.name = "crun",
	.mute = true,
	.find = find_crun,
	.dump = dump,
	.moved = moved,
	.judge = judge_crun,
	.create = create_crun,
	.load = load,
	.restore = restore,
	.again = forget,
	.remove = forget,
	.log = log_of,
};
