// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "image_send.h"
#include "run.h"

/* Of what both say, the last line, which is an error's. */
static const char *last_line(char *text)
{
	size_t n = strlen(text);
	char *line;

	while (n > 0 && strchr("\n\r ", text[n - 1]))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	for (char *c = line; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return line;
}

int image_send(const char *program, const char *image, const char *rsh, const char *host,
	       int timeout_ms, char *error, size_t len)
{
	/* The words of --rsh, as rsh.c has them. What is cut off is no archive, and load says so.
	 */
	static const char script[] =
		"set -f; \"$1\" save \"$2\" | $3 \"$4\" \"$1\" load --quiet >/dev/null";
	char output[4096];
	int status = 0, ret;

	ret = cli_run(
		(const char *[]){ "/bin/sh", "-c", script, "sh", program, image, rsh, host, NULL },
		NULL, timeout_ms, output, sizeof(output), &status);
	if (ret == 0 && status == 0)
		return 0;
	snprintf(error, len, "image %.90s cannot be sent: %.250s", image,
		 ret < 0     ? strerror(-ret)
		 : output[0] ? last_line(output)
			     : "it does not say why");
	return ret < 0 ? ret : -EREMOTEIO;
}
