// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and device names as texts. */
#include <errno.h>

#include "fuzz.h"

static void check_device(const char *text)
{
	if (!takeover_address_is_device(text))
		return;
	assert(strlen(text) > 0 && strlen(text) < IF_NAMESIZE);
	assert(strpbrk(text, "/: \t\r\n") == NULL);
	assert(strcmp(text, ".") != 0 && strcmp(text, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct takeover_address address = { .family = 77 };
	char *text = strndup((const char *)data, size);
	int ret;

	assert(text);
	ret = takeover_address_parse(text, &address);
	if (ret < 0) {
		assert(ret == -EINVAL || ret == -ERANGE || ret == -EADDRNOTAVAIL);
		assert(address.family == 77);
	} else {
		assert(ret == 0 && address.device[0] == '\0');
		fuzz_check_address(&address);
	}
	check_device(text);
	free(text);
	return 0;
}
