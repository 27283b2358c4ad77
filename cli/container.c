// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "facts_fields.h"
#include "inner.h"
#include "netns.h"

#define MOUNTS_MAX 256

void container_add_mount(json_t *mounts, const char *source, const char *destination)
{
	if (source && destination)
		json_array_append_new(mounts, json_pack("{s:s, s:s}", "source", source,
							"destination", destination));
}

const json_t *container_of(const json_t *facts)
{
	const json_t *spec = json_object_get(facts, "container");
	const char *name;

	return facts_text(spec, "runtime", 32, false, &name) && runtime_find(name) ? spec : NULL;
}

bool container_has_network(const json_t *spec)
{
	const json_t *network;
	const char *name, *driver;
	bool own = false;

	json_object_foreach(json_object_get(spec, "networks"), name, network) own |=
		!facts_text(network, "driver", 40, false, &driver) || strcmp(driver, "bridge") != 0;
	return own;
}

int container_device(const json_t *spec, const struct takeover_address *address,
		     char ret_device[IF_NAMESIZE])
{
	const struct runtime *runtime =
		runtime_find(json_string_value(json_object_get(spec, "runtime")));

	return runtime && runtime->device ? runtime->device(spec, address, ret_device) : -ENODEV;
}

static void add_once(json_t *list, const char *text)
{
	json_t *known;
	size_t i;

	json_array_foreach(list, i, known)
		if (strcmp(json_string_value(known), text) == 0)
			return;
	json_array_append_new(list, json_string(text));
}

json_t *container_published(const json_t *bindings)
{
	json_t *list = json_array(), *all, *one;
	const char *port;
	size_t i;

	json_object_foreach((json_t *)bindings, port, all) json_array_foreach(all, i, one)
	{
		const char *ip = json_string_value(json_object_get(one, "HostIp")) ?: "";

		add_once(list, ip[0] ? ip : "0.0.0.0");
		if (!ip[0])
			add_once(list, "::");
	}
	return list;
}

static void judge_mounts(const json_t *spec, struct checks *checks)
{
	const char *source, *destination;
	json_t *list;
	size_t n = 0;

	if (!facts_list(spec, "mounts", 0, MOUNTS_MAX, &list, &n))
		check_say(checks, CHECK_NO, "mounts", NULL, "expected a list of mounts");
	for (size_t i = 0; i < n; i++) {
		const json_t *mount = json_array_get(list, i);

		if (!facts_text(mount, "source", PATH_MAX - 1, false, &source) ||
		    !facts_text(mount, "destination", PATH_MAX - 1, false, &destination))
			check_say(checks, CHECK_NO, "mounts", NULL,
				  "expected a source and a destination");
		else if (source[0] == '/' && access(source, F_OK) < 0)
			check_say(checks, CHECK_NO, "mounts",
				  "make it, with what the container expects in it, or keep it on a "
				  "file system that both hosts have",
				  "%.200s, which the container has at %.200s, is not here", source,
				  destination);
	}
}

bool container_is_on_host(const json_t *spec)
{
	const char *network = json_string_value(json_object_get(spec, "network"));

	return json_object_size(json_object_get(spec, "networks")) == 0 &&
	       (!network || strcmp(network, "host") == 0);
}

/* All configured ones of the family, when it is the wildcard. */
static void add_published(const char *ip, const struct takeover_config *config, char *list,
			  size_t len)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	int family = strcmp(ip, "0.0.0.0") == 0 ? AF_INET : strcmp(ip, "::") == 0 ? AF_INET6 : 0;

	for (size_t i = 0; i < config->n_addresses; i++) {
		const struct takeover_address *a = &config->addresses[i];
		size_t n = strlen(list);

		takeover_address_ip(a, text, sizeof(text));
		if (a->family == family || strcmp(text, ip) == 0)
			snprintf(list + n, len - n, "%s%s", n ? "," : "", text);
	}
}

static json_t *inner_addresses(void)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	json_t *list = json_array();
	size_t n;
	const struct takeover_address *all = takeover_inner_addresses(&n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_string(takeover_address_ip(&all[i], text, sizeof(text))));
	return list;
}

int container_look_inside(const struct container *c, char *error, size_t len)
{
	char list[TAKEOVER_ADDRESSES_MAX * TAKEOVER_ADDRESS_STRLEN] = "", path[64];
	struct takeover_config config;
	const json_t *ip;
	size_t i;
	int ret;

	if (json_array_size(json_object_get(c->spec, "published")) == 0)
		return 0;
	ret = takeover_config_read(&config, error, len);
	if (ret < 0)
		return ret;
	json_array_foreach(json_object_get(c->spec, "published"), i, ip)
		add_published(json_string_value(ip) ?: "", &config, list, sizeof(list));
	if (!list[0])
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)c->pid);
	ret = takeover_inner_open(path, list);
	if (ret < 0)
		snprintf(error, len, "cannot look into the container's network: %s",
			 strerror(-ret));
	if (ret < 0 || !takeover_inner_is_open())
		return ret;
	setenv(TAKEOVER_PUBLISHED_ENV, list, 1);
	json_object_set_new(c->spec, "inner", inner_addresses());
	return 0;
}

/* Where CRIU, run by a runtime, learns of us. */
static void judge_runtime(const json_t *spec, struct checks *checks)
{
	const char *name = json_string_value(json_object_get(spec, "oci"))
				   ?: json_string_value(json_object_get(spec, "runtime"));

	if (strcmp(name, "runc") == 0 || strcmp(name, "crun") == 0)
		check_runtime(checks, name, CHECK_NO);
	else
		check_say(checks, CHECK_NO, "runtime", "run the container by runc or crun",
			  "of the runtime %.60s, whose criu cannot be told of ip-takeover", name);
}

void container_judge(const json_t *facts, struct checks *checks)
{
	const json_t *spec = json_object_get(facts, "container");
	const struct runtime *runtime;
	const char *name;

	if (!facts_text(spec, "runtime", 32, false, &name) || !(runtime = runtime_find(name))) {
		check_say(checks, CHECK_NO, "container", "the same ip-takeover on both hosts",
			  "of a runtime that this ip-takeover does not know");
		return;
	}
	judge_mounts(spec, checks);
	judge_runtime(spec, checks);
	runtime->judge(spec, checks);
}

/* Another container has made the namespace: with the address that the translations lead to. */
static int judge_inner(const json_t *spec, const char *path, char *error, size_t len)
{
	json_t *here, *want, *have;
	int ret = takeover_inner_open(path, "");
	size_t i, k;

	if (ret < 0) {
		snprintf(error, len, "%.200s: %s", path, strerror(-ret));
		return ret;
	}
	here = inner_addresses();
	json_array_foreach(json_object_get(spec, "inner"), i, want) {
		bool found = false;

		json_array_foreach(here, k, have)
			found |= json_equal(want, have);
		if (!found && ret == 0) {
			snprintf(error, len,
				 "it has not the address %.60s, to which the published ports lead",
				 json_string_value(want) ?: "");
			ret = -EADDRNOTAVAIL;
		}
	}
	json_decref(here);
	return ret;
}

int container_enter(const json_t *spec, int *ret_back, struct checks *checks)
{
	const struct runtime *runtime =
		runtime_find(json_string_value(json_object_get(spec, "runtime")));
	char path[PATH_MAX] = "", error[300] = "";
	int ret = 0;

	*ret_back = -1;
	if (runtime && runtime->netns)
		ret = runtime->netns(spec, path, sizeof(path), error, sizeof(error));
	if (ret == 0 && path[0] && json_array_size(json_object_get(spec, "published")) > 0) {
		ret = judge_inner(spec, path, error, sizeof(error));
	} else if (ret == 0 && path[0]) {
		ret = takeover_netns_enter_path(path, ret_back);
		if (ret < 0)
			snprintf(error, sizeof(error), "%.200s: %s", path, strerror(-ret));
	}
	if (ret < 0)
		check_say(checks, CHECK_NO, "network",
			  "run the same container here, with its network",
			  "the container whose network it shares: %s", error);
	return ret;
}

void container_judge_here(const struct container *c, struct checks *checks)
{
	judge_runtime(c->spec, checks);
	if (c->runtime->judge_here)
		c->runtime->judge_here(c, checks);
}

void container_forget(struct container *c)
{
	json_decref(c->spec);
	*c = (struct container){ 0 };
}
