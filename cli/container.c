// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "facts_fields.h"

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

/* Where CRIU, run by a runtime, learns of us. */
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
	runtime->judge(spec, checks);
}

void container_judge_here(const struct container *c, struct checks *checks)
{
	if (c->runtime->judge_here)
		c->runtime->judge_here(c, checks);
}

void container_forget(struct container *c)
{
	json_decref(c->spec);
	*c = (struct container){ 0 };
}
