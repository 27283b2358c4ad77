// SPDX-License-Identifier: GPL-2.0-only
/* What another host says of a container: what is made of it before anything is run. */
#include <errno.h>

#include "../../cli/container.h"
#include "../../cli/docker.h"
#include "../../cli/podman.h"
#include "fuzz.h"
#include "json.h"

/* All are podman's own words, up to the name and the image; each is one word. */
static void check_podman(const json_t *spec)
{
	struct command c = { 0 };
	char error[300] = "";
	bool named = false;

	if (podman_create_command(spec, &c, error, sizeof(error)) < 0) {
		assert(c.n == 0 && error[0]);
		return;
	}
	assert(error[0] == '\0' && c.n >= 7 && c.n <= RUNTIME_WORDS);
	assert(strcmp(c.words[0], "podman") == 0 && strncmp(c.words[1], "--runtime=", 10) == 0);
	assert(strcmp(c.words[2], "container") == 0 && strcmp(c.words[3], "create") == 0);
	for (size_t i = 4; i + 2 < c.n; i++)
		named |= strncmp(c.words[i], "--name=", 7) == 0 &&
			 strcmp(c.words[i + 1], "--pull=never") == 0 &&
			 strcmp(c.words[i + 2], "--") == 0;
	assert(named && c.words[c.n] == NULL);
	command_free(&c);
}

static void check_networks(json_t *spec)
{
	struct takeover_outer all[TAKEOVER_OUTER_MAX];
	struct container c = { .spec = spec };
	size_t n = podman_outer(&c, all);

	assert(n <= TAKEOVER_OUTER_MAX);
	for (size_t i = 0; i < n; i++)
		assert(strlen(all[i].device) < IF_NAMESIZE && !(all[i].mac[0] & 1));
	json_decref(podman_network_status(spec));
	assert(!container_is_on_host(spec) || !container_has_network(spec));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[300] = "", name[400];
	json_t *json, *spec;

	if (takeover_json_parse((const char *)data, size, "facts", &json, error, sizeof(error)) < 0)
		return 0;
	spec = json_object_get(json, "container");
	if (container_of(json)) {
		check_podman(spec);
		check_networks(spec);
		if (docker_spec_ok(spec)) {
			snprintf(name, sizeof(name), "%s",
				 json_string_value(json_object_get(spec, "name")));
			assert(name[0] && !strpbrk(name, "/?&#% \n") && name[0] != '.');
		}
	}
	json_decref(json);
	return 0;
}
