// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inner.h"
#include "netns.h"
#include "tasks.h"

#define INNER_MAX 64

static struct {
	int fd; /* of the namespace; 0: not open */
	uint64_t cookie;
	struct takeover_netns netns;
	struct takeover_address inner[INNER_MAX], published[INNER_MAX];
	size_t n_inner, n_published;
} view;

static int read_published(const char *text)
{
	char word[INET6_ADDRSTRLEN + 1];

	view.n_published = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		struct takeover_address *a = &view.published[view.n_published];

		if (view.n_published == INNER_MAX)
			return -E2BIG;
		if (n == 0 || n >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, n);
		word[n] = '\0';
		*a = (struct takeover_address){ .family = strchr(word, ':') ? AF_INET6 : AF_INET };
		if (inet_pton(a->family, word, a->ip) != 1)
			return -EINVAL;
		view.n_published++;
		text += n + (text[n] == ',');
	}
	return 0;
}

/* Link-local ones are not translated to. */
static bool take(const struct sockaddr *name, struct takeover_address *a)
{
	*a = (struct takeover_address){ .family = name->sa_family };
	if (name->sa_family == AF_INET) {
		memcpy(a->ip, &((const struct sockaddr_in *)name)->sin_addr, 4);
		return true;
	}
	if (name->sa_family != AF_INET6)
		return false;
	memcpy(a->ip, &((const struct sockaddr_in6 *)name)->sin6_addr, 16);
	return !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)name)->sin6_addr);
}

static int look(void *data)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifaddrs *all;

	(void)data;
	if (fd < 0)
		return -errno;
	view.cookie = takeover_netns_cookie(fd);
	view.netns = takeover_netns_own();
	close(fd);
	if (getifaddrs(&all) < 0)
		return -errno;
	view.n_inner = 0;
	for (struct ifaddrs *i = all; i && view.n_inner < INNER_MAX; i = i->ifa_next)
		if (i->ifa_addr && !(i->ifa_flags & IFF_LOOPBACK) &&
		    take(i->ifa_addr, &view.inner[view.n_inner]))
			view.n_inner++;
	freeifaddrs(all);
	return 0;
}

int takeover_inner_open(const char *path, const char *published)
{
	int ret = read_published(published), back;

	if (ret < 0)
		return ret;
	ret = takeover_netns_enter_path(path, &back);
	if (ret < 0 || back < 0)
		return ret;
	ret = takeover_netns_leave(back);
	if (ret < 0)
		return ret;
	/* Of another one, or of an earlier look. */
	if (view.fd > 0)
		close(view.fd);
	view.fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = view.fd < 0 ? -errno : takeover_inner_run(look, NULL);
	snprintf(view.netns.path, sizeof(view.netns.path), "%s", view.netns.inode ? path : "");
	if (ret < 0 && view.fd > 0)
		close(view.fd);
	if (ret < 0)
		view.fd = 0;
	return ret;
}

bool takeover_inner_is_open(void)
{
	return view.fd > 0;
}

bool takeover_inner_publishes(const struct takeover_address *a)
{
	for (size_t i = 0; i < view.n_published; i++)
		if (takeover_address_equal(&view.published[i], a))
			return true;
	return false;
}

int takeover_inner_run(int (*fn)(void *data), void *data)
{
	int back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), ret, left;

	if (back < 0)
		return -errno;
	if (setns(view.fd, CLONE_NEWNET) < 0) {
		ret = -errno;
		close(back);
		return ret;
	}
	ret = fn(data);
	left = takeover_netns_leave(back);
	return ret < 0 ? ret : left < 0 ? left : ret;
}

bool takeover_inner_translate(int family, unsigned char *ip)
{
	const struct takeover_address *to = NULL;
	struct takeover_address a = { .family = family };

	if (view.fd == 0)
		return false;
	memcpy(a.ip, ip, takeover_family_len(family));
	for (size_t i = 0; i < view.n_published && !to; i++)
		if (view.published[i].family == family)
			to = &view.published[i];
	for (size_t i = 0; i < view.n_inner; i++)
		if (to && takeover_address_equal(&view.inner[i], &a)) {
			memcpy(ip, to->ip, takeover_family_len(family));
			return true;
		}
	return false;
}

const struct takeover_address *takeover_inner_addresses(size_t *ret_n)
{
	*ret_n = view.n_inner;
	return view.inner;
}

bool takeover_inner_is_proxy(pid_t pid)
{
	char name[32];

	if (view.fd == 0)
		return false;
	takeover_task_name(pid, name, sizeof(name));
	return strcmp(name, "docker-proxy") == 0 || strcmp(name, "conmon") == 0;
}

const struct takeover_netns *takeover_inner_netns(void)
{
	return &view.netns;
}

bool takeover_inner_has(uint64_t cookie)
{
	return view.fd > 0 && view.cookie == cookie;
}
