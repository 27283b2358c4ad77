// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover claim and withdraw: one configured address, by hand. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "cli.h"
#include "config.h"
#include "exec_program.h"
#include "journal.h"
#include "netlink.h"
#include "routes.h"
#include "track_file.h"

#define DELADDR_MS 1000

static const struct takeover_address *configured(int argc, char **argv,
						 struct takeover_config *config)
{
	const struct takeover_address *own;
	struct takeover_address address;
	char error[200];

	if (argc != 2) {
		fprintf(stderr, "usage: ip-takeover %s ADDRESS\n", argv[0]);
		return NULL;
	}
	if (takeover_address_parse(argv[1], &address) < 0) {
		fprintf(stderr, "ip-takeover: %s: not an address that a host can own\n", argv[1]);
		return NULL;
	}
	if (takeover_config_read(config, error, sizeof(error)) < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return NULL;
	}
	own = takeover_config_find(config, &address);
	if (!own)
		fprintf(stderr, "ip-takeover: %s is not in this host's configuration\n", argv[1]);
	return own;
}

static int fail(const struct takeover_address *a, const char *what, int ret)
{
	char text[TAKEOVER_ADDRESS_STRLEN];

	fprintf(stderr, "ip-takeover: cannot %s %s on %s: %s\n", what,
		takeover_address_format(a, text, sizeof(text)), a->device, strerror(-ret));
	return 1;
}

int cli_probe(struct takeover_wire *wire, const struct takeover_address *a, int patience_ms)
{
	struct pollfd pfd = { .fd = takeover_wire_fd(wire), .events = POLLIN };
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	long deadline = takeover_now_ms() + patience_ms;
	char text[TAKEOVER_ADDRESS_STRLEN];
	size_t len;
	int ret;

	ret = takeover_probe_build(frame, sizeof(frame), a, takeover_wire_mac(wire), &len);
	if (ret == 0)
		ret = takeover_wire_send(wire, frame, len);
	if (ret < 0)
		return fail(a, "probe for", ret);
	for (long left; (left = deadline - takeover_now_ms()) > 0;) {
		ssize_t n;

		poll(&pfd, 1, left);
		n = takeover_wire_receive(wire, frame, sizeof(frame));
		if (n < 0 || !takeover_announce_parse(frame, n, a, mac))
			continue;
		fprintf(stderr,
			"ip-takeover: %s is in use by %02x:%02x:%02x:%02x:%02x:%02x; withdraw it "
			"there first\n",
			takeover_address_ip(a, text, sizeof(text)), mac[0], mac[1], mac[2], mac[3],
			mac[4], mac[5]);
		return 1;
	}
	return 0;
}

/* keepalived does it. */
static int by_keepalived(const struct takeover_config *config, const struct takeover_address *a,
			 bool here)
{
	const struct takeover_backend_settings *s = takeover_config_backend(config, a);
	struct takeover_vrrp *v = calloc(1, sizeof(*v));
	char error[300] = "no memory";
	int ret = v ? takeover_vrrp_find(a, s->instance, s->track_file, v, error, sizeof(error))
		    : -ENOMEM;

	if (ret < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
	} else {
		ret = track_file_set(a, v->track_file, here);
		if (ret < 0)
			fail(a, here ? "claim" : "withdraw", ret);
		else if (here)
			journal_make_way(a);
	}
	free(v);
	return ret < 0;
}

int cli_claim(int argc, char **argv)
{
	struct takeover_config config;
	const struct takeover_address *a = configured(argc, argv, &config);
	struct takeover_wire *wire = NULL;
	bool present = false;
	int ret;

	if (!a)
		return argc == 2 ? 1 : 2;
	if (takeover_config_backend(&config, a)->kind == TAKEOVER_BACKEND_KEEPALIVED)
		return by_keepalived(&config, a, true);
	ret = takeover_wire_open(a->device, &wire);
	if (ret == 0)
		ret = takeover_address_present(a, &present);
	if (ret < 0)
		ret = fail(a, "claim", ret);
	else if (!present)
		ret = cli_probe(wire, a, config.probe_ms);
	if (ret == 0) {
		ret = takeover_address_add(a);
		if (ret == 0) {
			journal_make_way(a);
			ret = takeover_announce(wire, a, NULL, 0);
		}
		if (ret < 0)
			ret = fail(a, "claim", ret);
		else
			ret = cli_program(&config, a, TAKEOVER_EXEC_CLAIM, NULL) < 0;
		/* Nothing draws its packets here. */
		if (ret != 0 && !present)
			takeover_address_delete(a, DELADDR_MS);
	}
	if (wire)
		takeover_wire_close(wire);
	return ret;
}

/* NULL when there are none. */
static struct takeover_routes *detach_routes(const struct takeover_address *a)
{
	struct takeover_routes *routes = NULL;
	char text[200];

	if (takeover_routes_find(a, 1, &routes) < 0 || !routes)
		return NULL;
	takeover_routes_detach(routes);
	if (takeover_routes_format(routes, text, sizeof(text))[0])
		fprintf(stderr,
			"ip-takeover: routes that lose their source address with it: %s; set "
			"another one\n",
			text);
	return routes;
}

int cli_withdraw(int argc, char **argv)
{
	struct takeover_config config;
	const struct takeover_address *a = configured(argc, argv, &config);
	struct takeover_routes *routes;
	int ret;

	if (!a)
		return argc == 2 ? 1 : 2;
	if (takeover_config_backend(&config, a)->kind == TAKEOVER_BACKEND_KEEPALIVED)
		return by_keepalived(&config, a, false);
	if (cli_program(&config, a, TAKEOVER_EXEC_WITHDRAW, NULL) < 0)
		return 1;
	routes = detach_routes(a);
	ret = takeover_address_delete(a, DELADDR_MS);
	if (ret < 0 && routes && takeover_routes_restore(routes) == 0)
		fprintf(stderr, "ip-takeover: the routes have it back\n");
	takeover_routes_free(routes);
	return ret < 0 ? fail(a, "withdraw", ret) : 0;
}
