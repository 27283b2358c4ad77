// SPDX-License-Identifier: GPL-2.0-only
/* Records in REPORT_DIR, one a takeover, named by its id; and those that keepers leave. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "manifest.h"
#include "report.h"

#define SUFFIX	".json"
#define ALL_MAX 4096

struct entry {
	char id[REPORT_ID_STRLEN];
	struct timespec at;
};

static int open_dir(void)
{
	int fd = open(REPORT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->at;
	const struct timespec *y = &((const struct entry *)b)->at;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* All records, the newest first. */
static int list(int dirfd, struct entry **ret_entries, size_t *ret_n)
{
	struct entry *all = calloc(ALL_MAX, sizeof(*all));
	int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;
	struct stat st;
	size_t n = 0;

	if (!all || !dir) {
		free(all);
		if (dir)
			closedir(dir);
		return -ENOMEM;
	}
	while (n < ALL_MAX && (de = readdir(dir))) {
		struct entry *e = &all[n];

		if (strlen(de->d_name) != sizeof(e->id) - 1 + strlen(SUFFIX) ||
		    strcmp(de->d_name + sizeof(e->id) - 1, SUFFIX) != 0)
			continue;
		snprintf(e->id, sizeof(e->id), "%.36s", de->d_name);
		if (!takeover_manifest_is_id(e->id) ||
		    fstatat(dirfd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		e->at = st.st_mtim;
		n++;
	}
	closedir(dir);
	qsort(all, n, sizeof(*all), newest_first);
	*ret_entries = all;
	*ret_n = n;
	return 0;
}

static void forget_old(int dirfd)
{
	struct entry *all;
	size_t n;

	if (list(dirfd, &all, &n) < 0)
		return;
	for (size_t i = REPORT_KEPT; i < n; i++) {
		char name[REPORT_ID_STRLEN + 8];

		snprintf(name, sizeof(name), "%s" SUFFIX, all[i].id);
		unlinkat(dirfd, name, 0);
	}
	free(all);
}

static int make_dir(void)
{
	if (mkdir("/var/lib/ip-takeover", 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(REPORT_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_dir();
}

int report_save(const json_t *record)
{
	const char *id = json_string_value(json_object_get(record, "id"));
	char name[REPORT_ID_STRLEN + 8], temporary[REPORT_ID_STRLEN + 16];
	int dirfd, fd, ret;

	if (!id || !takeover_manifest_is_id(id))
		return -EINVAL;
	dirfd = make_dir();
	if (dirfd < 0)
		return dirfd;
	snprintf(name, sizeof(name), "%s" SUFFIX, id);
	snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : 0;
	if (ret == 0 && json_dumpfd(record, fd, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0)
		ret = -EIO;
	if (fd >= 0 && close(fd) < 0)
		ret = -errno;
	if (ret == 0 && renameat(dirfd, temporary, dirfd, name) < 0)
		ret = -errno;
	if (ret < 0)
		unlinkat(dirfd, temporary, 0);
	else
		forget_old(dirfd);
	close(dirfd);
	return ret;
}

static int read_json(int dirfd, const char *name, json_t **ret_json, char *error, size_t len)
{
	char *bytes;
	ssize_t n = takeover_json_slurp(dirfd, name, &bytes, error, len);
	int ret;

	if (n < 0)
		return n;
	ret = takeover_json_parse(bytes, n, name, ret_json, error, len);
	free(bytes);
	return ret;
}

/* Which of them is meant. */
static int choose(const struct entry *all, size_t n, const char *id, char *ret_name,
		  size_t name_len, char *error, size_t len)
{
	const struct entry *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (id && strncmp(all[i].id, id, strlen(id)) != 0)
			continue;
		if (found) {
			snprintf(error, len,
				 "several records begin with %.40s; give more of the id", id);
			return -EEXIST;
		}
		found = &all[i];
		if (!id)
			break;
	}
	if (!found) {
		if (id)
			snprintf(error, len, "no record of %.40s in " REPORT_DIR, id);
		else
			snprintf(error, len,
				 "no record in " REPORT_DIR
				 ": no service was moved from this host");
		return -ENOENT;
	}
	snprintf(ret_name, name_len, "%s" SUFFIX, found->id);
	return 0;
}

int report_load(const char *id, json_t **ret_record, char *error, size_t len)
{
	char name[REPORT_ID_STRLEN + 8];
	struct entry *all = NULL;
	int dirfd = open_dir(), ret;
	size_t n = 0;

	if (id && (!id[0] || strspn(id, "0123456789abcdef-") != strlen(id))) {
		if (dirfd >= 0)
			close(dirfd);
		snprintf(error, len, "not an id or the beginning of one, nor a directory");
		return -EINVAL;
	}
	if (dirfd < 0 && dirfd != -ENOENT) {
		snprintf(error, len, REPORT_DIR ": %s", strerror(-dirfd));
		return dirfd;
	}
	ret = dirfd < 0 ? 0 : list(dirfd, &all, &n);
	if (ret == 0)
		ret = choose(all, n, id, name, sizeof(name), error, len);
	else
		snprintf(error, len, REPORT_DIR ": %s", strerror(-ret));
	if (ret == 0)
		ret = read_json(dirfd, name, ret_record, error, len);
	free(all);
	if (dirfd >= 0)
		close(dirfd);
	return ret;
}

/* The two must be of one takeover; either may be missing, the destination's for good. */
int report_load_images(const char *path, json_t **ret_record, char *error, size_t len)
{
	json_t *source = NULL, *destination = NULL;
	const char *id, *other, *from, *to;
	int dirfd, ret;

	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		ret = -errno;
		snprintf(error, len, "%s", strerror(-ret));
		return ret;
	}
	ret = read_json(dirfd, "ip-takeover-dump.json", &source, error, len);
	if (ret == 0) {
		ret = read_json(dirfd, "ip-takeover-restore.json", &destination, error, len);
		ret = ret == -ENOENT ? 0 : ret;
	}
	close(dirfd);
	id = json_string_value(json_object_get(source, "id")) ?: "";
	other = destination ? json_string_value(json_object_get(destination, "id")) ?: "" : id;
	from = json_string_value(json_object_get(source, "host"));
	to = json_string_value(json_object_get(destination, "host"));
	if (ret == 0 && strcmp(id, other) != 0) {
		snprintf(error, len,
			 "ip-takeover-restore.json: of another takeover than "
			 "ip-takeover-dump.json");
		ret = -EINVAL;
	}
	if (ret == 0) {
		*ret_record = json_pack("{s:i, s:s, s:s, s:s, s:O, s:O*}", "report", REPORT_FORMAT,
					"id", id, "from", from && *from ? from : "source", "to",
					to && *to ? to : "destination", "source", source,
					"destination", destination);
		ret = *ret_record ? 0 : -ENOMEM;
	}
	json_decref(source);
	json_decref(destination);
	return ret;
}
