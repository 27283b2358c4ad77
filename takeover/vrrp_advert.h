/* SPDX-License-Identifier: GPL-2.0-only */
/* What an instance advertises, of keepalived's account (keepalived vrrp/vrrp_data.c). */
#ifndef TAKEOVER_VRRP_ADVERT_H
#define TAKEOVER_VRRP_ADVERT_H

#include "advert.h"

struct takeover_vrrp_advert {
	struct takeover_advert advert;
	bool not_ours; /* it cannot be said for it */
};

/* IPv4, and its group of old: older ones say neither. */
void takeover_vrrp_advert_init(struct takeover_vrrp_advert *advert);

/* A line of the instance; most say nothing of it. */
void takeover_vrrp_advert_read(struct takeover_vrrp_advert *advert, const char *line);

/* A line below "Virtual IP". */
void takeover_vrrp_advert_add(struct takeover_vrrp_advert *advert, const char *line);

#endif
