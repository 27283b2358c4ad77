// SPDX-License-Identifier: GPL-2.0-only
/* Containers of podman, on the destination. The container is made before the freeze; what is left
 * for then is a restore without an archive, some 0.25 s in place of 0.6 s with --import. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "facts_fields.h"
#include "podman.h"

#define IMAGE_LEN 300

/* What of it goes into a command or a path. */
static const char *read_spec(const json_t *spec)
{
	const char *text;

	if (!facts_text(spec, "name", RUNTIME_ID_LEN - 1, false, &text) || text[0] == '-')
		return "name";
	if (!podman_is_id(podman_field(spec, "id")))
		return "id";
	if (!podman_is_id(podman_field(spec, "layer_id")))
		return "layer_id";
	if (!podman_is_id(podman_field(spec, "image_id")))
		return "image";
	if (!facts_text(spec, "image", IMAGE_LEN, false, &text) || text[0] == '-')
		return "image";
	if (!facts_text(spec, "oci", 8, false, &text) ||
	    (strcmp(text, "runc") != 0 && strcmp(text, "crun") != 0))
		return "oci";
	if (!json_is_object(json_object_get(spec, "config")))
		return "config";
	return json_is_array(json_object_get(spec, "command")) ? NULL : "command";
}

/* By its name, as podman shows it, where that is the same one. */
static const char *image_of(const json_t *spec)
{
	const char *id = podman_field(spec, "image_id"), *name = podman_field(spec, "image");

	return podman_has_image(name, id) ? name : podman_has_image(id, id) ? id : NULL;
}

static long version_of(const char *text)
{
	unsigned int major = 0, minor = 0, patch = 0;

	sscanf(text, "%4u.%4u.%4u", &major, &minor, &patch);
	return (major * 10000L + minor) * 10000L + patch;
}

static void judge_podman(const json_t *spec, const json_t *info, struct checks *checks)
{
	static const struct {
		const char *there, *here, *what;
	} same[] = {
		{ "driver", "store.graphDriverName", "storage driver" },
		{ "root", "store.graphRoot", "storage" },
		{ "run", "store.runRoot", "storage of what runs" },
	};
	const char *version = podman_field(info, "version.Version");

	if (version_of(version) < version_of(podman_field(spec, "version")))
		check_say(checks, CHECK_WARNING, "podman", "the same version on both hosts",
			  "%.40s, older than on the source, %.40s", version,
			  podman_field(spec, "version"));
	else
		check_say(checks, CHECK_OK, "podman", NULL, "%.40s", version);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (strcmp(podman_field(info, same[i].here), podman_field(spec, same[i].there)) !=
		    0)
			check_say(checks, CHECK_NO, "podman",
				  "the same in /etc/containers/storage.conf on both hosts",
				  "its %s is %.200s, on the source %.200s", same[i].what,
				  podman_field(info, same[i].here),
				  podman_field(spec, same[i].there));
}

/* A name that stands for another image here is somebody's: podman load would take it away. */
static void judge_image(const json_t *spec, struct checks *checks)
{
	const char *name = podman_field(spec, "image"), *id = podman_field(spec, "image_id");
	char text[512];

	if (image_of(spec))
		check_say(checks, CHECK_OK, CONTAINER_IMAGE, NULL, "%.300s", name);
	else if (command_words(text, sizeof(text), "podman", "image", "exists", name, NULL) == 0)
		check_say(checks, CHECK_NO, "images",
			  "give one of them another name, or bring the container's here",
			  "%.300s is another image here than on the source, %.12s", name, id);
	else
		check_say(checks, CHECK_WARNING, CONTAINER_IMAGE,
			  "podman load it here beforehand, to spare the time",
			  "%.300s is not here: it is sent before anything is frozen", name);
}

void podman_judge(const json_t *spec, struct checks *checks)
{
	const char *wrong = read_spec(spec), *name = podman_field(spec, "name");
	char text[512];
	json_t *info;

	if (wrong) {
		check_say(checks, CHECK_NO, "container", "the same ip-takeover on both hosts",
			  "its %s is not as expected", wrong);
		return;
	}
	if (podman_ask(&info, text, sizeof(text), "info", "--format", "json", NULL) < 0) {
		check_say(checks, CHECK_NO, "podman", "install podman, as on the source", "%.300s",
			  text);
		return;
	}
	judge_podman(spec, info, checks);
	json_decref(info);
	if (command_words(text, sizeof(text), "podman", "container", "exists", name, NULL) == 0)
		check_say(checks, CHECK_NO, "container", "remove it, or give it another name",
			  "a container \"%s\" is here already", name);
	judge_image(spec, checks);
	podman_judge_networks(spec, checks);
}

/* A path in the command may be relative to where it was typed. */
static int compare_mounts(const struct container *c, const json_t *inspect, char *error, size_t len)
{
	json_t *here = podman_mounts(inspect), *one, *other;
	int ret = 0;
	size_t i, k;

	json_array_foreach(json_object_get(c->spec, "mounts"), i, one) {
		bool found = false;

		json_array_foreach(here, k, other)
			found |= json_equal(one, other);
		if (!found && ret == 0) {
			snprintf(error, len,
				 "made here, it would not have %.200s at %.200s: run it with "
				 "absolute paths",
				 podman_field(one, "source"), podman_field(one, "destination"));
			ret = -EINVAL;
		}
	}
	json_decref(here);
	return ret;
}

/* Its ID and where its files are. */
static int look_at(struct container *c, char *error, size_t len)
{
	json_t *answer, *one;
	int ret = podman_ask(&answer, error, len, "container", "inspect", "--", c->name, NULL);

	if (ret < 0)
		return ret;
	one = json_array_get(answer, 0);
	snprintf(c->id, sizeof(c->id), "%s", podman_field(one, "Id"));
	snprintf(c->images, sizeof(c->images), "%s/checkpoint", podman_field(one, "StaticDir"));
	json_object_set_new(c->spec, "static", json_string(podman_field(one, "StaticDir")));
	json_object_set_new(c->spec, "upper",
			    json_string(podman_field(one, "GraphDriver.Data.UpperDir")));
	ret = compare_mounts(c, one, error, len);
	json_decref(answer);
	return ret;
}

/* @from is as long as @to. */
static void replace(char *text, const char *from, const char *to)
{
	for (; (text = strstr(text, from)); text += strlen(to))
		memcpy(text, to, strlen(to));
}

/* Without --import podman takes the container's own config.json for what is restored. It has none
 * yet; the source's names the files by the IDs there. */
static int write_config(const struct container *c, char *error, size_t len)
{
	char *text = json_dumps(json_object_get(c->spec, "config"), JSON_COMPACT), path[PATH_MAX];
	const char *upper = podman_field(c->spec, "upper"), *dir = podman_field(c->spec, "static");
	char layer[65] = "";
	size_t n = strlen(upper);
	FILE *f;
	int ret = 0;

	if (n > 70)
		snprintf(layer, sizeof(layer), "%s", upper + n - 69);
	if (!text || !podman_is_id(c->id) || !podman_is_id(layer)) {
		snprintf(error, len, "podman has made %.100s, but says not where", c->name);
		free(text);
		return -EPROTO;
	}
	replace(text, podman_field(c->spec, "id"), c->id);
	replace(text, podman_field(c->spec, "layer_id"), layer);
	snprintf(path, sizeof(path), "%.4000s/config.json", dir);
	f = fopen(path, "wxe");
	if (!f || fputs(text, f) < 0)
		ret = -errno;
	if (f && fclose(f) != 0)
		ret = -errno;
	free(text);
	if (ret < 0)
		snprintf(error, len, "%.200s: %s", path, strerror(-ret));
	return ret;
}

static int write_network(const struct container *c, char *error, size_t len)
{
	json_t *status = podman_network_status(c->spec);
	char path[PATH_MAX];
	int ret = 0;

	snprintf(path, sizeof(path), "%.4000s/network.status", podman_field(c->spec, "static"));
	if (status && json_dump_file(status, path, JSON_COMPACT) < 0) {
		snprintf(error, len, "%.200s: cannot write it", path);
		ret = -EIO;
	}
	json_decref(status);
	return ret;
}

int podman_create(const json_t *spec, struct container *c, char *error, size_t len)
{
	const char *wrong = read_spec(spec), *image = wrong ? NULL : image_of(spec);
	struct command command = { 0 };
	char text[4096];
	int ret;

	if (!image) {
		snprintf(error, len,
			 wrong ? "container: its %s is not as expected"
			       : "the image is not here any more",
			 wrong);
		return -EINVAL;
	}
	*c = (struct container){ .runtime = &runtime_podman, .spec = json_deep_copy(spec) };
	snprintf(c->name, sizeof(c->name), "%s", podman_field(spec, "name"));
	json_object_set_new(c->spec, "image_use", json_string(image));
	ret = podman_create_command(c->spec, &command, error, len);
	if (ret == 0) {
		ret = command_run(&command, text, sizeof(text));
		command_free(&command);
		if (ret < 0)
			snprintf(error, len, "podman create: %.300s", text);
	}
	if (ret < 0) {
		container_forget(c);
		return ret;
	}
	ret = podman_find_parents(c->spec, error, len) ?: look_at(c, error, len) ?: write_config(c, error, len) ?: write_network(c, error, len);
	if (ret < 0) {
		podman_remove(c);
		container_forget(c);
	}
	return ret;
}

void podman_restore(const struct container *c, const char *dir, struct command *command)
{
	(void)dir;
	command_add(command, "podman");
	command_add(command, "container");
	command_add(command, "restore");
	command_add(command, "--tcp-established");
	/* We may want to restore it once more. */
	command_add(command, "--keep");
	command_add(command, "%s", c->id);
}

/* The runtime below may have a state of it, by which its ID is taken: crun does. */
void podman_again(struct container *c)
{
	char text[512];

	command_words(text, sizeof(text), podman_field(c->spec, "oci"), "delete", "--force", c->id,
		      NULL);
}

/* With the volumes that it alone has. */
void podman_remove(struct container *c)
{
	char text[512];

	command_words(text, sizeof(text), "podman", "rm", "--force", "--time=0", "--volumes",
		      c->id[0] ? c->id : c->name, NULL);
}
