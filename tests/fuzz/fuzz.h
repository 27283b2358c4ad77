/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. Each feeds one parser with libFuzzer's bytes and asserts what
 * every caller of it relies on. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message of a failure: one line that can be printed, and that begins with @name. */
static inline void fuzz_check_error(const char *error, size_t len, const char *name)
{
	assert(strnlen(error, len) < len);
	assert(strncmp(error, name, strlen(name)) == 0);
	assert(strlen(error) > strlen(name) + 2 && error[strlen(name)] == ':');
	for (; *error; error++)
		assert(*error >= ' ' && *error <= '~');
}

/* An address that a parser took. */
static inline void fuzz_check_address(const struct takeover_address *a)
{
	struct takeover_address again;
	char text[TAKEOVER_ADDRESS_STRLEN];

	assert(a->family == AF_INET || a->family == AF_INET6);
	assert(a->prefixlen <= takeover_family_len(a->family) * 8);
	assert(takeover_address_parse(takeover_address_format(a, text, sizeof(text)), &again) == 0);
	assert(takeover_address_equal(a, &again) && a->prefixlen == again.prefixlen);
}

#endif
