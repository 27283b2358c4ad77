// SPDX-License-Identifier: GPL-2.0-only
/* Preflight, before anything is touched: what either host has found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "mover.h"
#include "preflight.h"
#include "progress.h"
#include "steps.h"

/* What the other host has found goes to @c, what can be copied there to *@ret_paths. */
static int ask(struct migrate *m, struct checks *c, char **ret_paths, size_t *ret_n,
	       size_t *ret_len)
{
	struct channel_message message;
	int ret = migrate_say(m->channel, "facts", json_pack("{s:O}", "facts", m->facts));

	if (ret == -EMSGSIZE)
		return mover_say(m, ret, "more files and processes than one message can name");
	ret = mover_expect(m, "findings", &message);
	if (ret < 0)
		return ret;
	preflight_read(message.json, c);
	*ret_paths = preflight_differing(message.json, m->facts, ret_n, ret_len);
	return *ret_paths ? 0 : mover_say(m, -ENOMEM, "no memory");
}

static int synchronize(struct migrate *m, const char *paths, size_t n, size_t len)
{
	char error[400];
	int ret;

	progress_say("copying to %s: %zu file%s", m->there, n, n == 1 ? "" : "s");
	for (const char *path = paths; m->o.verbose && path < paths + len; path += strlen(path) + 1)
		progress_say("copying to %s: %s", m->there, path);
	ret = preflight_sync(m->rsh, m->host, paths, len, m->o.timeout_s * 1000, error,
			     sizeof(error));
	return ret < 0 ? mover_say(m, ret, error) : 0;
}

static void say_what_would_be(const struct migrate *m)
{
	const json_t *address;
	size_t i;

	json_array_foreach(json_object_get(m->facts, "addresses"), i, address)
		progress_say("would move %s with it",
			     json_string_value(json_object_get(address, "address")) ?: "");
	progress_say("would move %s %s -> %s: %u connections, %.0f MiB of memory", m->title,
		     m->here, m->there, m->connections, m->memory / 1048576.0);
}

/* All are said already; the first is for whoever reads only the last line, or the report. */
static int say_first(struct migrate *m, const char *host, const struct checks *c)
{
	char why[sizeof(m->why)];

	for (size_t i = 0; i < c->n; i++)
		if (c->found[i].state == CHECK_NO) {
			snprintf(why, sizeof(why),
				 "preflight found what is in the way: %s: %s: %.500s", host,
				 c->found[i].name, c->found[i].what);
			return mover_say(m, -EPERM, why);
		}
	return 0;
}

/* Both hosts say what is in the way, before anything is touched. */
int mover_preflight(struct migrate *m)
{
	struct checks *here = calloc(1, sizeof(*here)), *there = calloc(1, sizeof(*there));
	bool all = m->o.verbose || m->o.check, ok;
	size_t n = 0, len = 0;
	char *paths = NULL;
	int ret = here && there ? 0 : mover_say(m, -ENOMEM, "no memory");

	migrate_step(STEP_PREFLIGHT);
	if (ret == 0) {
		judge_here(m->facts, m->o.max_freeze_s, here);
		if (m->container.runtime)
			container_judge_here(&m->container, here);
		progress_findings(m->here, here, all);
		ret = ask(m, there, &paths, &n, &len);
	}
	if (ret == 0 && m->o.sync && n > 0 && !m->o.check && !m->o.dry_run && check_ok(here)) {
		ret = synchronize(m, paths, n, len);
		free(paths);
		paths = NULL;
		memset(there, 0, sizeof(*there));
		if (ret == 0)
			ret = ask(m, there, &paths, &n, &len);
	}
	if (ret == 0 && !m->only_asked && check_ok(here) && check_ok(there) &&
	    mover_container_lacks_image(m, there)) {
		ret = mover_container_send_image(m);
		free(paths);
		paths = NULL;
		memset(there, 0, sizeof(*there));
		if (ret == 0)
			ret = ask(m, there, &paths, &n, &len);
		if (ret == 0 && mover_container_lacks_image(m, there))
			ret = mover_say(m, -EREMOTEIO, "the image was sent, but is not there");
	}
	if (ret == 0) {
		progress_findings(m->there, there, all);
		ok = check_ok(here) && check_ok(there);
		if (m->o.dry_run && m->o.sync && n > 0)
			progress_say("would copy %zu file%s to %s", n, n == 1 ? "" : "s", m->there);
		if (ok && m->o.dry_run)
			say_what_would_be(m);
		if (!ok)
			ret = say_first(m, m->here, here) ?: say_first(m, m->there, there)
				      ?: mover_say(m, -EPERM, "preflight found what is in the way");
		else if (m->only_asked)
			ret = -ECANCELED;
	}
	free(paths);
	free(here);
	free(there);
	return ret;
}
