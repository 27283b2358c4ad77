// SPDX-License-Identifier: GPL-2.0-only
/* Manifests from the image directory. */
#include <errno.h>

#include "fuzz.h"
#include "manifest.h"

static void check_fields(const struct takeover_manifest *m)
{
	assert(takeover_manifest_is_id(m->id));
	assert(m->epoch >= 1 && m->epoch <= INT64_MAX);
	assert(m->n_addresses >= 1 && m->n_addresses <= TAKEOVER_ADDRESSES_MAX);
	assert(m->n_neighbours <= TAKEOVER_NEIGHBOURS_MAX);
	for (size_t i = 0; i < m->n_addresses; i++) {
		fuzz_check_address(&m->addresses[i]);
		assert(m->addresses[i].device[0] == '\0');
		for (size_t k = 0; k < i; k++)
			assert(!takeover_address_equal(&m->addresses[i], &m->addresses[k]));
	}
	for (size_t i = 0; i < m->n_neighbours; i++)
		assert(!(m->neighbours[i][0] & 1));
}

static void check_again(const struct takeover_manifest *m)
{
	struct takeover_manifest *again;
	char *text, error[200];

	assert(takeover_manifest_format(m, &text) == 0);
	assert(takeover_manifest_parse(text, strlen(text), &again, error, sizeof(error)) == 0);
	assert(memcmp(m, again, sizeof(*m)) == 0);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct takeover_manifest *m = NULL;
	char error[200] = "";
	int ret;

	ret = takeover_manifest_parse((const char *)data, size, &m, error, sizeof(error));
	if (ret < 0) {
		assert((ret == -EINVAL || ret == -EPROTO) && !m);
		fuzz_check_error(error, sizeof(error), TAKEOVER_MANIFEST_NAME);
		return 0;
	}
	assert(ret == 0 && error[0] == '\0');
	check_fields(m);
	check_again(m);
	free(m);
	return 0;
}
