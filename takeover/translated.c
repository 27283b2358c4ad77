// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inner.h"
#include "json.h"
#include "nat.h"
#include "translated.h"

#define NAT_BYTES_MAX (16 << 20)

static bool says_manifest(struct takeover_keeper *k)
{
	struct takeover_manifest *m;
	char error[200];
	bool translated;

	if (takeover_manifest_read(k->images_fd, &m, error, sizeof(error)) < 0)
		return false;
	translated = m->translated;
	free(m);
	return translated;
}

bool takeover_translated_is(struct takeover_keeper *k)
{
	const char *published = getenv(TAKEOVER_PUBLISHED_ENV);

	if (k->role == TAKEOVER_SOURCE)
		return published && *published;
	return k->role == TAKEOVER_DESTINATION && says_manifest(k);
}

/* On the destination all that the manifest names. */
static void list_addresses(struct takeover_keeper *k, char *buf, size_t len)
{
	char text[TAKEOVER_ADDRESS_STRLEN], error[200];
	struct takeover_manifest *m;
	size_t used = 0;

	buf[0] = '\0';
	if (takeover_manifest_read(k->images_fd, &m, error, sizeof(error)) < 0)
		return;
	for (size_t i = 0; i < m->n_addresses && used < len; i++)
		used += snprintf(buf + used, len - used, "%s%s", i ? "," : "",
				 takeover_address_ip(&m->addresses[i], text, sizeof(text)));
	free(m);
}

int takeover_translated_open(struct takeover_keeper *k, const char *path)
{
	char list[TAKEOVER_ADDRESSES_MAX * TAKEOVER_ADDRESS_STRLEN];
	int ret;

	if (k->role == TAKEOVER_SOURCE)
		snprintf(list, sizeof(list), "%s", getenv(TAKEOVER_PUBLISHED_ENV));
	else
		list_addresses(k, list, sizeof(list));
	ret = takeover_inner_open(path, list);
	return ret < 0 ? takeover_keeper_say(k, ret,
					     "cannot look into the network namespace %s for %s: %s",
					     path, list, strerror(-ret))
		       : 0;
}

static int write_list(int dirfd, const json_t *list)
{
	int fd = openat(dirfd, TAKEOVER_NAT_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return -errno;
	ret = json_dumpfd(list, fd, JSON_COMPACT) < 0 ? -ENOSPC : 0;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	return ret;
}

int takeover_translated_save(struct takeover_keeper *k)
{
	struct takeover_nats nats;
	json_t *list = NULL;
	int ret;

	if (!takeover_inner_is_open())
		return 0;
	ret = takeover_nat_list(k->manifest->addresses, k->manifest->n_addresses, &nats);
	if (ret == 0) {
		ret = takeover_nat_format(&nats, &list) ?: write_list(k->images_fd, list);
		free(nats.all);
		json_decref(list);
	}
	return ret < 0 ? takeover_keeper_say(k, ret,
					     "cannot keep the translations of its connections: %s",
					     strerror(-ret))
		       : 0;
}

static int read_list(struct takeover_keeper *k, struct takeover_nats *ret_nats, char *error,
		     size_t len)
{
	int fd = openat(k->images_fd, TAKEOVER_NAT_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(NAT_BYTES_MAX) : NULL;
	json_t *list = NULL;
	ssize_t n = 0, got;
	int ret;

	snprintf(error, len, "%s: %s", TAKEOVER_NAT_NAME, strerror(fd < 0 ? errno : ENOMEM));
	ret = fd < 0 ? -errno : text ? 0 : -ENOMEM;
	while (ret == 0 && n < NAT_BYTES_MAX && (got = read(fd, text + n, NAT_BYTES_MAX - n)) > 0)
		n += got;
	if (ret == 0)
		list = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (ret == 0 && !list) {
		snprintf(error, len, "%s: expected JSON", TAKEOVER_NAT_NAME);
		ret = -EINVAL;
	}
	ret = ret
		      ?: takeover_nat_parse(list, k->manifest->addresses, k->manifest->n_addresses,
					    ret_nats, error, len);
	json_decref(list);
	free(text);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* An entry takes its packets past the packet filter: only to what is restored in there. */
static int check_ends(const struct takeover_nats *nats, char *error, size_t len)
{
	for (size_t i = 0; i < nats->n; i++) {
		const struct takeover_nat *nat = &nats->all[i];
		struct takeover_address to = { .family = nat->family };
		const struct takeover_address *inner;
		bool found = false;
		size_t n;

		memcpy(to.ip, nat->reply.src, takeover_family_len(nat->family));
		inner = takeover_inner_addresses(&n);
		for (size_t k = 0; k < n; k++)
			found |= takeover_address_equal(&inner[k], &to);
		if (!found) {
			char text[TAKEOVER_ADDRESS_STRLEN];

			snprintf(error, len,
				 "a connection was translated to %s, which the container has not "
				 "got here; give it the same address in a network of the same name",
				 takeover_address_ip(&to, text, sizeof(text)));
			return -EADDRNOTAVAIL;
		}
	}
	return 0;
}

/* Nobody has bound its queues in there, and never will: all is dropped. */
static int mute(void *data)
{
	struct takeover_keeper *k = data;
	struct takeover_guard_plan plan = {
		.name = k->guard_name,
		.queue = takeover_hold_queue(k->hold),
		.queue_out = takeover_hold_queue(k->hold_out),
		.muted = true,
	};
	struct takeover_guard *guard;
	int ret;

	plan.addresses = takeover_inner_addresses(&plan.n);
	/* Of a worker before us. */
	takeover_guard_remove(plan.name);
	ret = takeover_guard_set(&plan, &guard);
	if (ret < 0)
		return ret;
	ret = takeover_guard_shut(guard);
	takeover_guard_free(guard);
	return ret;
}

static int unmute(void *data)
{
	struct takeover_keeper *k = data;

	return takeover_guard_remove(k->guard_name);
}

int takeover_translated_mute(struct takeover_keeper *k)
{
	int ret = takeover_inner_is_open() ? takeover_inner_run(mute, k) : 0;

	return ret < 0 ? takeover_keeper_say(k, ret, "cannot set a guard in the container: %s",
					     strerror(-ret))
		       : 0;
}

int takeover_translated_load(struct takeover_keeper *k)
{
	struct takeover_nats nats = { 0 };
	char error[300];
	int ret;

	if (!takeover_inner_is_open())
		return 0;
	ret = takeover_translated_mute(k);
	if (ret < 0)
		return ret;
	ret = read_list(k, &nats, error, sizeof(error))
		      ?: check_ends(&nats, error, sizeof(error))
		      ?: takeover_nat_create(&nats, error, sizeof(error));
	free(nats.all);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s", error);
	takeover_event(k, "connections translated");
	return 0;
}

int takeover_translated_release(struct takeover_keeper *k)
{
	int ret = takeover_inner_is_open() ? takeover_inner_run(unmute, k) : 0;

	if (ret < 0)
		takeover_event(k, "container still muted");
	return ret;
}

void takeover_translated_undo(struct takeover_keeper *k)
{
	struct takeover_nats nats;

	if (!takeover_inner_is_open())
		return;
	takeover_inner_run(unmute, k);
	if (takeover_nat_list(k->manifest->addresses, k->manifest->n_addresses, &nats) == 0) {
		takeover_nat_remove(&nats);
		free(nats.all);
	}
}
