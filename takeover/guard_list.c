// SPDX-License-Identifier: GPL-2.0-only
/* Which guards stand on this host, whoever set them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "guard.h"
#include "netlink.h"
#include "nft_batch.h"

#define PREFIX "ip-takeover-"

struct list {
	char (*names)[TAKEOVER_GUARD_NAME_LEN];
	size_t n;
};

static int add(struct list *list, const char *name)
{
	char(*names)[TAKEOVER_GUARD_NAME_LEN];

	if (strlen(name) >= sizeof(*names))
		return 0;
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->names[i], name) == 0)
			return 0;
	names = realloc(list->names, (list->n + 1) * sizeof(*names));
	if (!names)
		return -ENOMEM;
	list->names = names;
	strcpy(names[list->n++], name);
	return 0;
}

static int list_all(struct nft_batch *batch, struct list *list)
{
	static const uint16_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_ARP,
					     NFPROTO_NETDEV };
	int ret = 0;

	list->n = 0;
	for (size_t i = 0; ret == 0 && i < sizeof(families) / sizeof(families[0]); i++) {
		char(*tables)[64] = NULL;
		size_t n = 0;

		ret = nft_table_names(batch, families[i], PREFIX, &tables, &n);
		for (size_t k = 0; ret == 0 && k < n; k++)
			ret = add(list, tables[k] + strlen(PREFIX));
		free(tables);
	}
	return ret;
}

int takeover_guard_list(char (**ret_names)[TAKEOVER_GUARD_NAME_LEN], size_t *ret_n)
{
	struct list list = { 0 };
	struct nft_batch *batch;
	int ret, tries = 0;

	ret = nft_batch_open(&batch);
	if (ret < 0)
		return ret;
	do
		ret = list_all(batch, &list);
	while (takeover_nl_again(ret, &tries));
	nft_batch_close(batch);
	if (ret < 0) {
		free(list.names);
		return ret;
	}
	*ret_names = list.names;
	*ret_n = list.n;
	return 0;
}
