// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: nat list|create|remove FILE ADDRESS...
 *
 * The translated connections to each ADDRESS of this network namespace: written to FILE, or made
 * here, or forgotten here, as FILE has them.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat.h"

static int list(const char *file, const struct takeover_address *addresses, size_t n)
{
	struct takeover_nats nats = { 0 };
	json_t *json = NULL;
	int ret = takeover_nat_list(addresses, n, &nats);

	if (ret == 0)
		ret = takeover_nat_format(&nats, &json);
	if (ret == 0 && json_dump_file(json, file, JSON_INDENT(1)) < 0)
		ret = -EIO;
	json_decref(json);
	free(nats.all);
	return ret;
}

static int change(const char *verb, const char *file, const struct takeover_address *addresses,
		  size_t n)
{
	json_t *json = json_load_file(file, 0, NULL);
	struct takeover_nats nats = { 0 };
	char error[300] = "";
	int ret;

	ret = takeover_nat_parse(json, addresses, n, &nats, error, sizeof(error));
	if (ret == 0)
		ret = strcmp(verb, "create") == 0 ? takeover_nat_create(&nats, error, sizeof(error))
						  : takeover_nat_remove(&nats);
	if (error[0])
		fprintf(stderr, "nat: %s\n", error);
	free(nats.all);
	json_decref(json);
	return ret;
}

int main(int argc, char **argv)
{
	struct takeover_address addresses[8];
	size_t n = 0;
	int ret = 0;

	for (int i = 3; i < argc && n < 8 && ret == 0; i++)
		ret = takeover_address_parse(argv[i], &addresses[n++]);
	if (argc < 4 || ret < 0) {
		fprintf(stderr, "usage: nat list|create|remove FILE ADDRESS...\n");
		return 2;
	}
	ret = strcmp(argv[1], "list") == 0 ? list(argv[2], addresses, n)
					   : change(argv[1], argv[2], addresses, n);
	if (ret < 0)
		fprintf(stderr, "nat: %s: %s\n", argv[1], strerror(-ret));
	return ret < 0;
}
