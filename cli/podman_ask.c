// SPDX-License-Identifier: GPL-2.0-only
/* Asking podman. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podman.h"
#include "run.h"

/* Behind warnings, a line each. */
static const char *begin(const char *text)
{
	while (*text && *text != '[' && *text != '{') {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return text;
}

int podman_ask(json_t **ret_json, char *error, size_t len, ...)
{
	char *text = malloc(RUN_OUTPUT_MAX);
	struct command c = { 0 };
	const char *word;
	va_list ap;
	int ret;

	if (!text)
		return -ENOMEM;
	command_add(&c, "podman");
	va_start(ap, len);
	while ((word = va_arg(ap, const char *)))
		command_add(&c, "%s", word);
	va_end(ap);
	ret = command_run(&c, text, RUN_OUTPUT_MAX);
	command_free(&c);
	if (ret < 0) {
		snprintf(error, len, "%.300s", text);
	} else {
		*ret_json = json_loads(begin(text), JSON_DISABLE_EOF_CHECK, NULL);
		if (!*ret_json) {
			snprintf(error, len, "podman says nothing that makes sense: %.200s", text);
			ret = -EPROTO;
		}
	}
	free(text);
	return ret;
}

const json_t *podman_get(const json_t *json, const char *path)
{
	while (json && *path) {
		size_t n = strcspn(path, ".");

		json = json_object_getn(json, path, n);
		path += n + (path[n] == '.');
	}
	return json;
}

const char *podman_field(const json_t *json, const char *path)
{
	return json_string_value(podman_get(json, path)) ?: "";
}

bool podman_is_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}
