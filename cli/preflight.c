// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts_fields.h"
#include "facts_read.h"
#include "judge.h"
#include "preflight.h"

#define DIFFER_MAX (512 * 1024) /* bytes of their names: a message holds twice as much */
#define CHECKS_MAX 1024
#define REMEDY	   "the same ip-takeover on both hosts"

static const char *const states[] = { "ok", "warning", "no" };

static json_t *differing(const json_t *json)
{
	json_t *list = json_array();
	struct facts *f = NULL;
	char error[300];
	size_t bytes = 0;

	if (facts_read(json, &f, error, sizeof(error)) < 0)
		return list;
	for (size_t i = 0; i < f->n_files && bytes < DIFFER_MAX; i++)
		if (judge_file_differs(&f->files[i])) {
			bytes += strlen(f->files[i].path);
			json_array_append_new(list, json_string(f->files[i].path));
		}
	facts_free(f);
	return list;
}

json_t *preflight_answer(const json_t *facts)
{
	struct checks *c = calloc(1, sizeof(*c));
	json_t *list = json_array(), *answer;

	if (!c)
		return NULL;
	judge(facts, c);
	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s}", "name", c->found[i].name,
						"state", states[c->found[i].state], "what",
						c->found[i].what, "remedy", c->found[i].remedy));
	answer = json_pack("{s:b, s:o, s:o}", "ok", check_ok(c), "checks", list, "differ",
			   differing(facts));
	free(c);
	return answer;
}

static bool read_check(const json_t *json, struct checks *c)
{
	const char *name, *state, *what, *remedy;
	struct check limits;

	if (!facts_text(json, "name", sizeof(limits.name) - 1, false, &name) ||
	    !facts_text(json, "state", 16, false, &state) ||
	    !facts_text(json, "what", sizeof(limits.what) - 1, true, &what) ||
	    !facts_text(json, "remedy", sizeof(limits.remedy) - 1, true, &remedy))
		return false;
	for (int i = CHECK_OK; i <= CHECK_NO; i++)
		if (strcmp(state, states[i]) == 0) {
			check_say(c, i, name, remedy, "%s", what);
			return true;
		}
	return false;
}

void preflight_read(const json_t *answer, struct checks *c)
{
	json_t *list;
	size_t n, i = 0;
	bool ok;

	if (facts_boolean(answer, "ok", &ok) &&
	    facts_list(answer, "checks", 1, CHECKS_MAX, &list, &n)) {
		while (i < n && read_check(json_array_get(list, i), c))
			i++;
		if (i == n && (ok || !check_ok(c)))
			return;
	}
	check_say(c, CHECK_NO, "findings", REMEDY, "its answer makes no sense");
}
