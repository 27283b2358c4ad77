// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint says of itself, read: what is wrong with it, and with its images. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "checkpoint_record.h"
#include "config.h"
#include "journal.h"
#include "json.h"
#include "migrate_options.h"

static bool is_image(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".img") == 0;
}

int checkpoint_record_measure(int dirfd, json_int_t *ret_files, json_int_t *ret_bytes)
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

static bool is_number(const json_t *json, const char *name, json_int_t min, json_int_t max)
{
	const json_t *n = json_object_get(json, name);

	return json_is_integer(n) && json_integer_value(n) >= min && json_integer_value(n) <= max;
}

static bool is_text(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (!text || strlen(text) >= CHECKPOINT_TEXT_MAX)
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
	return json_is_array(list) && json_array_size(list) <= CHECKPOINT_PORTS_MAX;
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

int checkpoint_record_parse(const char *text, size_t n, json_t **ret_record, char *error,
			    size_t len)
{
	const char *wrong;
	json_t *record;
	int ret = takeover_json_parse(text, n, CHECKPOINT_RECORD, &record, error, len);

	if (ret < 0)
		return ret;
	wrong = check(record);
	if (wrong) {
		snprintf(error, len, CHECKPOINT_RECORD ": %s", wrong);
		/* An option that it quotes may be anything. */
		for (char *c = error; *c; c++)
			if (*c < ' ' || *c > '~')
				*c = '?';
		json_decref(record);
		return -EINVAL;
	}
	*ret_record = record;
	return 0;
}

int checkpoint_record_read(int dirfd, json_t **ret_record, char *error, size_t len)
{
	json_int_t files, bytes;
	json_t *record;
	char *text;
	ssize_t n = takeover_json_slurp(dirfd, CHECKPOINT_RECORD, &text, error, len);
	int ret;

	if (n < 0)
		return n;
	ret = checkpoint_record_parse(text, n, &record, error, len);
	free(text);
	if (ret < 0)
		return ret;
	if (checkpoint_record_measure(dirfd, &files, &bytes) < 0 ||
	    files != json_integer_value(json_object_get(record, "files")) ||
	    bytes != json_integer_value(json_object_get(record, "bytes"))) {
		snprintf(error, len,
			 CHECKPOINT_RECORD ": files, bytes: the images are others than those that "
					   "it names");
		json_decref(record);
		return -EINVAL;
	}
	*ret_record = record;
	return 0;
}
