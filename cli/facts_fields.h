/* SPDX-License-Identifier: GPL-2.0-only */
/* One field of an untrusted JSON object. Each says whether it is there as expected. */
#ifndef FACTS_FIELDS_H
#define FACTS_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* An integer from @min to @max. */
bool facts_number(const json_t *json, const char *name, json_int_t min, json_int_t max,
		  json_int_t *ret_number);

/* A text of at most @max bytes, without control characters; not empty unless @empty. */
bool facts_text(const json_t *json, const char *name, size_t max, bool empty,
		const char **ret_text);

/* A list of @min to @max entries. */
bool facts_list(const json_t *json, const char *name, size_t min, size_t max, json_t **ret_list,
		size_t *ret_n);

bool facts_boolean(const json_t *json, const char *name, bool *ret_value);

/* "02:00:00:00:00:01", a unicast one. */
bool facts_mac(const json_t *json, unsigned char *ret_mac);

#endif
