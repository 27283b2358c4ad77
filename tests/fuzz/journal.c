// SPDX-License-Identifier: GPL-2.0-only
/* Journals. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>

#include "fuzz.h"
#include "keeper.h"

#define NAME "/run/ip-takeover/x.json"

static const char *text(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, name));

	assert(s);
	return s;
}

static void check_pid(const json_t *journal, const char *name, int least)
{
	json_int_t pid = json_integer_value(json_object_get(journal, name));

	assert(json_is_integer(json_object_get(journal, name)) && pid >= least && pid <= INT_MAX);
}

static void check_fields(const json_t *journal)
{
	const json_t *addresses = json_object_get(journal, "addresses");
	const char *id = text(journal, "id"), *guard = text(journal, "guard");
	const char *socket = text(journal, "socket");

	assert(takeover_manifest_is_id(id));
	assert(strncmp(guard, id, 8) == 0 && guard[8] == '-');
	assert(strcmp(guard + 9, text(journal, "role")) == 0);
	/* Rollback removes this file. */
	assert(strncmp(socket, TAKEOVER_RUN_DIR "/", strlen(TAKEOVER_RUN_DIR) + 1) == 0);
	assert(!strchr(socket + strlen(TAKEOVER_RUN_DIR) + 1, '/'));
	assert(strlen(socket) < TAKEOVER_SOCKET_LEN);
	text(journal, "state");
	text(journal, "message");
	check_pid(journal, "criu_pid", 1);
	check_pid(journal, "keeper_pid", 1);
	check_pid(journal, "root_pid", 0);
	assert(json_array_size(addresses) >= 1 &&
	       json_array_size(addresses) <= TAKEOVER_ADDRESSES_MAX);
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *entry = json_array_get(addresses, i);
		struct takeover_address a;

		assert(takeover_address_parse(text(entry, "address"), &a) == 0);
		fuzz_check_address(&a);
		assert(takeover_address_is_device(text(entry, "device")));
		assert(json_is_boolean(json_object_get(entry, "was_here")));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *journal = NULL, *again;
	char error[200] = "", *dump;
	int ret;

	ret = takeover_journal_parse((const char *)data, size, NAME, &journal, error,
				     sizeof(error));
	if (ret < 0) {
		assert(ret == -EINVAL && !journal);
		fuzz_check_error(error, sizeof(error), NAME);
		return 0;
	}
	assert(ret == 0 && error[0] == '\0');
	check_fields(journal);
	dump = json_dumps(journal, 0);
	assert(dump &&
	       takeover_journal_parse(dump, strlen(dump), NAME, &again, error, sizeof(error)) == 0);
	free(dump);
	json_decref(again);
	json_decref(journal);
	return 0;
}
