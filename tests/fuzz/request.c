// SPDX-License-Identifier: GPL-2.0-only
/* Datagrams on the keeper's socket. */
#include <errno.h>

#include "fuzz.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct takeover_request request = { .version = 77 };
	char error[sizeof(((struct takeover_reply *)0)->message)] = "";
	int ret;

	ret = takeover_request_check(data, size, &request, error, sizeof(error));
	if (ret < 0) {
		assert((ret == -EINVAL || ret == -EPROTO) && request.version == 77);
		fuzz_check_error(error, sizeof(error), "request");
		assert(strstr(error, "expected"));
		return 0;
	}
	assert(ret == 0 && error[0] == '\0');
	assert(size == sizeof(request) && memcmp(&request, data, size) == 0);
	assert(request.version == TAKEOVER_REQUEST_VERSION && request.verb < TAKEOVER_VERBS);
	assert(request.root_pid >= 0);
	assert(request.verb != TAKEOVER_YIELD || request.value == 0 || request.value == 1);
	assert(request.verb != TAKEOVER_DUMP_EXIT ||
	       (request.value >= TAKEOVER_EXIT_FAILED &&
		request.value <= TAKEOVER_EXIT_NO_CONNECTION));
	return 0;
}
