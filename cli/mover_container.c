// SPDX-License-Identifier: GPL-2.0-only
/* The source's end of migrate, where what moves is a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"
#include "image_send.h"
#include "mover.h"
#include "progress.h"

#define MORE "more" /* beside the images: what the runtime adds */

int mover_container_find(struct migrate *m, char *error, size_t len)
{
	const struct runtime *runtime = runtime_find(m->o.runtime);
	int ret;

	if (!runtime) {
		snprintf(error, len, "--%s: not yet", m->o.runtime);
		return -ENOTSUP;
	}
	ret = runtime->find(m->o.container, &m->container, error, len);
	if (ret < 0)
		return ret;
	ret = container_look_inside(&m->container, error, len);
	if (ret < 0)
		return ret;
	m->o.pids[0] = m->container.pid;
	m->o.n_pids = 1;
	return 0;
}

void mover_container_name(struct migrate *m)
{
	snprintf(m->name, sizeof(m->name), "%.60s", m->container.name);
	snprintf(m->title, sizeof(m->title), "%s container %s", m->container.runtime->name,
		 m->container.name);
}

int mover_container_start(struct migrate *m)
{
	const struct runtime *runtime = m->container.runtime;
	struct takeover_reply reply = { 0 };
	struct command command = { 0 };
	char error[400] = "";
	pid_t ended;
	int ret = 0;

	m->container.begun = true;
	if (runtime->before)
		ret = runtime->before(&m->container, error, sizeof(error));
	if (ret < 0)
		return mover_say(m, ret, error);
	runtime->dump(&m->container, m->place.path, &command);
	ret = criu_start_dump_by((const char *const *)command.words, m->place.path,
				 m->container.pid, &m->criu, &reply);
	command_free(&command);
	if (runtime->log)
		runtime->log(&m->container, "dump", m->place.path, m->criu.log,
			     sizeof(m->criu.log));
	/* The keeper has found no socket then. */
	if (ret < 0 && mover_ended(m, &ended) > 0)
		return mover_say(m, -ESRCH, "it has ended meanwhile");
	if (ret < 0)
		return mover_say(m, ret, reply.message[0] ? reply.message : strerror(-ret));
	return 0;
}

/* criu's directory is the runtime's choice. */
int mover_container_follow(struct migrate *m)
{
	if (m->images_fd < 0) {
		m->images_fd = criu_open_images(&m->criu);
		if (m->images_fd < 0)
			return 0;
		images_send_from(m->images, m->images_fd);
	}
	return images_send_follow(m->images);
}

int mover_container_save(struct migrate *m)
{
	const struct runtime *runtime = m->container.runtime;
	char error[400] = "";
	int ret;

	if (m->images_fd < 0)
		return mover_say(m, -ENOENT, "criu's images are nowhere");
	if (!runtime->save)
		return 0;
	if (mkdirat(m->place.fd, MORE, 0700) < 0)
		return mover_say(m, -errno, strerror(errno));
	m->more_fd = openat(m->place.fd, MORE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->more_fd < 0)
		return mover_say(m, -errno, strerror(errno));
	images_send_more(m->images, m->more_fd);
	ret = runtime->save(&m->container, m->more_fd, error, sizeof(error));
	return ret < 0 ? mover_say(m, ret, error) : 0;
}

int mover_container_lost(struct migrate *m)
{
	char why[sizeof(m->why)];

	place_keep(&m->place);
	snprintf(why, sizeof(why),
		 "its criu has not loaded the plugin, and has dumped it as any container; see "
		 "ip-takeover check; what %s restore needs to run it again, after ip-takeover "
		 "claim, stays in %.400s",
		 m->container.runtime->name, m->place.path);
	return mover_say(m, -ENOTRECOVERABLE, why);
}

uint64_t mover_container_bytes(const struct migrate *m)
{
	json_int_t bytes = json_integer_value(json_object_get(m->container.spec, "layer"));

	return bytes > 0 ? bytes : 0;
}

bool mover_container_lacks_image(const struct migrate *m, const struct checks *there)
{
	for (size_t i = 0; m->container.runtime && i < there->n; i++)
		if (there->found[i].state != CHECK_OK &&
		    strcmp(there->found[i].name, CONTAINER_IMAGE) == 0)
			return true;
	return false;
}

int mover_container_send_image(struct migrate *m)
{
	const char *image = json_string_value(json_object_get(m->container.spec, "image"));
	char error[400];
	int ret;

	progress_say("sending to %s: image %s", m->there, image);
	ret = image_send(m->container.runtime->name, image, m->rsh, m->host, m->o.timeout_s * 1000,
			 error, sizeof(error));
	return ret < 0 ? mover_say(m, ret, error) : 0;
}

void mover_container_end(struct migrate *m)
{
	const struct runtime *runtime = m->container.runtime;

	if (!runtime)
		return;
	criu_disarm(&m->criu);
	/* What is left of it here, its images too, is not removed on hearsay. */
	if (m->said_runs && runtime->moved)
		runtime->moved(&m->container);
	else if (!m->committed && runtime->stays && m->container.begun)
		runtime->stays(&m->container);
	if (m->images_fd >= 0)
		close(m->images_fd);
	if (m->more_fd >= 0)
		close(m->more_fd);
	container_forget(&m->container);
}
