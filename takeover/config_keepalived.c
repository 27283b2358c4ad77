// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "config_backend.h"

static int read_text(const config_setting_t *s, const char *name, char *buf, size_t len,
		     const config_setting_t **ret_where)
{
	const config_setting_t *member = config_setting_get_member(s, name);
	const char *text = member ? config_setting_get_string(member) : "";

	*ret_where = member;
	if (!text || strlen(text) >= len || (member && text[0] == '\0'))
		return -EINVAL;
	strcpy(buf, text);
	return 0;
}

static int read_all(const config_setting_t *s, struct takeover_backend_settings *ret_settings,
		    const config_setting_t **ret_where, const char **ret_what)
{
	char *file = ret_settings->track_file;

	*ret_what = "instance: expected a name";
	if (read_text(s, "instance", ret_settings->instance, sizeof(ret_settings->instance),
		      ret_where) < 0)
		return -EINVAL;
	*ret_what = "track_file: expected an absolute path";
	if (read_text(s, "track_file", file, sizeof(ret_settings->track_file), ret_where) < 0)
		return -EINVAL;
	return file[0] && !takeover_vrrp_is_track_file(file) ? -EINVAL : 0;
}

const struct takeover_config_backend takeover_config_keepalived = {
	.name = "keepalived",
	.settings = "instance, track_file",
	.read = read_all,
};
