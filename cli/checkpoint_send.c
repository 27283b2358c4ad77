// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_send.h"
#include "deadline.h"
#include "migrate.h"
#include "netlink.h"
#include "rsh.h"

#define CHUNK	 (256 * 1024)
#define HELLO_MS 30000
#define SEND_MS	 10000
#define KEPT_MS	 300000 /* its disk may be slow */

struct sending {
	struct rsh remote;
	struct channel *channel;
	char *error;
	size_t len;
};

static int say(struct sending *s, int ret, const char *why)
{
	snprintf(s->error, s->len, "%s", deadline_interrupted() ? "interrupted" : why);
	return ret;
}

/* The next word, which must be @word. */
static int expect(struct sending *s, const char *word, int timeout_ms)
{
	long deadline = takeover_now_ms() + timeout_ms, left;
	struct pollfd pfd = { .fd = channel_fd(s->channel), .events = POLLIN };
	struct channel_message message;
	int ret;

	while ((ret = channel_receive(s->channel, &message)) == 0) {
		left = deadline - takeover_now_ms();
		if (left <= 0 || deadline_interrupted())
			return say(s, -ETIMEDOUT, "the other host does not answer");
		poll(&pfd, 1, left);
	}
	if (ret == -EPIPE)
		return say(s, ret, rsh_why(&s->remote));
	if (ret < 0)
		return say(s, ret, channel_error(s->channel));
	if (message.type == CHANNEL_JSON && strcmp(migrate_word(&message), word) == 0)
		return 0;
	return say(s, -EREMOTEIO,
		   message.type == CHANNEL_JSON && strcmp(migrate_word(&message), "failed") == 0
			   ? migrate_field(&message, "why")
			   : "the other host said something that makes no sense now");
}

/* What it has said when it takes nothing more. */
static int broken(struct sending *s, int ret)
{
	if (ret == -EPIPE)
		return expect(s, "", 1000);
	return say(s, ret,
		   ret == -ETIMEDOUT ? "the other host takes nothing any more" : strerror(-ret));
}

static int send_bytes(struct sending *s, int fd, off_t size)
{
	char *buf = malloc(CHUNK);
	int ret = buf ? 0 : -ENOMEM;

	while (ret == 0 && size > 0) {
		ssize_t n = read(fd, buf, size < CHUNK ? size : CHUNK);

		ret = n < 0    ? -errno
		      : n == 0 ? -EIO
			       : channel_send_frame(s->channel, CHECKPOINT_DATA, NULL, 0, buf, n);
		size -= n > 0 ? n : 0;
	}
	free(buf);
	return ret;
}

static int send_file(struct sending *s, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), ret;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		ret = -errno;
	} else {
		ret = migrate_say(
			s->channel, "file",
			json_pack("{s:s, s:I}", "name", name, "size", (json_int_t)st.st_size));
		ret = ret ?: send_bytes(s, fd, st.st_size);
	}
	if (fd >= 0)
		close(fd);
	return ret < 0 ? broken(s, ret) : 0;
}

/* criu's images and our record, and not its log. */
static bool goes(const struct dirent *de)
{
	const char *dot = strrchr(de->d_name, '.');

	return de->d_type == DT_REG && dot &&
	       (strcmp(dot, ".img") == 0 || strcmp(dot, ".json") == 0);
}

static int send_all(struct sending *s, int dirfd)
{
	int again = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct dirent *de;

	if (!dir)
		return say(s, -errno, strerror(errno));
	while (ret == 0 && (de = readdir(dir)))
		if (goes(de))
			ret = send_file(s, dirfd, de->d_name);
	closedir(dir);
	return ret;
}

int checkpoint_send(const struct checkpoint_options *o, const struct store *store, const char *name,
		    char *error, size_t len)
{
	int dirfd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;
	struct sending s = { .error = error, .len = len };

	if (dirfd < 0)
		return say(&s, -errno, strerror(errno));
	ret = rsh_start(&s.remote, o->rsh, o->host, o->program, "receive-checkpoint", &s.channel);
	if (ret < 0) {
		close(dirfd);
		return say(&s, ret, "cannot start the remote shell");
	}
	channel_set_patience(s.channel, SEND_MS);
	ret = migrate_say(s.channel, "checkpoint",
			  json_pack("{s:i, s:s, s:s, s:s, s:i}", "protocol", CHECKPOINT_PROTOCOL,
				    "version", TAKEOVER_VERSION, "dir", store->path, "name", name,
				    "keep", (int)o->keep));
	ret = ret < 0 ? broken(&s, ret) : expect(&s, "go", HELLO_MS);
	ret = ret ?: send_all(&s, dirfd);
	if (ret == 0) {
		ret = migrate_say(s.channel, "end", NULL);
		ret = ret < 0 ? broken(&s, ret) : expect(&s, "kept", KEPT_MS);
	}
	channel_close(s.channel);
	rsh_end(&s.remote);
	close(dirfd);
	return ret;
}
