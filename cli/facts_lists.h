/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of facts_read(). Each returns what is wrong with its fields, or NULL. */
#ifndef FACTS_LISTS_H
#define FACTS_LISTS_H

#include "facts_read.h"

const char *facts_read_files(const json_t *json, struct facts *facts);
const char *facts_read_addresses(const json_t *json, struct facts *facts);
const char *facts_read_sockets(const json_t *json, struct facts *facts);
const char *facts_read_others(const json_t *json, struct facts *facts);

#endif
