// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "config_backend.h"

#define SECONDS_DEFAULT 5
/* Twice as long, for its status, and criu's stages still wait for the answer (request.c). */
#define SECONDS_MAX 10

static bool is_path(const char *path)
{
	size_t n = path ? strlen(path) : 0;

	for (size_t i = 0; i < n; i++)
		if (path[i] < ' ' || path[i] > '~')
			return false;
	return n > 1 && n < TAKEOVER_PROGRAM_PATH && path[0] == '/';
}

static int read_all(const config_setting_t *s, struct takeover_backend_settings *ret_settings,
		    const config_setting_t **ret_where, const char **ret_what)
{
	const config_setting_t *program = config_setting_get_member(s, "program");
	const config_setting_t *seconds = config_setting_get_member(s, "seconds");
	const char *path = program ? config_setting_get_string(program) : NULL;
	int number = SECONDS_DEFAULT;

	if (!is_path(path)) {
		*ret_where = program ? program : s;
		*ret_what = "program: expected an absolute path, of at most 255 bytes of ASCII";
		return -EINVAL;
	}
	if (seconds)
		number = config_setting_type(seconds) == CONFIG_TYPE_INT
				 ? config_setting_get_int(seconds)
				 : 0;
	if (number < 1 || number > SECONDS_MAX) {
		*ret_where = seconds;
		*ret_what = "seconds: expected a number from 1 to 10";
		return -EINVAL;
	}
	strcpy(ret_settings->program, path);
	ret_settings->seconds = number;
	return 0;
}

const struct takeover_config_backend takeover_config_exec = {
	.name = "exec",
	.settings = "program, seconds",
	.read = read_all,
};
