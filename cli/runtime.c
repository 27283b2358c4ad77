// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "runtime.h"

static const struct runtime *const runtimes[] = { &runtime_runc, &runtime_crun, &runtime_docker,
						  &runtime_podman };

const struct runtime *runtime_find(const char *name)
{
	for (size_t i = 0; name && i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if (strcmp(runtimes[i]->name, name) == 0)
			return runtimes[i];
	return NULL;
}

static void add(struct command *c, const char *format, va_list ap)
{
	if (c->n < RUNTIME_WORDS && vasprintf(&c->words[c->n], format, ap) >= 0)
		c->words[++c->n] = NULL;
}

void command_add(struct command *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(c, format, ap);
	va_end(ap);
}

void command_free(struct command *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->words[i]);
	*c = (struct command){ 0 };
}

/* What a program says last says why; tar sums up behind it. */
static void keep_last_line(char *buf)
{
	char *line = strstr(buf, "tar: Exiting with failure status");
	size_t n = line ? (size_t)(line - buf) : strlen(buf);

	while (line && n > 0 && buf[n - 1] != '\n')
		n--;
	if (n > 0)
		buf[n] = '\0';
	while (n > 0 && strchr("\n\r ", buf[n - 1]))
		buf[--n] = '\0';
	line = strrchr(buf, '\n');
	if (line)
		memmove(buf, line + 1, strlen(line + 1) + 1);
}

/* PATH is ours, as a person's. */
static int find_program(const char *name, char *ret_path)
{
	const char *path = getenv("PATH") ?: "/usr/sbin:/usr/bin:/sbin:/bin";

	if (strchr(name, '/')) {
		snprintf(ret_path, PATH_MAX, "%s", name);
		return 0;
	}
	while (*path) {
		size_t n = strcspn(path, ":");

		snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)n, path, name);
		if (n > 0 && access(ret_path, X_OK) == 0)
			return 0;
		path += n + (path[n] == ':');
	}
	return -ENOENT;
}

int command_run(const struct command *c, char *buf, size_t len)
{
	const char *argv[RUNTIME_WORDS + 1] = { NULL };
	char program[PATH_MAX];
	int status, ret;

	buf[0] = '\0';
	ret = find_program(c->words[0], program);
	if (ret < 0) {
		snprintf(buf, len, "%s: no such program", c->words[0]);
		return ret;
	}
	memcpy(argv, c->words, c->n * sizeof(*argv));
	argv[0] = program;
	ret = cli_run(argv, NULL, RUNTIME_WAIT_MS, buf, len, &status);
	if (ret == -ETIMEDOUT)
		snprintf(buf, len, "%s %s: no end after %d s", c->words[0], c->words[1],
			 RUNTIME_WAIT_MS / 1000);
	if (ret < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return ret;
	keep_last_line(buf);
	return -EIO;
}

int command_words(char *buf, size_t len, ...)
{
	struct command c = { 0 };
	const char *word;
	va_list ap;
	int ret;

	va_start(ap, len);
	while ((word = va_arg(ap, const char *)))
		command_add(&c, "%s", word);
	va_end(ap);
	ret = command_run(&c, buf, len);
	command_free(&c);
	return ret;
}
