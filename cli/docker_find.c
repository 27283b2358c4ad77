// SPDX-License-Identifier: GPL-2.0-only
/* Docker, on the source: a container as another host is told of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "docker.h"
#include "facts_fields.h"
#include "layer.h"

static const char *text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name)) ?: "";
}

/* Docker gives those that no person has named a name of 64 digits; they belong to the container. */
static bool is_own_volume(const json_t *mount)
{
	const char *name = text_of(mount, "Name");

	return strcmp(text_of(mount, "Type"), "volume") == 0 &&
	       strcmp(text_of(mount, "Driver"), "local") == 0 && strlen(name) == 64 &&
	       strspn(name, "0123456789abcdef") == 64;
}

const char *docker_layer_path(const json_t *inspect, const json_t *layer)
{
	const char *at = text_of(layer, "at");
	const json_t *mount;
	size_t i;

	if (!at[0])
		return json_string_value(json_object_get(
			json_object_get(json_object_get(inspect, "GraphDriver"), "Data"),
			"UpperDir"));
	json_array_foreach(json_object_get(inspect, "Mounts"), i, mount)
		if (strcmp(text_of(mount, "Destination"), at) == 0 && is_own_volume(mount))
			return json_string_value(json_object_get(mount, "Source"));
	return NULL;
}

/* Returns the bytes in it. */
static json_int_t add_layer(json_t *layers, const json_t *inspect, const char *at)
{
	json_t *layer = json_pack("{s:s, s:s}", "tar", "", "at", at);
	const char *path = docker_layer_path(inspect, layer);
	char tar[32];

	snprintf(tar, sizeof(tar), "layer-%zu.tar", json_array_size(layers));
	json_object_set_new(layer, "tar", json_string(tar));
	if (path)
		json_object_set_new(layer, "path", json_string(path));
	json_array_append_new(layers, layer);
	return path ? layer_bytes(path) : 0;
}

/* Binds are looked for on the other host, volumes of the container go with it, others are to be
 * there by name. */
static void sort_mounts(const json_t *inspect, json_t *spec)
{
	json_t *mounts = json_array(), *layers = json_array(), *volumes = json_array(), *mount;
	json_int_t bytes = add_layer(layers, inspect, "");
	size_t i;

	json_array_foreach(json_object_get(inspect, "Mounts"), i, mount) {
		const char *type = text_of(mount, "Type");

		if (strcmp(type, "bind") == 0)
			container_add_mount(mounts, text_of(mount, "Source"),
					    text_of(mount, "Destination"));
		else if (is_own_volume(mount))
			bytes += add_layer(layers, inspect, text_of(mount, "Destination"));
		else if (strcmp(type, "volume") == 0)
			json_array_append_new(volumes, json_string(text_of(mount, "Name")));
	}
	json_object_set_new(spec, "mounts", mounts);
	json_object_set_new(spec, "layers", layers);
	json_object_set_new(spec, "layer", json_integer(bytes));
	json_object_set_new(spec, "volumes", volumes);
}

/* The ID of a container is another one on each host. */
static int name_network(const json_t *inspect, char *ret_network, size_t size,
			json_t **ret_published, char *error, size_t len)
{
	const char *mode = text_of(json_object_get(inspect, "HostConfig"), "NetworkMode");
	json_t *other;
	int ret;

	snprintf(ret_network, size, "%s", mode);
	if (strncmp(mode, "container:", 10) != 0)
		return 0;
	if (!docker_name_ok(mode + 10)) {
		snprintf(error, len, "docker: network \"%.100s\" makes no sense", mode);
		return -EPROTO;
	}
	ret = docker_api("GET", NULL, &other, error, len, "/containers/%s/json", mode + 10);
	if (ret == 0 && text_of(other, "Name")[0] != '/') {
		snprintf(error, len, "docker: what it says of %s makes no sense", mode + 10);
		ret = -EPROTO;
	}
	if (ret == 0)
		snprintf(ret_network, size, "container:%s", text_of(other, "Name") + 1);
	if (ret == 0)
		*ret_published = container_published(
			json_object_get(json_object_get(other, "HostConfig"), "PortBindings"));
	json_decref(other);
	return ret;
}

/* What create takes (Engine API, ContainerCreate): Config, and HostConfig in it. */
static json_t *create_of(const json_t *inspect)
{
	json_t *create = json_deep_copy(json_object_get(inspect, "Config"));
	json_t *host = json_deep_copy(json_object_get(inspect, "HostConfig"));

	json_object_set_new(create, "HostConfig", host);
	json_object_del(host, "NetworkMode");
	json_object_del(host, "RestartPolicy");
	json_object_del(create, "MacAddress");
	return create;
}

json_t *docker_versions(const json_t *version)
{
	json_t *list = json_object(), *component;
	size_t i;

	json_array_foreach(json_object_get(version, "Components"), i, component)
		if (strcmp(text_of(component, "Name"), "docker-init") != 0)
			json_object_set(list, text_of(component, "Name"),
					json_object_get(component, "Version"));
	return list;
}

/* "runc", also by the name of containerd's shim for it. */
static const char *oci_of(const json_t *inspect)
{
	const char *name = text_of(json_object_get(inspect, "HostConfig"), "Runtime");

	return strcmp(name, "io.containerd.runc.v2") == 0 ? "runc" : name;
}

static json_t *spec_of(const json_t *inspect, const json_t *info, const json_t *version,
		       const char *network)
{
	const json_t *host = json_object_get(inspect, "HostConfig");
	json_t *spec = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "runtime", "docker",
				 "name", text_of(inspect, "Name") + 1, "id", text_of(inspect, "Id"),
				 "oci", oci_of(inspect), "image", text_of(inspect, "Image"),
				 "network", network, "driver", text_of(info, "Driver"), "root",
				 text_of(info, "DockerRootDir"));

	if (!spec)
		return NULL;
	json_object_set_new(spec, "versions", docker_versions(version));
	json_object_set(spec, "experimental", json_object_get(info, "ExperimentalBuild"));
	json_object_set(spec, "restart", json_object_get(host, "RestartPolicy"));
	json_object_set_new(spec, "create", create_of(inspect));
	sort_mounts(inspect, spec);
	return spec;
}

static int is_running(const json_t *inspect, const char *name, json_int_t *ret_pid, char *error,
		      size_t len)
{
	const json_t *state = json_object_get(inspect, "State");
	const char *status = text_of(state, "Status");

	if (!docker_name_ok(text_of(inspect, "Id")) || text_of(inspect, "Name")[0] != '/' ||
	    !docker_name_ok(text_of(inspect, "Name") + 1)) {
		snprintf(error, len, "docker: what it says of %s makes no sense", name);
		return -EPROTO;
	}
	if (strcmp(status, "paused") == 0)
		snprintf(error, len, "container %s is paused; first: docker unpause %s", name,
			 name);
	else if (strcmp(status, "running") != 0 || !facts_number(state, "Pid", 2, INT_MAX, ret_pid))
		snprintf(error, len, "container %s is %.20s; it must run", name, status);
	else
		return 0;
	return -ESRCH;
}

int docker_find(const char *name, struct container *c, char *error, size_t len)
{
	json_t *inspect = NULL, *info = NULL, *version = NULL, *published = NULL;
	char network[RUNTIME_ID_LEN + 16];
	json_int_t pid;
	int ret;

	if (!docker_name_ok(name)) {
		snprintf(error, len, "\"%.60s\" is no name of a container", name);
		return -EINVAL;
	}
	ret = docker_api("GET", NULL, &inspect, error, len, "/containers/%s/json", name)
		      ?: docker_api("GET", NULL, &info, error, len, "/info")
		      ?: docker_api("GET", NULL, &version, error, len, "/version")
		      ?: is_running(inspect, name, &pid, error, len)
		      ?: name_network(inspect, network, sizeof(network), &published, error, len);
	if (ret == 0) {
		*c = (struct container){ .runtime = &runtime_docker, .pid = pid };
		snprintf(c->name, sizeof(c->name), "%s", text_of(inspect, "Name") + 1);
		snprintf(c->id, sizeof(c->id), "%s", text_of(inspect, "Id"));
		c->spec = spec_of(inspect, info, version, network);
		if (published)
			json_object_set(c->spec, "published", published);
		if (!c->spec) {
			snprintf(error, len, "docker: what it says of %s makes no sense", name);
			ret = -EPROTO;
		}
	}
	json_decref(published);
	json_decref(inspect);
	json_decref(info);
	json_decref(version);
	return ret;
}

int docker_save(const struct container *c, int dirfd, char *error, size_t len)
{
	json_t *layer;
	size_t i;
	int ret = 0;

	json_array_foreach(json_object_get(c->spec, "layers"), i, layer)
		if (ret == 0)
			ret = layer_pack(text_of(layer, "path"), dirfd, text_of(layer, "tar"),
					 error, len);
	return ret;
}
