// SPDX-License-Identifier: GPL-2.0-only
/* JSON from outside, by jansson. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

/* What is quoted from outside ends up in logs and on terminals. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int takeover_json_parse(const char *text, size_t n, const char *name, json_t **ret_json,
			char *error, size_t len)
{
	json_error_t json_error;
	json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &json_error);

	if (!json) {
		make_printable(json_error.text);
		snprintf(error, len, "%s:%d: %s", name, json_error.line, json_error.text);
		return -EINVAL;
	}
	*ret_json = json;
	return 0;
}

int takeover_json_known(const json_t *json, const char *const *known, const char *name, char *error,
			size_t len)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)json, key, value)
	{
		char quoted[32], *end = error;
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (known[i])
			continue;
		snprintf(quoted, sizeof(quoted), "%s", key);
		make_printable(quoted);
		end += snprintf(error, len, "%s: %s: unknown field; known are", name, quoted);
		for (i = 0; known[i] && end < error + len; i++)
			end += snprintf(end, error + len - end, "%s %s", i ? "," : "", known[i]);
		return -EINVAL;
	}
	return 0;
}

ssize_t takeover_json_slurp(int dirfd, const char *path, char **ret_text, char *error, size_t len)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -errno : 0;
	const char *wrong = NULL;
	struct stat st = { 0 };
	char *text = NULL;

	if (n == 0 && fstat(fd, &st) < 0)
		n = -errno;
	if (n == -ELOOP)
		wrong = "a symbolic link; expected a regular file";
	else if (n == 0 && !S_ISREG(st.st_mode))
		n = -EINVAL, wrong = "expected a regular file";
	else if (n == 0 && st.st_size > TAKEOVER_JSON_MAX)
		n = -EFBIG, wrong = "too large; expected at most 256 KiB";
	if (n == 0) {
		text = malloc(st.st_size + 1);
		n = text ? pread(fd, text, st.st_size, 0) : -ENOMEM;
		if (text && n < 0)
			n = -errno;
	}
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		snprintf(error, len, "%s: %s", path, wrong ? wrong : strerror(-n));
		return n;
	}
	*ret_text = text;
	return n;
}
