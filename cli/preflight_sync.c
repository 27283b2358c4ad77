// SPDX-License-Identifier: GPL-2.0-only
/* Files that differ on the other host are copied there. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preflight.h"
#include "run.h"

/* What rsync can make there; the rest is the other host's own. */
static bool can_be_copied(const json_t *entry)
{
	const char *type = json_string_value(json_object_get(entry, "type"));

	return type && (strcmp(type, "file") == 0 || strcmp(type, "directory") == 0);
}

char *preflight_differing(const json_t *answer, const json_t *facts, size_t *ret_n, size_t *ret_len)
{
	const json_t *files = json_object_get(facts, "files"), *entry;
	char *paths = NULL;
	FILE *f = open_memstream(&paths, ret_len);
	size_t i;

	*ret_n = 0;
	if (!f)
		return NULL;
	/* It gets none but those that it has been told of. */
	json_array_foreach(json_object_get(answer, "differ"), i, entry) {
		const char *path = json_string_value(entry);

		if (!path || !can_be_copied(json_object_get(files, path)))
			continue;
		fwrite(path, 1, strlen(path) + 1, f);
		++*ret_n;
	}
	if (fclose(f) == 0)
		return paths;
	free(paths);
	return NULL;
}

/* An address of IPv6 in brackets, as rsync wants it. */
static void destination(const char *host, char *buf, size_t len)
{
	const char *at = strrchr(host, '@');
	const char *name = at ? at + 1 : host;

	if (strchr(name, ':') && name[0] != '[')
		snprintf(buf, len, "%.*s[%s]:/", (int)(name - host), host, name);
	else
		snprintf(buf, len, "%s:/", host);
}

/* Its last one only sums up. */
static const char *first_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return text;
}

int preflight_sync(const char *rsh, const char *host, const char *paths, size_t len, int timeout_ms,
		   char *error, size_t error_len)
{
	static char output[RUN_OUTPUT_MAX];
	char from[] = "/tmp/ip-takeover-files-XXXXXX", to[512];
	int fd = mkostemp(from, O_CLOEXEC), status = 0, ret;

	if (fd < 0 || write(fd, paths, len) != (ssize_t)len) {
		ret = -errno;
		snprintf(error, error_len, "cannot list the files: %s", strerror(-ret));
	} else {
		destination(host, to, sizeof(to));
		ret = cli_run((const char *[]){ "/usr/bin/env", "rsync", "-a", "--from0",
						"--files-from", from, "-e", rsh, "/", to, NULL },
			      NULL, timeout_ms, output, sizeof(output), &status);
		if (ret < 0)
			snprintf(error, error_len, "rsync: %s", strerror(-ret));
		else if (status != 0) {
			ret = -EREMOTEIO;
			snprintf(error, error_len, "rsync failed: %s%s", first_line(output),
				 WEXITSTATUS(status) == 127 ? "; install rsync on both hosts" : "");
		}
	}
	if (fd >= 0) {
		unlink(from);
		close(fd);
	}
	return ret;
}
