// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "outer.h"
#include "nonlocal.h"
#include "receive_container.h"

int receive_container_create(const json_t *facts, uint64_t bytes, struct container *c,
			     struct place *place, char *why, size_t len)
{
	const json_t *spec = container_of(facts);
	const char *runtime = json_string_value(json_object_get(spec, "runtime"));
	int ret;

	*c = (struct container){ 0 };
	if (!spec)
		return 0;
	ret = runtime_find(runtime)->create(spec, c, why, len);
	if (ret < 0)
		return ret;
	ret = c->images[0] ? place_make_at(c->images, bytes, place) : place_make(bytes, place);
	if (ret < 0) {
		snprintf(why, len,
			 "no place for %llu bytes of images: %s; free memory or disk there",
			 (unsigned long long)bytes, strerror(-ret));
		c->runtime->remove(c);
		container_forget(c);
	}
	return ret;
}

static int guard(const struct container *c, char *why, size_t len)
{
	struct takeover_outer all[TAKEOVER_OUTER_MAX];
	size_t n = c->runtime->outer ? c->runtime->outer(c, all) : 0;
	int ret = n > 0 ? takeover_outer_set(all, n) : 0;

	if (ret < 0)
		snprintf(why, len,
			 "cannot guard %s before its container is there: %s; nftables needs the "
			 "hooks ingress and egress of netdev, Linux 5.16",
			 all[0].device, strerror(-ret));
	return ret;
}

void receive_container_unguard(const struct container *c)
{
	if (c->runtime && c->runtime->outer)
		takeover_outer_remove();
	nonlocal_end();
}

int receive_container_restore(struct container *c, const struct place *place, bool first,
			      struct criu *criu, char *why, size_t len)
{
	struct command command = { 0 };
	int ret = 0;

	if (first && c->runtime->load)
		ret = c->runtime->load(c, place->fd, why, len);
	if (!first)
		receive_container_unguard(c);
	ret = ret ?: guard(c, why, len);
	if (ret < 0)
		return ret;
	if (!first && c->runtime->again)
		c->runtime->again(c);
	c->begun = true;
	if (json_array_size(json_object_get(c->spec, "published")) > 0)
		nonlocal_allow();
	c->runtime->restore(c, place->path, &command);
	ret = criu_start_restore_by((const char *const *)command.words, place->path,
				    c->runtime->mute, criu);
	command_free(&command);
	if (c->runtime->log)
		c->runtime->log(c, "restore", place->path, criu->log, sizeof(criu->log));
	if (ret < 0)
		snprintf(why, len, "cannot have %s restore it: %s", c->runtime->name,
			 strerror(-ret));
	return ret;
}

void receive_container_watch(const struct container *c, struct criu *criu)
{
	int fd = -1;

	if (c->runtime && strncmp(criu->log, "/proc/", 6) != 0 && criu->log[0] == '/')
		fd = open(criu->log, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		snprintf(criu->log, sizeof(criu->log), "/proc/self/fd/%d", fd);
}
