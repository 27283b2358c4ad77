// SPDX-License-Identifier: GPL-2.0-only
/* Checks of the addresses that keepalived has, by its own word. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

#define SKEW_MS 50 /* more is felt */

/* One keyword a line: keepalived misreads several. */
static void print_lines(const struct takeover_vrrp *v, char *buf, size_t len)
{
	snprintf(buf, len,
		 "put first in keepalived.conf, and reload it:\n"
		 "track_file ip-takeover {\n"
		 "    file /run/ip-takeover.d/%s\n"
		 "    weight 0\n"
		 "    init_file 0\n"
		 "}\n"
		 "and to its vrrp_instance %s:\n"
		 "    state BACKUP\n"
		 "    nopreempt\n"
		 "    priority 254\n"
		 "    track_file {\n"
		 "        ip-takeover\n"
		 "    }\n"
		 "with priority 253 on the other host; and make the directory when it boots:\n"
		 "echo d /run/ip-takeover.d >/etc/tmpfiles.d/ip-takeover.conf",
		 v->instance, v->instance);
}

static void check_instance(struct checks *c, const struct takeover_address *a,
			   const struct takeover_backend_settings *s, struct takeover_vrrp *v)
{
	static const char *const states[] = { "BACKUP", "MASTER", "FAULT" };
	char name[TAKEOVER_ADDRESS_STRLEN + 16], text[TAKEOVER_ADDRESS_STRLEN], error[300];
	char lines[600];
	int ret;

	*v = (struct takeover_vrrp){ 0 };
	ret = takeover_vrrp_find(a, s->instance, s->track_file, v, error, sizeof(error));

	snprintf(name, sizeof(name), "keepalived %s", takeover_address_ip(a, text, sizeof(text)));
	if (ret == -EINVAL && !v->track_file[0] && !s->track_file[0]) {
		print_lines(v, lines, sizeof(lines));
		check_say(c, CHECK_NO, name, lines, "%s", error);
	} else if (ret < 0)
		check_say(c, CHECK_NO, name, "see keepalived.conf(5) and ip-takeover(8)", "%s",
			  error);
	else if (v->preempts)
		check_say(c, CHECK_NO, name, "give it nopreempt and state BACKUP",
			  "%s preempts, and would take the address back from a new owner",
			  v->instance);
	else if (v->state == TAKEOVER_VRRP_FAULT && !takeover_vrrp_is_faulted(v->track_file))
		check_say(c, CHECK_NO, name, "see keepalived's log", "%s is in FAULT", v->instance);
	else if (v->skew_ms > SKEW_MS)
		check_say(c, CHECK_WARNING, name,
			  "give it priority 254, and 253 on the other host: that makes 8 ms with "
			  "advert_int 1",
			  "%s, %s: with priority %u it takes the address only %u ms after the "
			  "other host has let go of it",
			  v->instance, states[v->state], v->priority, v->skew_ms);
	else
		check_say(c, CHECK_OK, name, NULL, "%s, %s, track file %s", v->instance,
			  states[v->state], v->track_file);
}

void check_keepalived(struct checks *c)
{
	struct takeover_vrrp *v = calloc(1, sizeof(*v));

	for (size_t i = 0; v && i < c->config.n_addresses; i++) {
		const struct takeover_address *a = &c->config.addresses[i];
		const struct takeover_backend_settings *s = takeover_config_backend(&c->config, a);

		if (s->kind != TAKEOVER_BACKEND_KEEPALIVED)
			continue;
		if (c->root)
			check_instance(c, a, s, v);
		else
			check_needs_root(c, "keepalived");
	}
	free(v);
}
