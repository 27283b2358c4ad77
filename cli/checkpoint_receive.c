// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover receive-checkpoint: the other end of checkpoint --to, started by it over ssh. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_send.h"
#include "checkpoint_record.h"
#include "cli.h"
#include "migrate.h"
#include "netlink.h"
#include "steps.h"

#define IDLE_MS 30000
#define LOCK_MS 10000
#define LAST_MS 2000

struct receiving {
	struct channel *channel;
	struct store store;
	struct place place;
	char name[STORE_NAME_STRLEN];
	unsigned int keep;
	int fd; /* of the file that comes, -1: none */
	json_int_t left;
	bool over;
	int ret;
};

static void fail(struct receiving *r, const char *why)
{
	migrate_say(r->channel, "failed", json_pack("{s:s}", "why", why));
	r->over = true;
	r->ret = 1;
}

static void fail_by(struct receiving *r, const char *what, int ret)
{
	char why[400];

	snprintf(why, sizeof(why), "%.200s: %s", what, strerror(-ret));
	fail(r, why);
}

static void on_checkpoint(struct receiving *r, const struct channel_message *message)
{
	json_int_t protocol = json_integer_value(json_object_get(message->json, "protocol"));
	json_int_t keep = json_integer_value(json_object_get(message->json, "keep"));
	const char *dir = json_string_value(json_object_get(message->json, "dir")) ?: "";
	struct store_entry entry;
	char why[400];
	int ret;

	if (protocol != CHECKPOINT_PROTOCOL) {
		snprintf(why, sizeof(why),
			 "this ip-takeover %s speaks protocol %d of checkpoint, the other host's "
			 "%lld; install the same version on both hosts",
			 TAKEOVER_VERSION, CHECKPOINT_PROTOCOL, (long long)protocol);
		fail(r, why);
		return;
	}
	if (keep < 1 || keep > 1000 || strstr(dir, "/..") ||
	    !store_is_name(migrate_field(message, "name"), &entry)) {
		fail(r, "dir, name, keep: not those of a checkpoint");
		return;
	}
	r->keep = keep;
	strcpy(r->name, entry.name);
	ret = store_open(dir, true, &r->store, why, sizeof(why));
	if (ret < 0) {
		fail(r, why);
		return;
	}
	/* Not for as long as it comes: the service may have to be revived meanwhile. */
	ret = store_lock(&r->store, LOCK_MS);
	if (ret == 0) {
		store_tidy(&r->store);
		ret = store_begin(&r->store, &r->place);
		store_unlock(&r->store);
	}
	if (ret < 0)
		fail_by(r, dir, ret);
	else
		migrate_say(r->channel, "go", NULL);
}

static void on_file(struct receiving *r, const struct channel_message *message)
{
	const char *name = migrate_field(message, "name");
	json_int_t size = json_integer_value(json_object_get(message->json, "size"));

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') || size < 0) {
		fail(r, "file: not one of a checkpoint");
		return;
	}
	r->fd = openat(r->place.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	r->left = size;
	if (r->fd < 0) {
		fail_by(r, name, -errno);
	} else if (size == 0) {
		close(r->fd);
		r->fd = -1;
	}
}

static void on_data(struct receiving *r, const struct channel_message *message)
{
	size_t done = 0;

	if (r->fd < 0 || (json_int_t)message->len > r->left) {
		fail(r, "data: more than its file has");
		return;
	}
	while (done < message->len) {
		ssize_t n = write(r->fd, message->payload + done, message->len - done);

		if (n < 0 && errno != EINTR) {
			fail_by(r, r->store.path, -errno);
			return;
		}
		done += n > 0 ? n : 0;
	}
	r->left -= message->len;
	if (r->left > 0)
		return;
	if (close(r->fd) < 0)
		fail_by(r, r->store.path, -errno);
	r->fd = -1;
}

static void on_end(struct receiving *r)
{
	char why[400];
	json_t *record;
	int ret = checkpoint_record_read(r->place.fd, &record, why, sizeof(why));

	if (ret < 0) {
		fail(r, why);
		return;
	}
	json_decref(record);
	step_stop_at("checkpoint-received");
	ret = store_lock(&r->store, LOCK_MS) ?: store_keep(&r->store, &r->place, r->name);
	if (ret < 0) {
		fail_by(r, r->store.path, ret);
		return;
	}
	store_prune(&r->store, r->keep);
	migrate_say(r->channel, "kept", NULL);
	r->over = true;
}

static void take(struct receiving *r, const struct channel_message *message)
{
	const char *word = message->type == CHANNEL_JSON ? migrate_word(message) : "";

	if (message->type == CHECKPOINT_DATA)
		on_data(r, message);
	else if (strcmp(word, "checkpoint") == 0 && r->store.fd < 0)
		on_checkpoint(r, message);
	else if (strcmp(word, "file") == 0 && r->place.fd >= 0 && r->fd < 0)
		on_file(r, message);
	else if (strcmp(word, "end") == 0 && r->place.fd >= 0 && r->fd < 0)
		on_end(r);
	else
		fail(r, "the other host said something that makes no sense now");
}

static void serve(struct receiving *r)
{
	struct pollfd pfd = { .fd = channel_fd(r->channel), .events = POLLIN };
	long heard_ms = takeover_now_ms();
	struct channel_message message;
	int ret = 0;

	while (!r->over && ret >= 0 && takeover_now_ms() - heard_ms < IDLE_MS) {
		poll(&pfd, 1, 1000);
		while (!r->over && (ret = channel_receive(r->channel, &message)) > 0) {
			heard_ms = takeover_now_ms();
			take(r, &message);
		}
	}
	if (!r->over)
		r->ret = 1;
	/* What is on its way yet would draw an error from ssh, in place of what we have said. */
	for (heard_ms = takeover_now_ms(); takeover_now_ms() - heard_ms < LAST_MS && ret >= 0;)
		if ((ret = channel_receive(r->channel, &message)) == 0)
			poll(&pfd, 1, LAST_MS);
}

int cli_receive_checkpoint(int argc, char **argv)
{
	struct receiving r = { .store.fd = -1, .place = { .fd = -1, .watch = -1 }, .fd = -1 };
	int out, null;

	(void)argv;
	if (argc != 1 || isatty(0)) {
		fprintf(stderr, "usage: ip-takeover receive-checkpoint; ip-takeover checkpoint "
				"--to starts it\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	umask(0077);
	/* Whatever prints must not print into the channel. */
	out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null, 1);
	if (channel_open(0, out, &r.channel) < 0)
		return 1;
	serve(&r);
	if (r.fd >= 0)
		close(r.fd);
	place_remove(&r.place);
	store_close(&r.store);
	channel_close(r.channel);
	return r.ret;
}
