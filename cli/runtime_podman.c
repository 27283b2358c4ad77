// SPDX-License-Identifier: GPL-2.0-only
/* Containers of podman, those of root: on the source. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "place.h"
#include "podman.h"
#include "run.h"

json_t *podman_mounts(const json_t *inspect)
{
	json_t *list = json_array(), *mount;
	size_t i;

	/* Volumes are directories of the host, too. */
	json_array_foreach(json_object_get(inspect, "Mounts"), i, mount)
		container_add_mount(list, json_string_value(json_object_get(mount, "Source")),
				    json_string_value(json_object_get(mount, "Destination")));
	return list;
}

/* ".../overlay/ID/diff" */
static json_t *layer_of(const json_t *inspect)
{
	const char *upper = podman_field(inspect, "GraphDriver.Data.UpperDir");
	size_t n = strlen(upper);

	return n > 70 ? json_stringn(upper + n - 69, 64) : json_string("");
}

static int fill_in(const json_t *inspect, const json_t *info, struct container *c, char *error,
		   size_t len)
{
	const char *path = podman_field(inspect, "OCIConfigPath");
	const char *name = podman_field(inspect, "ImageName"), *id = podman_field(inspect, "Image");
	json_t *config, *networks;
	json_error_t why;

	c->pid = json_integer_value(podman_get(inspect, "State.Pid"));
	snprintf(c->name, sizeof(c->name), "%s", podman_field(inspect, "Name"));
	snprintf(c->id, sizeof(c->id), "%s", podman_field(inspect, "Id"));
	networks = podman_networks(inspect, c->pid, error, len);
	if (!networks)
		return -ENOTSUP;
	config = json_load_file(path, 0, &why);
	if (!config) {
		snprintf(error, len, "%.200s: %s", path, why.text);
		json_decref(networks);
		return -EINVAL;
	}
	c->spec = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s,"
			    " s:O*, s:o, s:o, s:o, s:o}",
			    "runtime", "podman", "name", c->name, "oci",
			    podman_field(inspect, "OCIRuntime"), "id", c->id, "layer_id",
			    layer_of(inspect), "version", podman_field(info, "version.Version"),
			    "driver", podman_field(inspect, "GraphDriver.Name"), "root",
			    podman_field(info, "store.graphRoot"), "run",
			    podman_field(info, "store.runRoot"), "static",
			    podman_field(inspect, "StaticDir"), "image",
			    podman_has_image(name, id) ? name : id, "image_id", id, "command",
			    podman_get(inspect, "Config.CreateCommand"), "mounts",
			    podman_mounts(inspect), "networks", networks, "published",
			    container_published(podman_get(inspect, "HostConfig.PortBindings")),
			    "config", config);
	if (!c->spec)
		return -ENOMEM;
	json_object_set_new(c->spec, "layer", json_integer((json_int_t)podman_layer_bytes(c)));
	return 0;
}

static int find(const char *name, struct container *c, char *error, size_t len)
{
	json_t *answer = NULL, *info = NULL, *inspect;
	int ret = podman_ask(&answer, error, len, "container", "inspect", "--", name, NULL);

	if (ret < 0)
		return ret;
	*c = (struct container){ .runtime = &runtime_podman };
	inspect = json_array_get(answer, 0);
	if (strcmp(podman_field(inspect, "State.Status"), "running") != 0) {
		snprintf(error, len, "container %.100s is %.40s; it must run", name,
			 podman_field(inspect, "State.Status"));
		ret = -ESRCH;
	} else {
		ret = podman_ask(&info, error, len, "info", "--format", "json", NULL)
			      ?: fill_in(inspect, info, c, error, len);
	}
	json_decref(info);
	json_decref(answer);
	return ret;
}

static void judge_here(const struct container *c, struct checks *checks)
{
	char error[300];
	json_t *answer, *inspect;

	if (podman_ask(&answer, error, sizeof(error), "container", "inspect", c->id, NULL) < 0) {
		check_say(checks, CHECK_NO, "container", NULL, "%s", error);
		return;
	}
	inspect = json_array_get(answer, 0);
	if (podman_field(inspect, "Pod")[0])
		check_say(checks, CHECK_NO, "container", "run it outside of a pod",
			  "it is a member of a pod, whose other containers would lose it");
	if (json_is_true(podman_get(inspect, "HostConfig.AutoRemove")))
		check_say(checks, CHECK_NO, "container", "run it without --rm",
			  "it was run with --rm: podman makes no checkpoint of it");
	if (json_array_size(json_object_get(inspect, "Dependencies")) > 0)
		check_say(checks, CHECK_NO, "container", "run it by itself",
			  "it depends on another container");
	if (podman_field(inspect, "Rootfs")[0])
		check_say(checks, CHECK_NO, "container", "run it from an image",
			  "it has no image, but --rootfs");
	if (json_array_size(json_object_get(c->spec, "command")) == 0)
		check_say(checks, CHECK_NO, "container", "make it by podman run or podman create",
			  "podman does not know the command that made it, as of those made by its "
			  "API or podman kube play");
	if (json_is_true(podman_get(inspect, "Config.Tty")))
		check_say(checks, CHECK_NO, "container", "run it without --tty",
			  "it has a terminal, whose other end is not restored");
	if (podman_get(inspect, "Config.Healthcheck"))
		check_say(checks, CHECK_WARNING, "health", NULL,
			  "podman restores no timer of its health check");
	json_decref(answer);
}

static void dump(const struct container *c, const char *dir, struct command *command)
{
	(void)dir;
	command_add(command, "podman");
	command_add(command, "container");
	command_add(command, "checkpoint");
	command_add(command, "--tcp-established");
	command_add(command, "%s", c->id);
}

static void moved(struct container *c)
{
	char text[512];

	command_words(text, sizeof(text), "podman", "rm", "--force", "--time=0", c->id, NULL);
}

/* A failed checkpoint leaves its images, as large as the memory. */
static void stays(struct container *c)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%.4000s/checkpoint", podman_field(c->spec, "static"));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	place_empty(fd, path);
	close(fd);
}

static void log_of(const struct container *c, const char *verb, const char *dir, char *buf,
		   size_t len)
{
	(void)dir;
	snprintf(buf, len, "%s/%s.log", podman_field(c->spec, "static"), verb);
}

const struct runtime runtime_podman = {
	.name = "podman",
	.find = find,
	.judge_here = judge_here,
	.dump = dump,
	.save = podman_save,
	.moved = moved,
	.stays = stays,
	.judge = podman_judge,
	.device = podman_device,
	.outer = podman_outer,
	.create = podman_create,
	.load = podman_load,
	.restore = podman_restore,
	.again = podman_again,
	.remove = podman_remove,
	.log = log_of,
};
