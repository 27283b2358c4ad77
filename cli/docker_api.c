// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "docker.h"
#include "run.h"

#define ANSWER_MAX (4 * 1024 * 1024)

bool docker_name_ok(const char *name)
{
	if (!name || !isalnum((unsigned char)name[0]) || strlen(name) >= RUNTIME_ID_LEN)
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-:", *c))
			return false;
	return true;
}

/* For curl, in memory; -1: none. */
static int open_body(const json_t *body)
{
	int fd = body ? memfd_create("docker", MFD_CLOEXEC) : -1;

	if (fd >= 0 && json_dumpfd(body, fd, JSON_COMPACT) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void say_message(const json_t *answer, long status, char *error, size_t len)
{
	const char *message = json_string_value(json_object_get(answer, "message"));

	snprintf(error, len, "docker: %.300s", message ?: "it answers what makes no sense");
	if (!message && status)
		snprintf(error, len, "docker: HTTP status %ld", status);
	for (char *c = error; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* Behind the answer is the status, on a line of its own. */
static int understand(char *text, json_t **ret_answer, char *error, size_t len)
{
	char *last = strrchr(text, '\n');
	long status = last ? strtol(last + 1, NULL, 10) : 0;
	json_t *answer;

	if (last)
		*last = '\0';
	answer = text[0] ? json_loads(text, 0, NULL) : NULL;
	if (status < 200 || status >= 400) {
		say_message(answer, status, error, len);
		json_decref(answer);
		return status == 404 ? -ENOENT : status == 409 ? -EEXIST : -EREMOTEIO;
	}
	if (ret_answer && text[0] && !answer) {
		say_message(NULL, 0, error, len);
		return -EPROTO;
	}
	if (ret_answer)
		*ret_answer = answer;
	else
		json_decref(answer);
	return 0;
}

int docker_api(const char *method, const json_t *body, json_t **ret_answer, char *error, size_t len,
	       const char *path, ...)
{
	char url[1024] = "http://docker", from[64], *text = malloc(ANSWER_MAX);
	struct command c = { 0 };
	int fd = open_body(body), ret;
	va_list ap;

	if (ret_answer)
		*ret_answer = NULL;
	if (!text || (body && fd < 0)) {
		free(text);
		snprintf(error, len, "no memory");
		return -ENOMEM;
	}
	va_start(ap, path);
	vsnprintf(url + strlen(url), sizeof(url) - strlen(url), path, ap);
	va_end(ap);
	snprintf(from, sizeof(from), "@/proc/%d/fd/%d", (int)getpid(), fd);
	for (const char *const *word =
		     (const char *const[]){ "curl", "--disable", "--no-progress-meter", "--globoff",
					    "--unix-socket", DOCKER_SOCKET, "--write-out",
					    "\\n%{http_code}", "--request", method, NULL };
	     *word; word++)
		command_add(&c, "%s", *word);
	if (body) {
		command_add(&c, "--header");
		command_add(&c, "Content-Type: application/json");
		command_add(&c, "--data-binary");
		command_add(&c, "%s", from);
	}
	command_add(&c, "%s", url);
	ret = command_run(&c, text, ANSWER_MAX);
	if (ret < 0)
		snprintf(error, len, "%s",
			 ret == -ENOENT ? "install curl, which talks to Docker"
					: "dockerd does not answer at " DOCKER_SOCKET);
	else
		ret = understand(text, ret_answer, error, len);
	command_free(&c);
	if (fd >= 0)
		close(fd);
	free(text);
	return ret;
}
