// SPDX-License-Identifier: GPL-2.0-only
/* Asking podman. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podman.h"
#include "run.h"

#define OUTPUT_MAX (4 << 20)

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
	char *text = malloc(OUTPUT_MAX);
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
	ret = command_run(&c, text, OUTPUT_MAX);
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

bool podman_has_image(const char *name, const char *id)
{
	char error[100];
	json_t *answer;
	bool has;

	if (!name[0] ||
	    podman_ask(&answer, error, sizeof(error), "image", "inspect", "--", name, NULL) < 0)
		return false;
	has = strcmp(podman_field(json_array_get(answer, 0), "Id"), id) == 0;
	json_decref(answer);
	return has;
}
