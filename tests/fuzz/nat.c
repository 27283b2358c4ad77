// SPDX-License-Identifier: GPL-2.0-only
/* Translated connections of a manifest. */
#include <errno.h>
#include <jansson.h>

#include "fuzz.h"
#include "nat.h"

/* Written down and read again it is the same. */
static void check_again(const struct takeover_nats *nats, const struct takeover_address *addresses)
{
	struct takeover_nats again;
	char error[200];
	json_t *json;

	assert(takeover_nat_format(nats, &json) == 0);
	assert(takeover_nat_parse(json, addresses, 2, &again, error, sizeof(error)) == 0);
	assert(again.n == nats->n);
	assert(nats->n == 0 || memcmp(again.all, nats->all, nats->n * sizeof(*nats->all)) == 0);
	json_decref(json);
	free(again.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct takeover_nats nats = { .n = 77 };
	struct takeover_address addresses[2];
	char error[200] = "";
	int ret;

	assert(takeover_address_parse("192.0.2.100/24", &addresses[0]) == 0);
	assert(takeover_address_parse("2001:db8::100/64", &addresses[1]) == 0);
	ret = takeover_nat_parse(json, addresses, 2, &nats, error, sizeof(error));
	json_decref(json);
	if (ret < 0) {
		assert(ret == -EINVAL && nats.n == 77);
		fuzz_check_error(error, sizeof(error), "nat");
		return 0;
	}
	assert(error[0] == '\0' && nats.n <= TAKEOVER_NAT_MAX);
	for (size_t i = 0; i < nats.n; i++)
		assert(takeover_nat_is_one(&nats.all[i], addresses, 2) && nats.all[i].seconds > 0);
	check_again(&nats, addresses);
	free(nats.all);
	return 0;
}
