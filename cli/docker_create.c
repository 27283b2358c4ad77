// SPDX-License-Identifier: GPL-2.0-only
/* Docker, on the destination: the container is made before the freeze, and filled in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "docker.h"
#include "facts_fields.h"
#include "layer.h"

#define LEFT	 "/tmp"
#define LEFT_ONE "ctrd-checkpoint"

static const char *text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name)) ?: "";
}

/* Its ID here. */
static int network_here(const char *network, char *ret_mode, size_t size, char *error, size_t len)
{
	json_t *other;
	int ret;

	snprintf(ret_mode, size, "%s", network);
	if (strncmp(network, "container:", 10) != 0)
		return 0;
	ret = docker_api("GET", NULL, &other, error, len, "/containers/%s/json", network + 10);
	snprintf(ret_mode, size, "container:%s", text_of(other, "Id"));
	json_decref(other);
	return ret;
}

int docker_netns(const json_t *spec, char *ret_path, size_t size, char *error, size_t len)
{
	const char *network = text_of(spec, "network");
	json_t *other = NULL, *state;
	json_int_t pid;
	int ret;

	ret_path[0] = '\0';
	if (strncmp(network, "container:", 10) != 0)
		return 0;
	if (!docker_name_ok(network + 10)) {
		snprintf(error, len, "expected the name of another container");
		return -EINVAL;
	}
	ret = docker_api("GET", NULL, &other, error, len, "/containers/%s/json", network + 10);
	state = json_object_get(other, "State");
	if (ret == 0 && facts_number(state, "Pid", 2, INT_MAX, &pid)) {
		snprintf(ret_path, size, "/proc/%d/ns/net", (int)pid);
	} else if (ret == 0) {
		snprintf(error, len, "container %s does not run", network + 10);
		ret = -ESRCH;
	}
	json_decref(other);
	return ret;
}

/* An image that was sent has no name here. One that another image has is not taken from it. */
static void name_image(const char *image, json_t *create)
{
	const char *name = text_of(create, "Image"), *slash = strrchr(name, '/');
	const char *colon = strchr(slash ?: name, ':');
	int n = colon ? colon - name : (int)strlen(name);
	json_t *known = NULL;
	char error[300];

	if (strpbrk(name, "@?&%# ") || strstr(name, "..") || strlen(name) > 300)
		goto by_id;
	if (docker_api("GET", NULL, &known, error, sizeof(error), "/images/%s/json", name) ==
	    -ENOENT)
		docker_api("POST", NULL, NULL, error, sizeof(error),
			   "/images/%s/tag?repo=%.*s&tag=%s", image, n, name,
			   colon ? colon + 1 : "latest");
	json_decref(known);
	known = NULL;
	docker_api("GET", NULL, &known, error, sizeof(error), "/images/%s/json", name);
	if (strcmp(text_of(known, "Id"), image) == 0) {
		json_decref(known);
		return;
	}
	json_decref(known);
by_id:
	json_object_set_new(create, "Image", json_string(image));
}

/* It is to be started by nobody but us: the restart policy comes when it runs. */
static json_t *what_to_create(const json_t *spec, const char *mode)
{
	json_t *create = json_deep_copy(json_object_get(spec, "create"));
	json_t *host = json_object_get(create, "HostConfig");

	json_object_set_new(host, "NetworkMode", json_string(mode));
	json_object_set_new(host, "RestartPolicy", json_pack("{s:s}", "Name", "no"));
	/* It has the other one's, or this host's. */
	if (strncmp(mode, "container:", 10) == 0 || strcmp(text_of(host, "UTSMode"), "host") == 0)
		json_object_del(create, "Hostname");
	name_image(text_of(spec, "image"), create);
	return create;
}

int docker_create(const json_t *spec, struct container *c, char *error, size_t len)
{
	json_t *info = NULL, *create, *answer = NULL;
	char mode[RUNTIME_ID_LEN + 16];
	int ret;

	/* Whoever begins need not have asked before. */
	if (!docker_spec_ok(spec)) {
		snprintf(error, len, "container: expected its name and configuration");
		return -EINVAL;
	}
	ret = network_here(text_of(spec, "network"), mode, sizeof(mode), error, len)
		      ?: docker_api("GET", NULL, &info, error, len, "/info");
	if (ret == 0) {
		create = what_to_create(spec, mode);
		ret = docker_api("POST", create, &answer, error, len, "/containers/create?name=%s",
				 text_of(spec, "name"));
		json_decref(create);
	}
	if (ret == 0 && !docker_name_ok(text_of(answer, "Id"))) {
		snprintf(error, len, "docker: it answers what makes no sense");
		ret = -EPROTO;
	}
	if (ret == 0) {
		*c = (struct container){ .runtime = &runtime_docker, .spec = json_deep_copy(spec) };
		snprintf(c->name, sizeof(c->name), "%s", text_of(spec, "name"));
		snprintf(c->id, sizeof(c->id), "%s", text_of(answer, "Id"));
		/* What is here of Docker's, not there. */
		json_object_set(c->spec, "root", json_object_get(info, "DockerRootDir"));
	}
	json_decref(answer);
	json_decref(info);
	return ret;
}

static int open_checkpoint(const struct container *c, const char *name, bool make)
{
	const char *const parts[] = { "containers", c->id, "checkpoints", name };
	int fd = open(text_of(c->spec, "root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

	for (size_t i = 0; fd >= 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (make && i >= 2)
			mkdirat(fd, parts[i], 0700);
		next = openat(fd, parts[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	return fd < 0 ? -errno : fd;
}

static int copy(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int ret = in < 0 || out < 0 ? -errno : 0;
	ssize_t n;

	while (ret == 0 && (n = sendfile(out, in, NULL, 1 << 30)) != 0)
		if (n < 0)
			ret = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return ret;
}

/* containerd packs a checkpoint into its content store, and unpacks it again below its temporary
 * directory, for criu (containerd client/task_opts.go, core/runtime): seconds for each 100 MiB, and
 * nobody removes what it has unpacked. Memory stays where it is. The link is relative since criu
 * opens it from inside the container's root. */
static int give(int from, int to, const char *place, const char *name)
{
	char link[PATH_MAX + 300];

	if (strncmp(name, "pages-", 6) != 0)
		return copy(from, to, name);
	snprintf(link, sizeof(link), DOCKER_UP "%s/%s", place, name);
	return symlinkat(link, to, name) < 0 ? -errno : 0;
}

static int give_all(const struct container *c, int from, char *error, size_t len)
{
	int to = open_checkpoint(c, DOCKER_CHECKPOINT, true),
	    again = openat(from, ".", O_RDONLY | O_CLOEXEC), ret = 0;
	char proc[64], place[PATH_MAX] = "";
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct dirent *de;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", from);
	if (to < 0 || !dir || readlink(proc, place, sizeof(place) - 1) < 0)
		ret = to < 0 ? to : -errno;
	while (ret == 0 && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		ret = give(from, to, place, de->d_name);
		if (ret < 0)
			snprintf(error, len, "checkpoint for docker: %s: %s", de->d_name,
				 strerror(-ret));
	}
	if (ret < 0 && !error[0])
		snprintf(error, len, "cannot make a checkpoint in %s: %s", text_of(c->spec, "root"),
			 strerror(-ret));
	if (dir)
		closedir(dir);
	if (to >= 0)
		close(to);
	return ret;
}

int docker_load(const struct container *c, int dirfd, char *error, size_t len)
{
	json_t *inspect, *layer;
	size_t i;
	int ret;

	error[0] = '\0';
	ret = docker_api("GET", NULL, &inspect, error, len, "/containers/%s/json", c->id);
	json_array_foreach(json_object_get(c->spec, "layers"), i, layer) {
		const char *tar = text_of(layer, "tar"), *path = docker_layer_path(inspect, layer);

		if (ret < 0 || strncmp(tar, "layer-", 6) != 0 || strchr(tar, '/'))
			continue;
		ret = path ? layer_unpack(dirfd, tar, path, error, len) : -ENOENT;
		if (!path)
			snprintf(error, len,
				 "docker does not say where %s of the container is here",
				 text_of(layer, "at")[0] ? text_of(layer, "at") : "the layer");
	}
	json_decref(inspect);
	return ret ?: give_all(c, dirfd, error, len);
}

static void empty(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *de;

	while (dir && (de = readdir(dir)))
		if (de->d_name[0] != '.')
			unlinkat(fd, de->d_name, 0);
	if (dir)
		closedir(dir);
}

/* Whether containerd has unpacked our checkpoint there: it has the same manifest. */
static bool is_ours(int ours, int left)
{
	char a[256] = "", b[256] = "";

	return readlinkat(ours, "pages-1.img", a, sizeof(a) - 1) > 0 &&
	       readlinkat(left, "pages-1.img", b, sizeof(b) - 1) > 0 && strcmp(a, b) == 0;
}

static void remove_left(int ours)
{
	DIR *dir = opendir(LEFT);
	struct dirent *de;
	int fd;

	while (dir && (de = readdir(dir))) {
		if (strncmp(de->d_name, LEFT_ONE, strlen(LEFT_ONE)) != 0)
			continue;
		fd = openat(dirfd(dir), de->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_ours(ours, fd)) {
			empty(fd);
			unlinkat(dirfd(dir), de->d_name, AT_REMOVEDIR);
		} else {
			close(fd);
		}
	}
	if (dir)
		closedir(dir);
}

void docker_remove_checkpoint(const struct container *c, const char *name)
{
	int fd = open_checkpoint(c, name, false);
	char path[PATH_MAX];

	if (fd < 0)
		return;
	remove_left(fd);
	empty(fd);
	snprintf(path, sizeof(path), "%s/containers/%s/checkpoints/%s", text_of(c->spec, "root"),
		 c->id, name);
	rmdir(path);
}

void docker_runs(struct container *c)
{
	json_t *policy = json_pack("{s:O}", "RestartPolicy", json_object_get(c->spec, "restart"));
	char error[300];

	docker_api("POST", policy, NULL, error, sizeof(error), "/containers/%s/update", c->id);
	json_decref(policy);
	docker_remove_checkpoint(c, DOCKER_CHECKPOINT);
}

void docker_remove(struct container *c)
{
	char error[300];

	docker_remove_checkpoint(c, DOCKER_CHECKPOINT);
	docker_api("DELETE", NULL, NULL, error, sizeof(error), "/containers/%s?force=true&v=true",
		   c->id);
}
