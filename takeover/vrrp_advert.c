// SPDX-License-Identifier: GPL-2.0-only
/* The advertisement in keepalived's own account. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "vrrp_advert.h"

void takeover_vrrp_advert_init(struct takeover_vrrp_advert *v)
{
	*v = (struct takeover_vrrp_advert){ .advert = { .family = AF_INET } };
	inet_pton(AF_INET, "224.0.0.18", v->advert.group);
}

/* Whatever stands behind it: a prefix, "dev eth0". */
static void read_ip(struct takeover_vrrp_advert *v, const char *text, unsigned char *ret_ip)
{
	char ip[INET6_ADDRSTRLEN];

	snprintf(ip, sizeof(ip), "%.*s", (int)strcspn(text, ", /"), text);
	if (inet_pton(v->advert.family, ip, ret_ip) != 1)
		v->not_ours = true;
}

/* "eth0", or "vrrp.51, vmac on eth0": the other hosts are there. */
static void read_device(struct takeover_vrrp_advert *v, const char *text)
{
	const char *on = strstr(text, " on ");
	char name[IF_NAMESIZE];

	text = on ? on + 4 : text;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, ", "), text);
	if (takeover_address_is_device(name))
		memcpy(v->advert.device, name, sizeof(name));
	else
		v->not_ours = true;
}

static const char *value(const char *line, const char *key)
{
	size_t n = strlen(key);

	return strncmp(line, key, n) == 0 ? line + n : NULL;
}

static unsigned int number(const char *text)
{
	return strtoul(text, NULL, 10) % 256;
}

void takeover_vrrp_advert_read(struct takeover_vrrp_advert *v, const char *line)
{
	struct takeover_advert *a = &v->advert;
	const char *text;

	if ((text = value(line, "VRRP Version = "))) {
		a->version = number(text);
	} else if (value(line, "Using Native IPv6")) {
		a->family = AF_INET6;
		inet_pton(AF_INET6, "ff02::12", a->group);
	} else if ((text = value(line, "Interface = "))) {
		read_device(v, text);
	} else if ((text = value(line, "Using src_ip = "))) {
		read_ip(v, text, a->source);
	} else if ((text = value(line, "Multicast address "))) {
		read_ip(v, text, a->group);
	} else if ((text = value(line, "Virtual Router ID = "))) {
		a->vrid = number(text);
	} else if ((text = value(line, "Effective priority = "))) {
		a->priority = number(text);
	} else if ((text = value(line, "VRRPv3 uses VRRPv2 checksum = "))) {
		a->plain_checksum = strcmp(text, "enabled") == 0;
	} else if ((text = value(line, "Authentication "))) {
		/* It prints stars for the password. */
		v->not_ours |= strcmp(text, "type = none") != 0;
	} else if (value(line, "Using unicast")) {
		v->not_ours = true;
	}
}

void takeover_vrrp_advert_add(struct takeover_vrrp_advert *v, const char *line)
{
	if (v->advert.n_ips < TAKEOVER_ADVERT_IPS_MAX)
		read_ip(v, line, v->advert.ips[v->advert.n_ips++]);
	else
		v->not_ours = true;
}
