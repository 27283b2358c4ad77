// SPDX-License-Identifier: GPL-2.0-only
/* Judgement: whether the service finds its files here, and room for its memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "file.h"
#include "judge.h"

#define SYNC "migrate --sync copies it from the source"
#define DISK "/var/tmp"
#define MIB  (1024 * 1024)

/* What is wrong with it to @buf; whether there is anything. */
static bool differs(const struct facts_file *want, char *buf, size_t len)
{
	struct file have;
	int ret = file_look(want->path, &have);

	buf[0] = '\0';
	if (ret == -ENOENT || ret == -ENOTDIR)
		snprintf(buf, len, "is missing");
	else if (ret < 0)
		snprintf(buf, len, "%s", strerror(-ret));
	else if (strcmp(have.type, want->type) != 0)
		snprintf(buf, len, "is of type %s, on the source %s", have.type, want->type);
	else if (have.size != want->size)
		snprintf(buf, len, "has %llu bytes, on the source %llu",
			 (unsigned long long)have.size, (unsigned long long)want->size);
	else if (strcmp(have.build_id, want->build_id) != 0)
		snprintf(buf, len, "is another build (%.12s, on the source %.12s)",
			 have.build_id[0] ? have.build_id : "none",
			 want->build_id[0] ? want->build_id : "none");
	return buf[0];
}

bool judge_file_differs(const struct facts_file *file)
{
	char what[160];

	return differs(file, what, sizeof(what));
}

void judge_files(const struct facts *f, struct checks *c)
{
	size_t n = 0;
	char what[160];

	for (size_t i = 0; i < f->n_files; i++)
		if (differs(&f->files[i], what, sizeof(what)) && ++n <= JUDGE_LINES_MAX)
			check_say(c, CHECK_NO, "files", SYNC, "%.400s %s", f->files[i].path, what);
	if (n > JUDGE_LINES_MAX)
		check_say(c, CHECK_NO, "files", SYNC, "%zu more are missing or differ",
			  n - JUDGE_LINES_MAX);
	else if (n == 0)
		check_say(c, CHECK_OK, "files", NULL, "all %zu are here, and the same", f->n_files);
}

static uint64_t available_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* Images in memory need it twice: beside them the service gets its own again. */
void judge_room(const struct facts *f, struct checks *c)
{
	uint64_t available = available_memory(), disk = 0;
	unsigned long long need = f->memory / MIB, have = available / MIB;
	struct statvfs fs;

	if (statvfs(DISK, &fs) == 0)
		disk = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (available >= 2 * f->memory)
		check_say(c, CHECK_OK, "room", NULL,
			  "%llu MiB to move, %llu MiB of memory available", need, have);
	else if (available < f->memory)
		check_say(c, CHECK_NO, "room", "free memory here, or move it to a larger host",
			  "%llu MiB to move, only %llu MiB of memory available", need, have);
	else if (disk >= f->memory)
		check_say(c, CHECK_WARNING, "room", "free memory here for a shorter freeze",
			  "%llu MiB to move, %llu MiB of memory available: images go to " DISK,
			  need, have);
	else
		check_say(c, CHECK_NO, "room", "free memory here, or disk in " DISK,
			  "%llu MiB to move, %llu MiB of memory available, %llu MiB in " DISK, need,
			  have, (unsigned long long)(disk / MIB));
}
