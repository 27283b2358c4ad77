// SPDX-License-Identifier: GPL-2.0-only
/* What of this host's service addresses belongs to the tree that criu dumps, who else uses
 * them, and what of the tree stays behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "keeper.h"
#include "neighbours.h"
#include "service.h"
#include "sockets.h"
#include "subnet.h"
#include "task_sockets.h"
#include "tasks.h"

static bool is_loopback(const struct takeover_socket *s)
{
	return s->family == AF_INET
		       ? s->local[0] == 127
		       : memcmp(s->local, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

struct takeover_use takeover_service_use(const struct takeover_sockets *sockets,
					 const struct takeover_address *a, bool root_known)
{
	struct takeover_use use = { 0 };

	if (takeover_inner_is_open() && !takeover_inner_publishes(a))
		return use;
	for (size_t i = 0; i < sockets->n; i++) {
		const struct takeover_socket *s = &sockets->all[i];

		bool on = takeover_socket_is_on(s, a);

		/* Else any server would do. */
		if (root_known && s->inside && takeover_socket_takes(s, a))
			use.reached = s;
		if (on && s->inside)
			use.bound = s;
		else if (on && s->holder)
			use.other = s;
	}
	return use;
}

/* One that the tree is merely reached by may be another service's. */
bool takeover_service_moves(const struct takeover_use *use)
{
	return use->bound || (use->reached && !use->other);
}

static int compare_peers(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The neighbours of all peers of one address, to the manifest. */
static void add_neighbours(struct takeover_keeper *k, const struct takeover_sockets *sockets,
			   const struct takeover_address *a)
{
	struct takeover_manifest *m = k->manifest;
	unsigned char(*peers)[16] = calloc(sockets->n, sizeof(*peers));
	size_t n = 0, distinct = 0;

	for (size_t i = 0; peers && i < sockets->n; i++) {
		const struct takeover_socket *s = &sockets->all[i];

		if (takeover_socket_is_on(s, a) && takeover_socket_is_connected(s))
			memcpy(peers[n++], s->remote, 16);
	}
	if (n > 0)
		qsort(peers, n, sizeof(*peers), compare_peers);
	for (size_t i = 0; i < n; i++)
		if (distinct == 0 || memcmp(peers[distinct - 1], peers[i], 16) != 0)
			memmove(peers[distinct++], peers[i], 16);
	if (distinct > 0)
		takeover_neighbours_find(a, (const unsigned char(*)[16])peers, distinct,
					 m->neighbours, TAKEOVER_NEIGHBOURS_MAX, &m->n_neighbours);
	free(peers);
}

static int refuse(struct takeover_keeper *k, const struct takeover_address *a,
		  const struct takeover_socket *other)
{
	char text[TAKEOVER_ADDRESS_STRLEN], name[32];

	return takeover_keeper_say(
		k, -EBUSY,
		"%s is in use by %s (pid %d), too, %s port %u, which is not dumped; end it, or "
		"set other_processes = \"ignore\"",
		takeover_address_ip(a, text, sizeof(text)),
		takeover_task_name(other->holder, name, sizeof(name)), (int)other->holder,
		other->protocol == IPPROTO_TCP ? "TCP" : "UDP", other->local_port);
}

static int find_address(struct takeover_keeper *k, const struct takeover_sockets *sockets,
			const struct takeover_address *a)
{
	struct takeover_use use = takeover_service_use(sockets, a, k->root_known);
	struct takeover_subnet subnet;
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool present = false;
	int ret;

	ret = takeover_config_present(&k->config, a, &present);
	if (ret < 0 && ret != -ENODEV)
		return takeover_keeper_say(k, ret, "cannot list addresses: %s", strerror(-ret));
	/* Dumped without it, the service would be gone for its peers. */
	if (!present && k->root_known && use.bound)
		return takeover_keeper_say(
			k, ret < 0 ? ret : -EADDRNOTAVAIL,
			"this service has sockets on %s, which is not on %s%s; put it there, or "
			"correct " TAKEOVER_CONFIG_PATH,
			takeover_address_ip(a, text, sizeof(text)), a->device,
			ret < 0 ? " (no such device)" : "");
	if (!present || !takeover_service_moves(&use))
		return 0;
	if (use.other && !k->config.ignore_others)
		return refuse(k, a, use.other);
	k->port = use.bound ? use.bound->local_port : use.reached->local_port;
	k->manifest->addresses[k->manifest->n_addresses] = *a;
	/* Put back as it is now. */
	if (takeover_subnet_find(a, &subnet) == 0 && subnet.present)
		k->manifest->addresses[k->manifest->n_addresses].prefixlen = subnet.prefixlen;
	k->manifest->n_addresses++;
	add_neighbours(k, sockets, a);
	return 0;
}

static bool moves(const struct takeover_keeper *k, const struct takeover_socket *s)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (takeover_socket_is_on(s, &k->manifest->addresses[i]))
			return true;
	return false;
}

static void count_connections(struct takeover_keeper *k, const struct takeover_sockets *sockets)
{
	k->n_connections = 0;
	for (size_t i = 0; i < sockets->n; i++) {
		const struct takeover_socket *s = &sockets->all[i];

		k->n_connections += s->inside && s->protocol == IPPROTO_TCP &&
				    takeover_socket_is_connected(s) && moves(k, s);
	}
}

/* One line about the tree's sockets that do not move with the addresses. */
static void say_what_stays(struct takeover_keeper *k, const struct takeover_sockets *sockets)
{
	const struct takeover_socket *bound = NULL, *wildcard = NULL;
	struct takeover_address local = { 0 };
	char text[TAKEOVER_ADDRESS_STRLEN];
	unsigned int n_bound = 0;

	/* Without its root the tree is unknown. */
	for (size_t i = 0; k->root_known && i < sockets->n; i++) {
		const struct takeover_socket *s = &sockets->all[i];

		if (!s->inside || is_loopback(s) || moves(k, s))
			continue;
		if (!s->wildcard) {
			bound = s;
			n_bound++;
		} else if (!takeover_socket_is_connected(s) && s->local_port != 0) {
			wildcard = s;
		}
	}
	if (bound) {
		local.family = bound->family;
		memcpy(local.ip, bound->local, sizeof(local.ip));
		takeover_keeper_add(
			k,
			"%u sockets stay behind, one on %s port %u: no service address of "
			"this takeover; criu can restore them only where that address is",
			n_bound, takeover_address_ip(&local, text, sizeof(text)),
			bound->local_port);
	} else if (wildcard) {
		takeover_keeper_add(k,
				    "port %u listens on all addresses: what reaches it through a "
				    "service address moves, what comes through others of this host "
				    "does not",
				    wildcard->local_port);
	}
}

static void hold(const struct takeover_keeper *k, struct takeover_sockets *sockets)
{
	takeover_sockets_hold(sockets, k->root_pid);
	for (size_t i = 0; i < k->n_members; i++)
		takeover_sockets_hold(sockets, k->members[i].root_pid);
}

static bool is_inside(const struct takeover_keeper *k, pid_t pid)
{
	bool inside = takeover_task_descends(pid, k->root_pid);

	for (size_t i = 0; i < k->n_members; i++)
		inside |= takeover_task_descends(pid, k->members[i].root_pid);
	return inside;
}

/* The tree; when its root is not known, whoever holds a socket on the addresses. */
static void find_tasks(struct takeover_keeper *k, const struct takeover_sockets *sockets)
{
	pid_t *pids;
	size_t n;

	if (k->root_known && takeover_tasks_all(&pids, &n) == 0) {
		for (size_t i = 0; i < n && k->n_tasks < TAKEOVER_TASKS_MAX; i++)
			if (is_inside(k, pids[i]))
				k->tasks[k->n_tasks++] = pids[i];
		free(pids);
		return;
	}
	for (size_t i = 0; i < sockets->n && k->n_tasks < TAKEOVER_TASKS_MAX; i++) {
		bool known = sockets->all[i].holder == 0 || !moves(k, &sockets->all[i]);

		for (size_t t = 0; t < k->n_tasks && !known; t++)
			known = k->tasks[t] == sockets->all[i].holder;
		if (!known)
			k->tasks[k->n_tasks++] = sockets->all[i].holder;
	}
}

int takeover_service_find(struct takeover_keeper *k)
{
	struct takeover_sockets sockets;
	int ret;

	ret = takeover_sockets_list(&sockets);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list sockets: %s", strerror(-ret));
	hold(k, &sockets);
	for (size_t i = 0; ret == 0 && i < k->config.n_addresses; i++)
		ret = find_address(k, &sockets, &k->config.addresses[i]);
	if (ret == 0 && k->manifest->n_addresses > 0) {
		find_tasks(k, &sockets);
		count_connections(k, &sockets);
		say_what_stays(k, &sockets);
	}
	free(sockets.all);
	return ret;
}

void takeover_service_count(struct takeover_keeper *k)
{
	struct takeover_sockets sockets;

	if (takeover_sockets_list(&sockets) < 0)
		return;
	hold(k, &sockets);
	count_connections(k, &sockets);
	free(sockets.all);
}

int takeover_service_check(struct takeover_keeper *k)
{
	char name[32];

	/* The tree was known by its root; or criu has frozen it, and nobody else. */
	if (k->root_known || k->config.ignore_others)
		return 0;
	for (size_t i = 0; i < k->n_tasks; i++)
		if (takeover_task_state(k->tasks[i]) != TAKEOVER_TASK_GONE &&
		    !takeover_task_traced(k->tasks[i], k->criu_pid))
			return takeover_keeper_say(
				k, -EBUSY,
				"%s (pid %d) has sockets on the address, too, and is not dumped; "
				"end it, or set other_processes = \"ignore\"",
				takeover_task_name(k->tasks[i], name, sizeof(name)),
				(int)k->tasks[i]);
	return 0;
}

bool takeover_service_is_back(struct takeover_keeper *k, unsigned int *ret_connections)
{
	const struct takeover_manifest *m = k->manifest;
	struct takeover_sockets sockets;
	unsigned int connections = 0;
	bool here = false, any = false;

	for (size_t i = 0; i < m->n_addresses && !here; i++)
		takeover_config_present(&k->config, &m->addresses[i], &here);
	if (!here || takeover_sockets_list(&sockets) < 0)
		return false;
	for (size_t i = 0; i < sockets.n; i++) {
		const struct takeover_socket *s = &sockets.all[i];

		for (size_t n = 0; n < m->n_addresses; n++)
			any |= s->local_port == k->port &&
			       (takeover_socket_is_on(s, &m->addresses[n]) ||
				takeover_socket_takes(s, &m->addresses[n]));
		connections += moves(k, s) && s->protocol == IPPROTO_TCP &&
			       takeover_socket_is_connected(s);
	}
	free(sockets.all);
	*ret_connections = connections;
	return any && !takeover_tasks_in_repair(m->addresses, m->n_addresses);
}
