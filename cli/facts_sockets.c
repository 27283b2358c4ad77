// SPDX-License-Identifier: GPL-2.0-only
/* Facts: service addresses, who uses them, and what the trees' sockets need elsewhere. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts_parts.h"
#include "service.h"
#include "sockets.h"
#include "subnet.h"
#include "tasks.h"

#define OTHERS_MAX 64
#define PORTS_MAX  4096

struct found {
	const struct takeover_sockets *sockets;
	struct takeover_address moving[TAKEOVER_ADDRESSES_MAX];
	size_t n_moving;
};

static bool moves(const struct found *f, const struct takeover_socket *s)
{
	for (size_t i = 0; i < f->n_moving; i++)
		if (takeover_socket_is_on(s, &f->moving[i]))
			return true;
	return false;
}

static bool is_loopback(const struct takeover_socket *s)
{
	return s->family == AF_INET
		       ? s->local[0] == 127
		       : memcmp(s->local, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

static const char *protocol_name(const struct takeover_socket *s)
{
	return s->protocol == IPPROTO_TCP ? "tcp" : "udp";
}

static void add_addresses(json_t *facts, struct found *f, const struct takeover_config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_addresses; i++) {
		struct takeover_address a = config->addresses[i];
		struct takeover_use use = takeover_service_use(f->sockets, &a, true);
		char text[TAKEOVER_ADDRESS_STRLEN];
		struct takeover_subnet subnet;
		bool present = false;

		takeover_config_present(config, &a, &present);
		if (!takeover_service_moves(&use) || !(present || use.bound))
			continue;
		/* Its prefix as it is now, as the takeover will see it. */
		if (present && takeover_subnet_find(&a, &subnet) == 0 && subnet.present)
			a.prefixlen = subnet.prefixlen;
		f->moving[f->n_moving++] = a;
		takeover_address_format(&a, text, sizeof(text));
		json_array_append_new(
			list, json_pack("{s:s, s:b}", "address", text, "present", (int)present));
	}
	json_object_set_new(facts, "addresses", list);
}

/* Those that stand in the way of the dump, as many as a person reads. */
static void add_others(json_t *facts, const struct found *f)
{
	json_t *list = json_array();
	unsigned int n = 0;

	for (size_t i = 0; i < f->sockets->n; i++) {
		const struct takeover_socket *s = &f->sockets->all[i];
		struct takeover_address a = { .family = s->family };
		char text[TAKEOVER_ADDRESS_STRLEN], name[32];

		if (s->inside || s->holder == 0 || !moves(f, s) || ++n > OTHERS_MAX)
			continue;
		memcpy(a.ip, s->local, sizeof(a.ip));
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:i, s:i, s:s}", "protocol", protocol_name(s),
					"address", takeover_address_ip(&a, text, sizeof(text)),
					"port", (int)s->local_port, "pid", (int)s->holder, "name",
					takeover_task_name(s->holder, name, sizeof(name))));
	}
	json_object_set_new(facts, "others", list);
	json_object_set_new(facts, "n_others", json_integer(n));
}

/* What can be bound once only: "*" takes both families. */
static const char *bound_to(const struct takeover_socket *s, char *buf, size_t len)
{
	if (s->dual)
		return "*";
	return inet_ntop(s->family, s->local, buf, len) ?: "*";
}

static void add_ports(json_t *facts, const struct found *f)
{
	json_t *ports = json_array(), *known;
	size_t k;

	for (size_t i = 0; i < f->sockets->n; i++) {
		const struct takeover_socket *s = &f->sockets->all[i];
		char text[INET6_ADDRSTRLEN];
		json_t *port;
		bool seen = false;

		if (!s->inside || s->local_port == 0 || takeover_socket_is_connected(s) ||
		    (s->protocol == IPPROTO_TCP && s->state != TCP_LISTEN) ||
		    json_array_size(ports) == PORTS_MAX)
			continue;
		port = json_pack("{s:s, s:s, s:i}", "protocol", protocol_name(s), "address",
				 bound_to(s, text, sizeof(text)), "port", (int)s->local_port);
		/* Workers that share one by SO_REUSEPORT. */
		json_array_foreach(ports, k, known)
			seen = seen || json_equal(known, port);
		if (!seen)
			json_array_append(ports, port);
		json_decref(port);
	}
	json_object_set_new(facts, "ports", ports);
}

/* Connections that move, and those that cannot: through an address that is this host's own. */
static void add_connections(json_t *facts, const struct found *f)
{
	unsigned int n = 0, n_strays = 0;
	char stray[TAKEOVER_ADDRESS_STRLEN] = "";

	for (size_t i = 0; i < f->sockets->n; i++) {
		const struct takeover_socket *s = &f->sockets->all[i];

		if (!s->inside || !takeover_socket_is_connected(s))
			continue;
		if (moves(f, s))
			n += s->protocol == IPPROTO_TCP;
		else if (!is_loopback(s) && n_strays++ == 0)
			inet_ntop(s->family, s->local, stray, sizeof(stray));
	}
	json_object_set_new(facts, "connections", json_integer(n));
	json_object_set_new(facts, "strays", json_integer(n_strays));
	json_object_set_new(facts, "stray", json_string(stray));
}

int facts_add_sockets(json_t *facts, const struct facts_tree *tree,
		      const struct takeover_config *config)
{
	struct takeover_sockets sockets;
	struct found found = { .sockets = &sockets };
	int ret = takeover_sockets_list(&sockets);

	if (ret < 0)
		return ret;
	/* Each adds its own to what is inside. */
	for (size_t i = 0; i < tree->n_roots; i++)
		takeover_sockets_hold(&sockets, tree->roots[i]);
	add_addresses(facts, &found, config);
	add_others(facts, &found);
	add_ports(facts, &found);
	add_connections(facts, &found);
	free(sockets.all);
	return 0;
}
