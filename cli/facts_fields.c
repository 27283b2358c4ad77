// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "facts_fields.h"

bool facts_number(const json_t *json, const char *name, json_int_t min, json_int_t max,
		  json_int_t *ret_number)
{
	const json_t *number = json_object_get(json, name);

	if (!json_is_integer(number) || json_integer_value(number) < min ||
	    json_integer_value(number) > max)
		return false;
	*ret_number = json_integer_value(number);
	return true;
}

bool facts_text(const json_t *json, const char *name, size_t max, bool empty, const char **ret_text)
{
	const json_t *value = json_object_get(json, name);
	const char *text = json_string_value(value);

	if (!text || strlen(text) != json_string_length(value) || strlen(text) > max ||
	    (!empty && !*text))
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return false;
	*ret_text = text;
	return true;
}

bool facts_list(const json_t *json, const char *name, size_t min, size_t max, json_t **ret_list,
		size_t *ret_n)
{
	json_t *list = json_object_get(json, name);

	if (!json_is_array(list) || json_array_size(list) < min || json_array_size(list) > max)
		return false;
	*ret_list = list;
	*ret_n = json_array_size(list);
	return true;
}

bool facts_boolean(const json_t *json, const char *name, bool *ret_value)
{
	const json_t *value = json_object_get(json, name);

	if (!json_is_boolean(value))
		return false;
	*ret_value = json_is_true(value);
	return true;
}

bool facts_mac(const json_t *json, unsigned char *ret_mac)
{
	const char *text = json_string_value(json);
	unsigned char b[6];
	int end = 0;

	/* sscanf() would take signs and spaces, too. */
	if (!text || strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17 ||
	    sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &b[0], &b[1], &b[2], &b[3], &b[4],
		   &b[5], &end) != 6 ||
	    end != 17 || (b[0] & 1))
		return false;
	memcpy(ret_mac, b, sizeof(b));
	return true;
}
