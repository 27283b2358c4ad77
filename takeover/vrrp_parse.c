// SPDX-License-Identifier: GPL-2.0-only
/* keepalived's own account of itself, read. Sections begin with "------<", what belongs to
 * a line stands below it and further in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vrrp.h"
#include "vrrp_advert.h"

#define INSTANCES_MAX 256

struct instance {
	char name[TAKEOVER_VRRP_NAME_LEN], group[TAKEOVER_VRRP_NAME_LEN];
	enum takeover_vrrp_state state;
	bool preempts, has;
	unsigned int down_ms, priority, advert_ms;
	struct takeover_vrrp_advert advert;
};

struct reader {
	const char *next, *end;
	char line[512];
	size_t indent;
	struct instance all[INSTANCES_MAX];
	size_t n;
};

static bool next_line(struct reader *r)
{
	const char *newline;
	size_t n;

	if (r->next >= r->end)
		return false;
	newline = memchr(r->next, '\n', r->end - r->next);
	n = (newline ? newline : r->end) - r->next;
	r->indent = 0;
	while (r->indent < n && r->next[r->indent] == ' ')
		r->indent++;
	snprintf(r->line, sizeof(r->line), "%.*s", (int)(n - r->indent), r->next + r->indent);
	r->next += newline ? n + 1 : n;
	return true;
}

/* What follows @key in the line, or NULL. */
static const char *value(const struct reader *r, const char *key)
{
	size_t n = strlen(key);

	return strncmp(r->line, key, n) == 0 ? r->line + n : NULL;
}

/* A word; it will be printed. */
static void copy(char *buf, size_t len, const char *text)
{
	snprintf(buf, len, "%.*s", (int)strcspn(text, ", "), text);
	for (; *buf; buf++)
		if (*buf < ' ' || *buf > '~')
			*buf = '?';
}

static bool at_section(const struct reader *r)
{
	return r->indent == 0 && strncmp(r->line, "------<", 7) == 0;
}

static enum takeover_vrrp_state state_of(const char *name)
{
	return strcmp(name, "MASTER") == 0   ? TAKEOVER_VRRP_MASTER
	       : strcmp(name, "BACKUP") == 0 ? TAKEOVER_VRRP_BACKUP
					     : TAKEOVER_VRRP_FAULT;
}

static void read_field(struct reader *r, struct instance *now)
{
	const char *v;

	if ((v = value(r, "State = ")))
		now->state = state_of(v);
	else if ((v = value(r, "Sync group = ")))
		copy(now->group, sizeof(now->group), v);
	else if ((v = value(r, "Preempt = ")))
		now->preempts = strcmp(v, "disabled") != 0;
	else if ((v = value(r, "Master down timer = ")))
		now->down_ms = strtoul(v, NULL, 10) / 1000 % 3600000;
	else if ((v = value(r, "Priority = ")))
		now->priority = strtoul(v, NULL, 10) % 256;
	else if ((v = value(r, "Advert interval = ")))
		now->advert_ms =
			strtoul(v, NULL, 10) % 100000 * (strstr(v, "milli-sec") ? 1 : 1000);
}

/* An address as keepalived writes it: "192.0.2.100/24 dev eth0 ...". */
static bool read_ip(const char *line, struct takeover_address *ret_ip)
{
	char text[TAKEOVER_ADDRESS_STRLEN];

	copy(text, sizeof(text), line);
	return takeover_address_parse(text, ret_ip) == 0;
}

/* NULL: one that is passed over. */
static struct instance *new_instance(struct reader *r, const char *name)
{
	struct instance *now = r->n < INSTANCES_MAX ? &r->all[r->n] : NULL;

	if (!now)
		return NULL;
	*now = (struct instance){ .preempts = true, .state = TAKEOVER_VRRP_FAULT };
	takeover_vrrp_advert_init(&now->advert);
	copy(now->name, sizeof(now->name), name);
	if (!now->name[0])
		return NULL;
	r->n++;
	return now;
}

static void read_instances(struct reader *r, const struct takeover_address *address)
{
	struct instance *now = NULL;
	bool ips = false, advertised = false;

	while (next_line(r) && !at_section(r)) {
		const char *v = r->indent == 1 ? value(r, "VRRP Instance = ") : NULL;
		struct takeover_address ip;

		if (v)
			now = new_instance(r, v);
		if (!now)
			continue;
		if (ips && r->indent > 3) {
			now->has |= read_ip(r->line, &ip) && takeover_address_equal(&ip, address);
			if (advertised)
				takeover_vrrp_advert_add(&now->advert, r->line);
			continue;
		}
		ips = value(r, "Virtual IP") != NULL;
		advertised = value(r, "Virtual IP (") != NULL;
		read_field(r, now);
		takeover_vrrp_advert_read(&now->advert, r->line);
	}
}

static bool moves_with(const struct instance *other, const struct instance *own)
{
	return strcmp(other->name, own->name) == 0 ||
	       (own->group[0] && strcmp(other->group, own->group) == 0);
}

static const struct instance *find(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->all[i].name, name) == 0)
			return &r->all[i];
	return NULL;
}

/* Once more, now that it is known who moves together. */
static void read_ips(struct reader *r, const struct instance *own, struct takeover_vrrp *vrrp)
{
	const struct instance *now = NULL;
	bool ips = false;

	while (next_line(r) && !at_section(r)) {
		const char *v = r->indent == 1 ? value(r, "VRRP Instance = ") : NULL;

		if (v) {
			char name[TAKEOVER_VRRP_NAME_LEN];

			copy(name, sizeof(name), v);
			now = find(r, name);
		}
		if (ips && r->indent > 3) {
			if (now && moves_with(now, own) && vrrp->n_ips < TAKEOVER_VRRP_IPS_MAX &&
			    read_ip(r->line, &vrrp->ips[vrrp->n_ips]))
				vrrp->n_ips++;
			continue;
		}
		ips = value(r, "Virtual IP") != NULL;
	}
}

static void copy_adverts(const struct reader *r, const struct instance *own,
			 struct takeover_vrrp *vrrp)
{
	for (size_t i = 0; i < r->n && vrrp->n_adverts < TAKEOVER_VRRP_GROUP_MAX; i++) {
		struct takeover_advert *a = &vrrp->adverts[vrrp->n_adverts];

		if (!moves_with(&r->all[i], own) || r->all[i].advert.not_ours)
			continue;
		*a = r->all[i].advert.advert;
		a->interval_ms = r->all[i].advert_ms;
		vrrp->n_adverts++;
	}
}

/* Files of weight 0 that it or its group tracks: -EINVAL unless there is one. */
static int read_files(struct reader *r, const struct instance *own, const char *wanted,
		      struct takeover_vrrp *vrrp, const char **ret_why)
{
	char path[TAKEOVER_VRRP_PATH_LEN] = "";
	bool several = false;

	while (next_line(r) && !at_section(r)) {
		const struct instance *i;
		char name[TAKEOVER_VRRP_NAME_LEN];
		const char *v;

		if (r->indent == 3 && (v = value(r, "File = "))) {
			snprintf(path, sizeof(path), "%s", v);
			if (strlen(v) >= sizeof(path) || !takeover_vrrp_is_track_file(path))
				path[0] = '\0';
		}
		if (r->indent <= 3 || !strstr(r->line, ", weight 0") || !path[0])
			continue;
		copy(name, sizeof(name), r->line);
		i = find(r, name);
		if (!i || !moves_with(i, own) || (wanted[0] && strcmp(wanted, path) != 0))
			continue;
		several |= vrrp->track_file[0] && strcmp(vrrp->track_file, path) != 0;
		snprintf(vrrp->track_file, sizeof(vrrp->track_file), "%s", path);
	}
	if (several)
		*ret_why = "tracks several files of weight 0: name one as track_file in "
			   "ip-takeover.conf";
	else if (!vrrp->track_file[0])
		*ret_why = wanted[0] ? "does not track the configured track_file with weight 0"
				     : "tracks no file with weight 0: give it a track_file in "
				       "keepalived.conf";
	else
		return 0;
	return -EINVAL;
}

/* To the line below the section's head. */
static bool go_to(struct reader *r, const char *text, const char *section)
{
	r->next = text;
	while (next_line(r))
		if (at_section(r) && strstr(r->line, section))
			return true;
	return false;
}

static int parse(struct reader *r, const char *text, const struct takeover_address *address,
		 const char *instance, const char *track_file, struct takeover_vrrp *vrrp,
		 char *error, size_t len)
{
	const struct instance *own = NULL;
	const char *why = NULL;
	int ret = 0;

	if (go_to(r, text, "VRRP Topology"))
		read_instances(r, address);
	for (size_t i = 0; i < r->n && !own; i++)
		if (r->all[i].has)
			own = &r->all[i];
	if (!own) {
		snprintf(error, len, "no VRRP instance of keepalived has it");
		return -ENOENT;
	}
	snprintf(vrrp->instance, sizeof(vrrp->instance), "%s", own->name);
	snprintf(vrrp->group, sizeof(vrrp->group), "%s", own->group);
	vrrp->state = own->state;
	vrrp->preempts = own->preempts;
	vrrp->down_ms = own->down_ms;
	vrrp->priority = own->priority;
	vrrp->skew_ms = (256 - own->priority) * own->advert_ms / 256;
	if (go_to(r, text, "VRRP Topology"))
		read_ips(r, own, vrrp);
	copy_adverts(r, own, vrrp);
	if (instance[0] && strcmp(instance, own->name) != 0) {
		why = "has it, not the configured instance";
		ret = -EINVAL;
	} else if (go_to(r, text, "VRRP Track files")) {
		ret = read_files(r, own, track_file, vrrp, &why);
	} else {
		why = "tracks no file: give it a track_file of weight 0 in keepalived.conf";
		ret = -EINVAL;
	}
	if (ret < 0)
		snprintf(error, len, "keepalived's %s %s", own->name, why);
	return ret;
}

int takeover_vrrp_parse(const char *text, size_t n, const struct takeover_address *address,
			const char *instance, const char *track_file,
			struct takeover_vrrp *ret_vrrp, char *error, size_t len)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct takeover_vrrp *vrrp = calloc(1, sizeof(*vrrp));
	int ret = -ENOMEM;

	snprintf(error, len, "no memory");
	if (r && vrrp) {
		r->end = text + n;
		ret = parse(r, text, address, instance, track_file, vrrp, error, len);
	}
	if (ret == 0 || ret == -EINVAL)
		*ret_vrrp = *vrrp;
	free(vrrp);
	free(r);
	return ret;
}
