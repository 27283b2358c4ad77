// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"

int migrate_say(struct channel *channel, const char *word, json_t *more)
{
	json_t *message = more ?: json_object();
	int ret;

	if (!message || json_object_set_new(message, "say", json_string(word)) < 0) {
		json_decref(message);
		return -ENOMEM;
	}
	ret = channel_send(channel, message);
	json_decref(message);
	return ret;
}

json_t *migrate_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json ? NULL : strdup(text);

	for (char *c = copy; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	if (copy)
		json = json_string(copy);
	free(copy);
	return json;
}

const char *migrate_field(const struct channel_message *message, const char *name)
{
	static char text[600];

	snprintf(text, sizeof(text), "%s",
		 json_string_value(json_object_get(message->json, name)) ?: "");
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return text;
}

const char *migrate_word(const struct channel_message *message)
{
	return json_string_value(json_object_get(message->json, "say")) ?: "";
}
