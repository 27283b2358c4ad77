// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint says of itself, written. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "checkpoint_record.h"
#include "journal.h"
#include "json.h"
#include "migrate_options.h"
#include "run.h"
#include "sockets.h"
#include "tasks.h"

#define KEEPER_RECORD "ip-takeover-dump.json"
#define PATIENCE_MS   5000

static json_t *printable(const char *text)
{
	char buf[CHECKPOINT_TEXT_MAX];

	snprintf(buf, sizeof(buf), "%.*s", CHECKPOINT_TEXT_MAX - 1, text);
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return json_string(buf);
}

static json_t *criu_version(void)
{
	static char output[RUN_OUTPUT_MAX];
	const char *version;
	int status = 0;

	cli_run((const char *[]){ "/usr/bin/env", "criu", "--version", NULL }, NULL, PATIENCE_MS,
		output, sizeof(output), &status);
	version = strstr(output, "Version: ");
	output[strcspn(output, "\n")] = '\0';
	return printable(version ? version + strlen("Version: ") : "?");
}

/* Where the tree takes connections and datagrams, each once. */
static json_t *ports(pid_t root)
{
	struct takeover_sockets sockets;
	bool seen[2][65536] = { 0 };
	json_t *list = json_array();

	if (takeover_sockets_list(&sockets) < 0)
		return list;
	takeover_sockets_hold(&sockets, root);
	for (size_t i = 0; i < sockets.n && json_array_size(list) < CHECKPOINT_PORTS_MAX; i++) {
		const struct takeover_socket *s = &sockets.all[i];
		bool udp = s->protocol == IPPROTO_UDP;

		if (!s->inside || takeover_socket_is_connected(s) || s->local_port == 0 ||
		    seen[udp][s->local_port])
			continue;
		seen[udp][s->local_port] = true;
		json_array_append_new(list, json_pack("{s:s, s:i}", "protocol", udp ? "udp" : "tcp",
						      "port", (int)s->local_port));
	}
	free(sockets.all);
	return list;
}

json_t *checkpoint_describe(pid_t root, const char *const *options)
{
	struct utsname host;
	char name[32];

	uname(&host);
	takeover_task_name(root, name, sizeof(name));
	return json_pack("{s:i, s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "checkpoint",
			 CHECKPOINT_FORMAT, "name", printable(name), "pid", (int)root, "host",
			 printable(host.nodename), "kernel", printable(host.release), "criu",
			 criu_version(), "ports", ports(root), "options",
			 migrate_options_give_criu(options));
}

static int read_keeper(int dirfd, json_t **ret_json, char *error, size_t len)
{
	char *text;
	ssize_t n = takeover_json_slurp(dirfd, KEEPER_RECORD, &text, error, len);
	int ret;

	if (n < 0)
		return n;
	ret = takeover_json_parse(text, n, KEEPER_RECORD, ret_json, error, len);
	free(text);
	return ret;
}

static json_int_t event_ns(const json_t *keeper, const char *what)
{
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(keeper, "events"), i, event)
		if (strcmp(journal_field(event, "what"), what) == 0)
			return json_integer_value(json_object_get(event, "at_ns"));
	return 0;
}

static void add_keepers(json_t *record, const json_t *keeper)
{
	json_int_t frozen = event_ns(keeper, "frozen"), released = event_ns(keeper, "released");
	json_t *list = json_array(), *entry;
	size_t i;

	json_array_foreach(json_object_get(keeper, "addresses"), i, entry)
		json_array_append_new(list, json_pack("{s:s, s:s}", "address",
						      journal_field(entry, "address"), "device",
						      journal_field(entry, "device")));
	json_object_set_new(record, "addresses", list);
	json_object_set(record, "connections", json_object_get(keeper, "connections"));
	/* A freeze that ended before the keeper could look is as long as it looks for it. */
	json_object_set_new(record, "at_ns",
			    json_integer(frozen ? frozen : event_ns(keeper, "prepared")));
	json_object_set_new(record, "pause_ms",
			    json_real(frozen && released ? (released - frozen) / 1e6 : 0));
}

int checkpoint_record_write(json_t *record, int dirfd, char *error, size_t len)
{
	json_int_t files, bytes;
	json_t *keeper;
	int ret, fd;

	ret = read_keeper(dirfd, &keeper, error, len);
	if (ret == -ENOENT)
		snprintf(error, len,
			 "its keeper was killed, and packets that it held are lost; peers send "
			 "them again");
	if (ret < 0)
		return ret;
	add_keepers(record, keeper);
	json_decref(keeper);
	ret = checkpoint_record_measure(dirfd, &files, &bytes);
	json_object_set_new(record, "files", json_integer(files));
	json_object_set_new(record, "bytes", json_integer(bytes));
	fd = openat(dirfd, CHECKPOINT_RECORD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (ret == 0 && fd < 0)
		ret = -errno;
	if (ret == 0 && json_dumpfd(record, fd, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0)
		ret = errno ? -errno : -EIO;
	if (fd >= 0 && close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret < 0)
		snprintf(error, len, CHECKPOINT_RECORD ": %s", strerror(-ret));
	return ret;
}
