// SPDX-License-Identifier: GPL-2.0-only
/* A runtime's criu comes only after its keeper: whoever drives both has started that, so that the
 * service could come to rest before the runtime had it in its freezer. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "armed.h"
#include "keeper.h"

#define LAST_MS 5000

static int open_images(const struct takeover_keeper *k)
{
	char path[128];
	int fd;

	fd = open(takeover_armed_images(k->armed, path, sizeof(path)),
		  O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int takeover_keeper_adopt(struct takeover_keeper *k, pid_t criu_pid)
{
	int criu = syscall(SYS_pidfd_open, criu_pid, 0), images, ret;

	if (k->adopted && k->criu_pid == criu_pid) {
		close(criu);
		return 0;
	}
	if (criu < 0)
		return takeover_keeper_say(k, -errno, "cannot watch criu (pid %d): %s",
					   (int)criu_pid, strerror(errno));
	images = open_images(k);
	if (images < 0) {
		close(criu);
		return takeover_keeper_say(k, images, "cannot open criu's image directory: %s",
					   strerror(-images));
	}
	ret = k->hold_later ? takeover_guard_hold(k->guard) : 0;
	if (ret < 0) {
		close(criu);
		close(images);
		return takeover_keeper_say(k, ret, "cannot hold by the guard: %s", strerror(-ret));
	}
	if (k->hold_later)
		takeover_event(k, "hold");
	k->hold_later = false;
	close(k->criu_fd);
	close(k->images_fd);
	k->criu_fd = criu;
	k->images_fd = images;
	k->criu_pid = criu_pid;
	k->criu_started = takeover_request_started(criu_pid);
	k->adopted = true;
	return 0;
}

void takeover_keeper_adopt_again(struct takeover_keeper *k)
{
	if (!k->adopted)
		return;
	k->images_fd = open_images(k);
	if (k->criu_fd < 0)
		return;
	k->criu_fd = syscall(SYS_pidfd_open, k->criu_pid, 0);
	/* Its PID may be another's by now. */
	if (k->criu_fd >= 0 && takeover_request_started(k->criu_pid) != k->criu_started) {
		close(k->criu_fd);
		k->criu_fd = -1;
	}
	k->criu_lost = k->criu_fd < 0;
}

void takeover_keeper_disarm(struct takeover_keeper *k)
{
	struct pollfd pfd = { .fd = k->criu_fd, .events = POLLIN };
	struct takeover_armed armed;

	if (k->armed[0] && takeover_armed_find(k->armed, &armed) == -ESRCH &&
	    (k->criu_fd < 0 || poll(&pfd, 1, LAST_MS) == 1))
		takeover_disarm(k->armed);
}
