// SPDX-License-Identifier: GPL-2.0-only
/* checkpoint.json, as it lies on the disk or came from another host, and a checkpoint's name. */
#include <errno.h>

#include "checkpoint_record.h"
#include "checkpoint_store.h"
#include "fuzz.h"

/* It is that of one directory, of this time. */
static void check_name(const uint8_t *data, size_t size)
{
	char text[2 * STORE_NAME_STRLEN] = "", again[STORE_NAME_STRLEN];
	struct store_entry entry;

	memcpy(text, data, size < sizeof(text) ? size : sizeof(text) - 1);
	if (!store_is_name(text, &entry))
		return;
	store_name(entry.at, again);
	assert(strcmp(entry.name, text) == 0 && !strchr(text, '/'));
	assert(strncmp(text, again, strlen(again)) == 0 && text[strlen(again)] == '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[300] = "", *text;
	json_t *record, *again;
	int ret;

	check_name(data, size);
	ret = checkpoint_record_parse((const char *)data, size, &record, error, sizeof(error));
	if (ret < 0) {
		assert(ret == -EINVAL);
		fuzz_check_error(error, sizeof(error), CHECKPOINT_RECORD);
		return 0;
	}
	text = json_dumps(record, JSON_COMPACT);
	assert(text &&
	       checkpoint_record_parse(text, strlen(text), &again, error, sizeof(error)) == 0);
	json_decref(again);
	json_decref(record);
	free(text);
	return 0;
}
