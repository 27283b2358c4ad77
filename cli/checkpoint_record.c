// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "address.h"
#include "checkpoint_record.h"
#include "config.h"
#include "journal.h"
#include "json.h"
#include "migrate_options.h"
#include "run.h"
#include "sockets.h"
#include "tasks.h"

#define KEEPER_RECORD "ip-takeover-dump.json"
#define PATIENCE_MS   5000
#define TEXT_MAX      80
#define PORTS_MAX     1024

static json_t *printable(const char *text)
{
	char buf[TEXT_MAX];

	snprintf(buf, sizeof(buf), "%s", text);
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
	for (size_t i = 0; i < sockets.n && json_array_size(list) < PORTS_MAX; i++) {
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

static bool is_image(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".img") == 0;
}

/* How many images, and how large. */
static int measure(int dirfd, json_int_t *ret_files, json_int_t *ret_bytes)
{
	int again = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again >= 0 ? fdopendir(again) : NULL;
	struct dirent *de;
	struct stat st;

	if (!dir)
		return -errno;
	*ret_files = *ret_bytes = 0;
	while ((de = readdir(dir)))
		if (is_image(de->d_name) &&
		    fstatat(dirfd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			++*ret_files;
			*ret_bytes += st.st_size;
		}
	closedir(dir);
	return 0;
}

static int read_json(int dirfd, const char *name, json_t **ret_json, char *error, size_t len)
{
	char *text;
	ssize_t n = takeover_json_slurp(dirfd, name, &text, error, len);
	int ret;

	if (n < 0)
		return n;
	ret = takeover_json_parse(text, n, name, ret_json, error, len);
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

	ret = read_json(dirfd, KEEPER_RECORD, &keeper, error, len);
	if (ret == -ENOENT)
		snprintf(error, len,
			 "its keeper was killed, and packets that it held are lost; peers send "
			 "them again");
	if (ret < 0)
		return ret;
	add_keepers(record, keeper);
	json_decref(keeper);
	ret = measure(dirfd, &files, &bytes);
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

static bool is_number(const json_t *json, const char *name, json_int_t min, json_int_t max)
{
	const json_t *n = json_object_get(json, name);

	return json_is_integer(n) && json_integer_value(n) >= min && json_integer_value(n) <= max;
}

static bool is_text(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (!text || strlen(text) >= TEXT_MAX)
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool are_addresses(const json_t *list)
{
	struct takeover_address a;
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (takeover_address_parse(journal_field(entry, "address"), &a) < 0)
			return false;
	return json_array_size(list) > 0 && json_array_size(list) <= TAKEOVER_ADDRESSES_MAX;
}

static bool are_ports(const json_t *list)
{
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (!is_number(entry, "port", 1, 65535) || !is_text(entry, "protocol"))
			return false;
	return json_is_array(list) && json_array_size(list) <= PORTS_MAX;
}

/* What is wrong with it, or NULL. */
static const char *check(const json_t *record)
{
	const char *options[MIGRATE_CRIU_OPTIONS_MAX + 1];
	static char why[200];

	if (json_integer_value(json_object_get(record, "checkpoint")) != CHECKPOINT_FORMAT)
		return "checkpoint: expected 1; it is of another version of this project";
	if (!is_text(record, "name") || !is_text(record, "host") || !is_text(record, "kernel") ||
	    !is_text(record, "criu"))
		return "name, host, kernel, criu: expected texts";
	if (!is_number(record, "pid", 1, 1 << 22))
		return "pid: expected a PID";
	if (!is_number(record, "at_ns", 0, INT64_MAX) ||
	    !is_number(record, "bytes", 0, INT64_MAX) ||
	    !is_number(record, "files", 0, INT64_MAX) ||
	    !is_number(record, "connections", 0, INT32_MAX))
		return "at_ns, bytes, files, connections: expected numbers";
	if (!json_is_number(json_object_get(record, "pause_ms")) ||
	    !json_is_number(json_object_get(record, "duration_ms")))
		return "pause_ms, duration_ms: expected numbers";
	if (!are_addresses(json_object_get(record, "addresses")))
		return "addresses: expected 1 to 64 like { \"address\": \"192.0.2.100/24\" }";
	if (!are_ports(json_object_get(record, "ports")))
		return "ports: expected some like { \"protocol\": \"tcp\", \"port\": 80 }";
	if (migrate_options_take_criu(json_object_get(record, "options"), options, why,
				      sizeof(why)) < 0)
		return why;
	return NULL;
}

int checkpoint_record_read(int dirfd, json_t **ret_record, char *error, size_t len)
{
	json_int_t files, bytes;
	const char *wrong;
	json_t *record;
	int ret;

	ret = read_json(dirfd, CHECKPOINT_RECORD, &record, error, len);
	if (ret < 0)
		return ret;
	wrong = check(record);
	if (!wrong && (measure(dirfd, &files, &bytes) < 0 ||
		       files != json_integer_value(json_object_get(record, "files")) ||
		       bytes != json_integer_value(json_object_get(record, "bytes"))))
		wrong = "files, bytes: the images are others than those that it names";
	if (wrong) {
		snprintf(error, len, CHECKPOINT_RECORD ": %s", wrong);
		json_decref(record);
		return -EINVAL;
	}
	*ret_record = record;
	return 0;
}
