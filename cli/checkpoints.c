// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover checkpoints: what there is to revive. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_options.h"
#include "checkpoint_record.h"
#include "checkpoint_store.h"
#include "cli.h"

static double number(const json_t *record, const char *name)
{
	return json_number_value(json_object_get(record, name));
}

static void show(const char *path, const json_t *record)
{
	const json_t *address = json_array_get(json_object_get(record, "addresses"), 0);

	printf("%-60s  %-12s  %-20s  %7.0f s ago  %8.1f MiB  frozen %.3f s\n", path,
	       json_string_value(json_object_get(record, "host")),
	       json_string_value(json_object_get(address, "address")),
	       difftime(time(NULL), number(record, "at_ns") / 1e9),
	       number(record, "bytes") / 1048576, number(record, "pause_ms") / 1000);
}

static int list(const char *dir, json_t *ret_list)
{
	struct store_entry *all;
	struct store store;
	char error[300];
	size_t n;
	int ret = store_open(dir, false, &store, error, sizeof(error));

	if (ret < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return 1;
	}
	ret = store_list(&store, &all, &n);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		int fd = openat(store.fd, all[i].name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		json_t *record;

		if (fd >= 0 && checkpoint_record_read(fd, &record, error, sizeof(error)) == 0) {
			json_object_set_new(record, "path",
					    json_sprintf("%s/%s", store.path, all[i].name));
			json_array_append_new(ret_list, record);
		} else {
			fprintf(stderr, "ip-takeover: %s/%s: %s\n", store.path, all[i].name,
				fd < 0 ? strerror(errno) : error);
		}
		if (fd >= 0)
			close(fd);
	}
	if (ret == 0)
		free(all);
	store_close(&store);
	return ret < 0;
}

static int list_all(json_t *ret_list)
{
	DIR *dir = opendir(STORE_DIR);
	char path[sizeof(STORE_DIR) + 257];
	struct dirent *de;
	int ret = 0;

	while (dir && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), STORE_DIR "/%s", de->d_name);
		ret |= list(path, ret_list);
	}
	if (dir)
		closedir(dir);
	return ret;
}

int cli_checkpoints(int argc, char **argv)
{
	json_t *all = json_array(), *record;
	struct checkpoint_options o;
	int ret = checkpoint_options_read(argc, argv, &o);
	size_t i;

	if (ret >= 0)
		return ret;
	ret = o.dir ? list(o.dir, all) : list_all(all);
	if (o.json) {
		json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
		putchar('\n');
	} else if (json_array_size(all) == 0) {
		puts("no checkpoint on this host");
	} else {
		json_array_foreach(all, i, record)
			show(json_string_value(json_object_get(record, "path")), record);
	}
	json_decref(all);
	return ret;
}
