/* SPDX-License-Identifier: GPL-2.0-only */
/* The settings of an address that only its backend knows: config_keepalived.c, config_exec.c. */
#ifndef TAKEOVER_CONFIG_BACKEND_H
#define TAKEOVER_CONFIG_BACKEND_H

#include <libconfig.h>

#include "config.h"

struct takeover_config_backend {
	const char *name;
	const char *settings; /* what else it knows: "one, two", or NULL */
	/* Read them from the address's group @s. -EINVAL with what is wrong, and where. */
	int (*read)(const config_setting_t *s, struct takeover_backend_settings *ret_settings,
		    const config_setting_t **ret_where, const char **ret_what);
};

extern const struct takeover_config_backend takeover_config_keepalived, takeover_config_exec;

#endif
