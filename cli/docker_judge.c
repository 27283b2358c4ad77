// SPDX-License-Identifier: GPL-2.0-only
/* Docker: what of a container cannot move, and what it does not find here. */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "docker.h"
#include "facts_fields.h"

#define EXPERIMENTAL "put \"experimental\": true into /etc/docker/daemon.json, and restart dockerd"
#define SAME	     "the same ip-takeover on both hosts"

static const char *text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name)) ?: "";
}

static void judge_experimental(const json_t *experimental, struct checks *c)
{
	if (!json_is_true(experimental))
		check_say(c, CHECK_NO, "dockerd", EXPERIMENTAL,
			  "without its experimental features, of which checkpoints are one");
}

/* moby daemon/start.go: a network of the container's own is attached before the restore has made
 * the namespace. */
static void judge_network(const char *network, struct checks *c)
{
	if (strcmp(network, "host") != 0 && strncmp(network, "container:", 10) != 0)
		check_say(c, CHECK_NO, "network",
			  "run it with --network host, or with --network container:PAUSE beside "
			  "another that has the network",
			  "\"%.100s\": docker start --checkpoint fails with a network of the "
			  "container's own (\"bind-mount /proc/0/ns/net\", containerd issue 12141)",
			  network);
}

void docker_judge_here(const struct container *container, struct checks *c)
{
	const json_t *spec = container->spec, *create = json_object_get(spec, "create"), *layer;
	const json_t *host = json_object_get(create, "HostConfig");
	static const char *const modes[] = { "IpcMode", "PidMode" };
	size_t i;

	judge_experimental(json_object_get(spec, "experimental"), c);
	judge_network(text_of(spec, "network"), c);
	if (json_is_true(json_object_get(host, "AutoRemove")))
		check_say(c, CHECK_NO, "container", "run it without --rm",
			  "--rm: what is left of it is gone when its process ends, should the "
			  "other host fail then or not");
	if (json_is_true(json_object_get(host, "Init")))
		check_say(
			c, CHECK_WARNING, "container", "run it without --init",
			"--init: with CRIU 4.2 docker start --checkpoint fails, on any host; then "
			"it goes on here");
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strncmp(text_of(host, modes[i]), "container:", 10) == 0)
			check_say(c, CHECK_NO, "container", "give it namespaces of its own",
				  "HostConfig.%s: it shares a namespace with another container",
				  modes[i]);
	json_array_foreach(json_object_get(spec, "layers"), i, layer)
		if (!text_of(layer, "path")[0])
			check_say(c, CHECK_NO, "layer", "the storage driver overlay2",
				  "storage driver %.60s does not say where its files are",
				  text_of(spec, "driver"));
}

static void judge_versions(const json_t *spec, struct checks *c)
{
	const char *name, *theirs, *mine;
	json_t *version = NULL, *versions, *value;
	char error[300];

	if (docker_api("GET", NULL, &version, error, sizeof(error), "/version") < 0) {
		check_say(c, CHECK_NO, "dockerd", "start it", "%s", error);
		return;
	}
	versions = docker_versions(version);
	json_object_foreach(json_object_get(spec, "versions"), name, value)
	{
		theirs = json_string_value(value) ?: "";
		mine = text_of(versions, name);
		if (strverscmp(mine, theirs) < 0)
			check_say(c, CHECK_WARNING, "docker version",
				  "install the source's version here, too",
				  "%.40s %.60s is older than the source's %.60s", name,
				  mine[0] ? mine : "(unknown)", theirs);
	}
	json_decref(versions);
	json_decref(version);
}

static void judge_image(const json_t *spec, struct checks *c)
{
	const char *image = text_of(spec, "image");
	char error[300];
	int ret = docker_api("GET", NULL, NULL, error, sizeof(error), "/images/%s/json", image);

	if (ret == 0)
		check_say(c, CHECK_OK, CONTAINER_IMAGE, NULL, "%.90s is here", image);
	else
		check_say(c, CHECK_WARNING, CONTAINER_IMAGE,
			  "docker load it here beforehand, to spare the time",
			  "%.90s is not here: it is sent before anything is frozen", image);
}

/* Of the image there is no telling before it is there. */
static void judge_layer(const json_t *spec, const char *root, struct checks *c)
{
	json_int_t need = json_integer_value(json_object_get(spec, "layer"));
	struct statvfs fs;
	uint64_t have;

	if (statvfs(root, &fs) < 0 || need <= 0)
		return;
	have = (uint64_t)fs.f_bavail * fs.f_frsize;
	if ((uint64_t)need > have)
		check_say(c, CHECK_NO, "layer", "free some",
			  "its files have %lld MiB, there are %llu MiB left in %.200s",
			  (long long)need >> 20, (unsigned long long)have >> 20, root);
}

static void judge_name(const char *name, struct checks *c)
{
	char error[300];

	if (docker_api("GET", NULL, NULL, error, sizeof(error), "/containers/%s/json", name) == 0)
		check_say(c, CHECK_NO, "container", "docker rm it, or docker rename it",
			  "a container \"%.100s\" is here already", name);
}

static void judge_volumes(const json_t *spec, struct checks *c)
{
	const json_t *volume;
	char error[300];
	size_t i;

	json_array_foreach(json_object_get(spec, "volumes"), i, volume) {
		const char *name = json_string_value(volume);

		if (!docker_name_ok(name))
			check_say(c, CHECK_NO, "volumes", SAME, "expected names of volumes");
		else if (docker_api("GET", NULL, NULL, error, sizeof(error), "/volumes/%s", name) <
			 0)
			check_say(c, CHECK_NO, "volumes",
				  "docker volume create it here, with what the container expects "
				  "in it, or on a file system that both hosts have",
				  "volume %.100s is not here, and its contents are not copied",
				  name);
		else
			check_say(c, CHECK_WARNING, "volumes",
				  "see to it that both hosts see the same in it",
				  "volume %.100s is here; its contents are not copied", name);
	}
}

bool docker_spec_ok(const json_t *spec)
{
	const char *network = text_of(spec, "network");

	if (strncmp(network, "container:", 10) == 0 && !docker_name_ok(network + 10))
		return false;
	return docker_name_ok(text_of(spec, "name")) && docker_name_ok(text_of(spec, "image")) &&
	       json_is_object(json_object_get(spec, "create"));
}

void docker_judge(const json_t *spec, struct checks *c)
{
	char error[300];
	json_t *info;

	if (!docker_spec_ok(spec)) {
		check_say(c, CHECK_NO, "container", SAME, "expected its name and configuration");
		return;
	}
	if (docker_api("GET", NULL, &info, error, sizeof(error), "/info") < 0) {
		check_say(c, CHECK_NO, "dockerd", "start it", "%s", error);
		return;
	}
	judge_experimental(json_object_get(info, "ExperimentalBuild"), c);
	if (strcmp(text_of(info, "Driver"), text_of(spec, "driver")) != 0)
		check_say(c, CHECK_NO, "layer", "the same storage driver on both hosts",
			  "storage driver %.60s here, %.60s on the source: its files cannot be "
			  "carried",
			  text_of(info, "Driver"), text_of(spec, "driver"));
	judge_layer(spec, text_of(info, "DockerRootDir"), c);
	judge_versions(spec, c);
	judge_image(spec, c);
	judge_name(text_of(spec, "name"), c);
	judge_volumes(spec, c);
	json_decref(info);
}
