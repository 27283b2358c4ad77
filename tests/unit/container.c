// SPDX-License-Identifier: GPL-2.0-only
/* What another host says of a container: nothing of it is made, nor asked for, unless it is as
 * expected. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "unit.h"

static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* As the source says it, and then @change of it. */
static json_t *spec_of(const char *runtime, const char *change)
{
	json_t *spec = json_pack("{s:s, s:s, s:s, s:o, s:s, s:o}", "runtime", runtime, "name",
				 "redis", "bundle", "/nowhere", "config", json_object(), "image",
				 "sha256:0", "create", json_object());
	json_t *more = json_loads(change, 0, NULL);

	json_object_set_new(spec, "id", json_string(id));
	json_object_set_new(spec, "layer_id", json_string(id));
	json_object_set_new(spec, "image_id", json_string(id));
	json_object_set_new(spec, "oci", json_string("runc"));
	json_object_set_new(spec, "command", json_array());
	assert_non_null(more);
	json_object_update(spec, more);
	json_decref(more);
	return spec;
}

static void refused(const char *runtime, const char *change)
{
	json_t *spec = spec_of(runtime, change);
	struct checks *checks = calloc(1, sizeof(*checks));
	struct container c = { 0 };
	char error[400] = "";

	runtime_find(runtime)->judge(spec, checks);
	assert_int_equal(checks->n, 1);
	assert_int_equal(checks->found[0].state, CHECK_NO);
	assert_int_equal(runtime_find(runtime)->create(spec, &c, error, sizeof(error)), -EINVAL);
	assert_string_not_equal(error, "");
	assert_null(c.runtime);
	free(checks);
	json_decref(spec);
}

static void names_that_are_paths_or_options(void **state)
{
	static const char *const runtimes[] = { "runc", "crun", "docker", "podman" };
	static const char *const names[] = {
		"{\"name\": \"\"}",   "{\"name\": 7}",	       "{\"name\": null}",
		"{\"name\": \"-f\"}", "{\"name\": \"--all\"}", "{\"name\": \"a\\nb\"}",
	};
	static const char *const paths[] = {
		"{\"name\": \"../../tmp/x\"}", "{\"name\": \"a/b\"}", "{\"name\": \"/etc\"}",
		"{\"name\": \"..\"}",	       "{\"name\": \".\"}",   "{\"name\": \"a b\"}",
		"{\"name\": \"x&name=y\"}",
	};
	char longest[200];

	(void)state;
	snprintf(longest, sizeof(longest), "{\"name\": \"%0140d\"}", 1);
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			refused(runtimes[i], names[k]);
		refused(runtimes[i], longest);
	}
	/* Podman's goes into no path. */
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++)
			refused(runtimes[i], paths[k]);
}

static void other_fields(void **state)
{
	(void)state;
	refused("runc", "{\"bundle\": \"nowhere\"}");
	refused("runc", "{\"bundle\": [\"/a\"]}");
	refused("docker", "{\"create\": [1]}");
	refused("docker", "{\"create\": \"x\"}");
	refused("docker", "{\"image\": \"../containers/x\"}");
	refused("docker", "{\"image\": \"\"}");
	refused("docker", "{\"network\": \"container:../x\"}");
	refused("docker", "{\"network\": \"container:\"}");
	refused("podman", "{\"id\": \"../../x\"}");
	refused("podman", "{\"layer_id\": \"\"}");
	refused("podman", "{\"image\": \"--all\"}");
	refused("podman", "{\"oci\": \"/tmp/sh\"}");
	refused("podman", "{\"config\": 7}");
	refused("podman", "{\"command\": {}}");
}

static void facts_of_none(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"container\": null}",
		"{\"container\": []}",
		"{\"container\": \"runc\"}",
		"{\"container\": {}}",
		"{\"container\": {\"runtime\": \"sh\"}}",
		"{\"container\": {\"runtime\": [\"runc\"]}}",
		"{\"container\": {\"runtime\": \"runc\\u0001\"}}",
	};

	(void)state;
	assert_null(container_of(NULL));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *facts = json_loads(texts[i], 0, NULL);
		struct checks *checks = calloc(1, sizeof(*checks));
		int back = 7;

		assert_non_null(facts);
		assert_null(container_of(facts));
		container_judge(facts, checks);
		assert_int_equal(checks->n, 1);
		assert_int_equal(checks->found[0].state, CHECK_NO);
		assert_int_equal(
			container_enter(json_object_get(facts, "container"), &back, checks), 0);
		assert_int_equal(back, -1);
		assert_false(container_has_network(json_object_get(facts, "container")));
		free(checks);
		json_decref(facts);
	}
}

/* Not an array, not objects, without a driver: nothing is made of it. */
static void networks_of_any_shape(void **state)
{
	static const char *const texts[] = { "7",
					     "[]",
					     "[[[]]]",
					     "{\"a\": 7}",
					     "{\"a\": {}}",
					     "{\"a\": []}",
					     "{\"-a\": {}}",
					     "{\"\": null}",
					     "{\"a\": {\"addresses\": [7, null, {}]}}" };
	struct takeover_address address;
	char device[IF_NAMESIZE];

	(void)state;
	assert_int_equal(takeover_address_parse("192.0.2.100/24", &address), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *networks = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		json_t *spec = json_pack("{s:s, s:o}", "runtime", "podman", "networks", networks);

		assert_non_null(spec);
		container_has_network(spec);
		container_is_on_host(spec);
		assert_true(container_device(spec, &address, device) < 0);
		json_decref(spec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_paths_or_options),
		cmocka_unit_test(other_fields),
		cmocka_unit_test(facts_of_none),
		cmocka_unit_test(networks_of_any_shape),
	};

	return unit_main("container", tests, NULL, NULL);
}
