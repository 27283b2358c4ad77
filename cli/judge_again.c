// SPDX-License-Identifier: GPL-2.0-only
/* Judgement once more, when criu could not restore what was judged well before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

void judge_ports_again(const json_t *facts, char *why, size_t len)
{
	struct checks *c = calloc(1, sizeof(*c));
	struct facts *f = NULL;

	if (c && judge_read(facts, c, &f) == 0)
		judge_ports(f, c);
	for (size_t i = 0; f && i < c->n; i++)
		if (c->found[i].state == CHECK_NO) {
			snprintf(why, len, "%s; %s", c->found[i].what, c->found[i].remedy);
			break;
		}
	facts_free(f);
	free(c);
}
