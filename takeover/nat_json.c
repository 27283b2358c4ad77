// SPDX-License-Identifier: GPL-2.0-only
/* Translated connections as JSON, by jansson. */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "nat.h"

static const char *const states[] = {
	[TCP_CONNTRACK_ESTABLISHED] = "established", [TCP_CONNTRACK_FIN_WAIT] = "fin-wait",
	[TCP_CONNTRACK_CLOSE_WAIT] = "close-wait",   [TCP_CONNTRACK_LAST_ACK] = "last-ack",
	[TCP_CONNTRACK_TIME_WAIT] = "time-wait",
};

static json_t *end_to_json(int family, const unsigned char *ip, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, ip, text, sizeof(text));
	return json_pack("[s, i]", text, port);
}

static json_t *entry_to_json(const struct takeover_nat *nat)
{
	const struct takeover_ct_tuple *o = &nat->original, *r = &nat->reply;
	int family = nat->family;
	json_t *json;

	json = json_pack("{s:s, s:o, s:o, s:o, s:I}", "protocol",
			 nat->protocol == IPPROTO_TCP ? "tcp" : "udp", "peer",
			 end_to_json(family, o->src, o->sport), "address",
			 end_to_json(family, o->dst, o->dport), "to",
			 end_to_json(family, r->src, r->sport), "seconds",
			 (json_int_t)nat->seconds);
	if (memcmp(o->src, r->dst, takeover_family_len(family)) != 0 || o->sport != r->dport)
		json_object_set_new(json, "from", end_to_json(family, r->dst, r->dport));
	if (nat->protocol == IPPROTO_TCP && nat->state != TCP_CONNTRACK_ESTABLISHED)
		json_object_set_new(json, "state", json_string(states[nat->state]));
	if (nat->mark)
		json_object_set_new(json, "mark", json_integer(nat->mark));
	return json;
}

int takeover_nat_format(const struct takeover_nats *nats, json_t **ret_json)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nats->n; i++)
		if (json_array_append_new(list, entry_to_json(&nats->all[i])) < 0) {
			json_decref(list);
			return -ENOMEM;
		}
	if (!list)
		return -ENOMEM;
	*ret_json = list;
	return 0;
}

/* @family: 0, or the one that it must be of. */
static bool read_end(const json_t *json, int *family, unsigned char *ip, uint16_t *ret_port)
{
	const char *text = json_string_value(json_array_get(json, 0));
	json_int_t port = json_integer_value(json_array_get(json, 1));
	int its = text && strchr(text, ':') ? AF_INET6 : AF_INET;

	if (json_array_size(json) != 2 || !text || inet_pton(its, text, ip) != 1 ||
	    (*family && *family != its) || port < 1 || port > UINT16_MAX)
		return false;
	*family = its;
	*ret_port = port;
	return true;
}

static bool read_number(const json_t *json, uint32_t max, uint32_t *ret_number)
{
	json_int_t number = json_integer_value(json);

	if (!json_is_integer(json) || number < 1 || number > max)
		return false;
	*ret_number = number;
	return true;
}

static bool read_state(const json_t *json, uint8_t *ret_state)
{
	const char *text = json_string_value(json);

	for (size_t i = TCP_CONNTRACK_ESTABLISHED; text && i <= TCP_CONNTRACK_TIME_WAIT; i++)
		if (strcmp(states[i], text) == 0) {
			*ret_state = i;
			return true;
		}
	return false;
}

/* What is wrong with it; NULL: nothing. */
static const char *read_entry(const json_t *json, struct takeover_nat *nat)
{
	const char *protocol = json_string_value(json_object_get(json, "protocol"));
	const json_t *from = json_object_get(json, "from");
	const json_t *state = json_object_get(json, "state");
	const json_t *mark = json_object_get(json, "mark");
	struct takeover_ct_tuple *o = &nat->original, *r = &nat->reply;

	if (!protocol || (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0))
		return "protocol: expected \"tcp\" or \"udp\"";
	nat->protocol = strcmp(protocol, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (!read_end(json_object_get(json, "address"), &nat->family, o->dst, &o->dport))
		return "address: expected [\"192.0.2.100\", 6379]";
	if (!read_end(json_object_get(json, "peer"), &nat->family, o->src, &o->sport))
		return "peer: expected an address of the same family, and a port";
	if (!read_end(json_object_get(json, "to"), &nat->family, r->src, &r->sport))
		return "to: expected an address of the same family, and a port";
	memcpy(r->dst, o->src, sizeof(r->dst));
	r->dport = o->sport;
	if (from && !read_end(from, &nat->family, r->dst, &r->dport))
		return "from: expected an address of the same family, and a port";
	if (!read_number(json_object_get(json, "seconds"), INT32_MAX, &nat->seconds))
		return "seconds: expected 1 to 2147483647";
	if (mark && !read_number(mark, UINT32_MAX, &nat->mark))
		return "mark: expected 1 to 4294967295";
	if (nat->protocol == IPPROTO_TCP)
		nat->state = TCP_CONNTRACK_ESTABLISHED;
	if (state && (nat->protocol != IPPROTO_TCP || !read_state(state, &nat->state)))
		return "state: expected a tcp connection's, \"established\" to \"time-wait\"";
	return NULL;
}

int takeover_nat_parse(const json_t *json, const struct takeover_address *addresses, size_t n,
		       struct takeover_nats *ret_nats, char *error, size_t len)
{
	static const char *const known[] = { "protocol", "peer",  "address", "to", "from",
					     "seconds",	 "state", "mark",    NULL };
	struct takeover_nats nats = { .n = json_array_size(json) };
	int ret = 0;

	if (!json_is_array(json) || nats.n > TAKEOVER_NAT_MAX) {
		snprintf(error, len, "nat: expected a list of at most %d connections",
			 TAKEOVER_NAT_MAX);
		return -EINVAL;
	}
	nats.all = calloc(nats.n + 1, sizeof(*nats.all));
	if (!nats.all) {
		snprintf(error, len, "nat: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; ret == 0 && i < nats.n; i++) {
		const json_t *entry = json_array_get(json, i);
		const char *wrong = read_entry(entry, &nats.all[i]);
		char name[48];

		snprintf(name, sizeof(name), "nat: connection %zu", i + 1);
		if (!wrong && !takeover_nat_is_one(&nats.all[i], addresses, n))
			wrong = "expected a peer's to an address of this takeover, translated";
		if (wrong) {
			snprintf(error, len, "%s: %s", name, wrong);
			ret = -EINVAL;
		} else {
			ret = takeover_json_known(entry, known, name, error, len);
		}
	}
	if (ret < 0) {
		free(nats.all);
		return ret;
	}
	*ret_nats = nats;
	return 0;
}
