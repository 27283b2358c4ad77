// SPDX-License-Identifier: GPL-2.0-only
/* Whether a service may be revived here: it must run nowhere else, and nothing may be in its way.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "journal.h"
#include "netlink.h"
#include "revive.h"
#include "sockets.h"
#include "tasks.h"

#define PROBES 2 /* one may be lost */

static int say(struct revival *r, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int say(struct revival *r, int ret, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->why, sizeof(r->why), format, ap);
	va_end(ap);
	return ret;
}

/* The record names them; device and prefix are this host's own. */
static int find_addresses(struct revival *r, bool claim)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	struct takeover_address a;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(r->record, "addresses"), i, entry) {
		const struct takeover_address *own;
		int ret;

		if (takeover_address_parse(journal_field(entry, "address"), &a) < 0)
			return say(r, -EINVAL, "addresses: not those of a checkpoint");
		takeover_address_ip(&a, text, sizeof(text));
		own = takeover_config_find(&r->config, &a);
		if (!own)
			return say(r, -EPERM,
				   "%s is not in this host's configuration; add it "
				   "to " TAKEOVER_CONFIG_PATH,
				   text);
		ret = takeover_config_present(&r->config, own, &r->present[i]);
		if (ret == 0 && !r->present[i] && claim &&
		    takeover_config_backend(&r->config, own)->kind != TAKEOVER_BACKEND_GARP)
			return say(r, -EADDRNOTAVAIL,
				   "%s is not on %s, and its backend gives it, not --claim: "
				   "ip-takeover claim %s, then revive",
				   text, own->device, text);
		if (ret < 0)
			return say(r, ret, "%s: %s", own->device, strerror(-ret));
		if (!r->present[i] && !claim)
			return say(r, -EADDRNOTAVAIL,
				   "%s is not on %s: whoever has it revives the service; to take "
				   "it here: --claim",
				   text, own->device);
		r->addresses[r->n++] = own;
	}
	return 0;
}

static bool names(const struct revival *r, const json_t *journal)
{
	struct takeover_address a;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(journal, "addresses"), i, entry)
		for (size_t n = 0; n < r->n; n++)
			if (takeover_address_parse(journal_field(entry, "address"), &a) == 0 &&
			    takeover_address_equal(&a, r->addresses[n]))
				return true;
	return false;
}

/* A planned move brings its own process; and one in doubt may have another there. */
static int find_takeover(struct revival *r)
{
	json_t *journals = cli_journals(), *j;
	int ret = journals ? 0 : say(r, -EIO, "cannot read " TAKEOVER_RUN_DIR);
	size_t i;

	json_array_foreach(journals, i, j)
		if (ret == 0 && !journal_has_ended(j) && names(r, j))
			ret = say(r, -EBUSY,
				  "takeover %s of its address is %s on this host; see ip-takeover "
				  "status",
				  journal_field(j, "id"), journal_field(j, "state"));
	json_decref(journals);
	return ret;
}

static bool is_port_of(const struct revival *r, const struct takeover_socket *s)
{
	const char *protocol = s->protocol == IPPROTO_UDP ? "udp" : "tcp";
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(r->record, "ports"), i, entry)
		if (json_integer_value(json_object_get(entry, "port")) == s->local_port &&
		    strcmp(journal_field(entry, "protocol"), protocol) == 0)
			return true;
	return false;
}

static int find_server(struct revival *r)
{
	struct takeover_sockets sockets;
	int ret = takeover_sockets_list(&sockets);

	if (ret < 0)
		return say(r, ret, "cannot list sockets: %s", strerror(-ret));
	takeover_sockets_hold(&sockets, 0);
	for (size_t i = 0; i < sockets.n && ret == 0; i++) {
		const struct takeover_socket *s = &sockets.all[i];
		char name[32];
		bool there = false;

		for (size_t n = 0; n < r->n; n++)
			there |= takeover_socket_is_on(s, r->addresses[n]) ||
				 takeover_socket_takes(s, r->addresses[n]);
		if (there && !takeover_socket_is_connected(s) && is_port_of(r, s))
			ret = say(r, -EEXIST,
				  "it runs here already: %s (pid %d) has %s port %u; end it first, "
				  "if it is another",
				  takeover_task_name(s->holder, name, sizeof(name)), (int)s->holder,
				  s->protocol == IPPROTO_UDP ? "UDP" : "TCP", s->local_port);
	}
	free(sockets.all);
	return ret;
}

static int find_pid(struct revival *r)
{
	pid_t pid = json_integer_value(json_object_get(r->record, "pid"));
	char name[32];

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return 0;
	return say(r, -EADDRINUSE,
		   "PID %d is that of %s here, and criu restores a process under its own PID; end "
		   "that first",
		   (int)pid, takeover_task_name(pid, name, sizeof(name)));
}

/* Whoever else has the address has the service, or would share its clients with it. */
static int probe(struct revival *r, const struct takeover_address *a)
{
	struct takeover_wire *wire = NULL;
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = takeover_wire_open(a->device, &wire);
	size_t len;

	for (int i = 0; i < PROBES && ret == 0; i++) {
		long deadline = takeover_now_ms() + r->config.probe_ms, left;
		struct pollfd pfd = { .fd = takeover_wire_fd(wire), .events = POLLIN };

		ret = takeover_probe_build(frame, sizeof(frame), a, takeover_wire_mac(wire), &len)
			      ?: takeover_wire_send(wire, frame, len);
		while (ret == 0 && (left = deadline - takeover_now_ms()) > 0) {
			ssize_t n;

			poll(&pfd, 1, left);
			n = takeover_wire_receive(wire, frame, sizeof(frame));
			if (n >= 0 && takeover_announce_parse(frame, n, a, mac))
				ret = say(r, -EADDRINUSE,
					  "%s is in use by %02x:%02x:%02x:%02x:%02x:%02x; where it "
					  "is the service runs, or is to be revived",
					  takeover_address_ip(a, text, sizeof(text)), mac[0],
					  mac[1], mac[2], mac[3], mac[4], mac[5]);
		}
	}
	if (wire)
		takeover_wire_close(wire);
	if (ret < 0 && !r->why[0])
		say(r, ret, "%s: cannot probe for another owner: %s", a->device, strerror(-ret));
	return ret;
}

int revive_check(struct revival *r, bool claim)
{
	int ret = find_addresses(r, claim) ?: find_takeover(r) ?: find_server(r) ?: find_pid(r);

	for (size_t i = 0; i < r->n && ret == 0; i++)
		ret = probe(r, r->addresses[i]);
	return ret;
}
