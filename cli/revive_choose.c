// SPDX-License-Identifier: GPL-2.0-only
/* Which checkpoint is revived: the newest that is whole, and only when it is young enough. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checkpoint_record.h"
#include "revive.h"

#define LOCK_MS 10000

/* The only one in STORE_DIR: 0 and its path; else @why says which there are. */
static int find_only(struct revival *r, char *ret_path, size_t len)
{
	DIR *dir = opendir(STORE_DIR);
	struct dirent *de;
	size_t n = 0, used;

	used = snprintf(r->why, sizeof(r->why), "%s", STORE_DIR ": name one by --dir:");
	while (dir && (de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(ret_path, len, STORE_DIR "/%s", de->d_name);
		if (used < sizeof(r->why))
			used += snprintf(r->why + used, sizeof(r->why) - used, " %s", de->d_name);
		n++;
	}
	if (dir)
		closedir(dir);
	if (n == 0)
		snprintf(r->why, sizeof(r->why),
			 STORE_DIR ": no checkpoint has been taken, or sent here");
	if (n != 1)
		return n == 0 ? -ENOENT : -EINVAL;
	r->why[0] = '\0';
	return 0;
}

int revive_open(struct revival *r, const char *dir)
{
	char path[PATH_MAX];
	int ret;

	ret = takeover_config_read(&r->config, r->why, sizeof(r->why));
	if (ret == 0 && !dir)
		ret = find_only(r, path, sizeof(path));
	ret = ret ?: store_open(dir ?: path, false, &r->store, r->why, sizeof(r->why));
	if (ret < 0)
		return ret;
	ret = store_lock(&r->store, LOCK_MS);
	if (ret < 0)
		snprintf(r->why, sizeof(r->why),
			 "%.300s: a checkpoint is being taken, or the service is revived by "
			 "somebody else",
			 r->store.path);
	return ret;
}

double revive_age(const struct revival *r)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9 -
	       json_integer_value(json_object_get(r->record, "at_ns")) / 1e9;
}

static int check_age(struct revival *r, unsigned int max_age)
{
	unsigned int limit = max_age ?: r->config.checkpoint_max_age;
	double age = revive_age(r);

	if (age <= limit && age >= -(double)limit)
		return 0;
	snprintf(r->why, sizeof(r->why),
		 age > 0 ? "%.300s/%s is %.0f s old, more than %u (checkpoint_max_age); to revive "
			   "it all the same: --max-age SECONDS"
			 : "%.300s/%s is %.0f s old, which is less than nothing, by %u at least; "
			   "set the clocks of both hosts",
		 r->store.path, r->name, age, limit);
	return -ESTALE;
}

int revive_choose(struct revival *r, unsigned int max_age)
{
	struct store_entry *all;
	size_t n;
	int ret = store_list(&r->store, &all, &n);

	if (ret < 0) {
		snprintf(r->why, sizeof(r->why), "%.300s: %s", r->store.path, strerror(-ret));
		return ret;
	}
	ret = -ENOENT;
	snprintf(r->why, sizeof(r->why), "%.300s: no whole checkpoint in it", r->store.path);
	for (size_t i = 0; i < n && ret < 0; i++) {
		char error[300];

		r->dirfd = openat(r->store.fd, all[i].name,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (r->dirfd < 0)
			continue;
		ret = checkpoint_record_read(r->dirfd, &r->record, error, sizeof(error));
		if (ret == 0) {
			strcpy(r->name, all[i].name);
			r->why[0] = '\0';
			break;
		}
		fprintf(stderr, "ip-takeover: %s/%s is passed over: %s\n", r->store.path,
			all[i].name, error);
		close(r->dirfd);
		r->dirfd = -1;
	}
	free(all);
	return ret ?: check_age(r, max_age);
}

void revive_close(struct revival *r)
{
	if (r->dirfd >= 0)
		close(r->dirfd);
	store_close(&r->store);
	json_decref(r->record);
}
