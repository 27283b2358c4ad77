// SPDX-License-Identifier: GPL-2.0-only
/* podman-run(1) and podman-create(1): the words that made a container, as those that make it on
 * another host. Nothing but podman is ever run by them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "podman.h"

#define WORD_MAX 4096

/* All others have a value, in the same word behind a '=' or in the next. */
static const char *const flags[] = {
	"--detach",
	"--disable-content-trust",
	"--env-host",
	"--help",
	"--http-proxy",
	"--init",
	"--interactive",
	"--no-healthcheck",
	"--no-hostname",
	"--no-hosts",
	"--oom-kill-disable",
	"--passwd",
	"--privileged",
	"--publish-all",
	"--quiet",
	"--read-only",
	"--read-only-tmpfs",
	"--replace",
	"--rm",
	"--rmi",
	"--rootfs",
	"--sig-proxy",
	"--tls-verify",
	"--tty",
};

/* Of podman run only, or what must not be the same there: another container of that name is not
 * ours to replace, and the name and the image are said by us. */
static const char *const left_out[] = {
	"--attach",	  "--cidfile", "--detach", "--detach-keys", "--name",	   "--preserve-fd",
	"--preserve-fds", "--pull",    "--quiet",  "--replace",	    "--sig-proxy",
};

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && strncmp(word, list[i], len) == 0)
			return true;
	return false;
}

#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

/* "-dit", "-v/a:/b", "-v": without d, q and a, which are for podman run. *@ret_more: its value
 * is the next word. */
static void short_options(const char *word, char *ret_word, bool *ret_more, bool *ret_drop)
{
	size_t n = 1;

	strcpy(ret_word, "-");
	*ret_more = *ret_drop = false;
	for (word++; *word; word++) {
		if (*word == 'd' || *word == 'q')
			continue;
		if (!strchr("itP", *word)) {
			*ret_more = word[1] == '\0';
			*ret_drop = *word == 'a';
			if (!*ret_drop)
				n += strlen(strcpy(ret_word + n, word));
			break;
		}
		ret_word[n++] = *word;
		ret_word[n] = '\0';
	}
	*ret_drop |= n == 1;
}

struct words {
	const json_t *list;
	size_t i;
};

static const char *next(struct words *w)
{
	const char *word = json_string_value(json_array_get(w->list, w->i++));

	return word && strlen(word) < WORD_MAX ? word : NULL;
}

/* One option with its value. */
static void add_option(struct words *w, const char *word, struct command *c)
{
	char letters[WORD_MAX];
	bool more, drop;

	if (word[1] == '-') {
		more = !strchr(word, '=') && !IS_ONE_OF(word, flags);
		drop = IS_ONE_OF(word, left_out);
	} else {
		short_options(word, letters, &more, &drop);
		word = letters;
	}
	if (word[1] && (!drop || word == letters))
		command_add(c, "%s", word);
	word = more ? next(w) : NULL;
	if (word && !drop)
		command_add(c, "%s", word);
}

static const char *begin(struct words *w, const char *oci, struct command *c)
{
	const char *program = next(w) ?: "", *slash = strrchr(program, '/'), *verb = next(w);

	if (strcmp(slash ? slash + 1 : program, "podman") != 0 || !verb)
		return "not podman's";
	/* It is the one that runs the container. */
	if (strncmp(verb, "--runtime=", 10) == 0 || (strcmp(verb, "--runtime") == 0 && next(w)))
		verb = next(w);
	if (verb && strcmp(verb, "container") == 0)
		verb = next(w);
	if (!verb || (strcmp(verb, "run") != 0 && strcmp(verb, "create") != 0))
		return "not \"podman run ...\" nor \"podman create ...\"";
	command_add(c, "podman");
	command_add(c, "--runtime=%s", oci);
	command_add(c, "container");
	command_add(c, "create");
	return NULL;
}

int podman_create_command(const json_t *spec, struct command *c, char *error, size_t len)
{
	struct words w = { .list = json_object_get(spec, "command") };
	const char *word, *wrong = begin(&w, podman_field(spec, "oci"), c);

	if (!wrong && json_array_size(w.list) > RUNTIME_WORDS - 8)
		wrong = "too many words";
	word = wrong ? NULL : next(&w);
	while (word && word[0] == '-' && strcmp(word, "--") != 0) {
		add_option(&w, word, c);
		word = next(&w);
	}
	if (word && strcmp(word, "--") == 0)
		word = next(&w);
	if (!wrong && !word)
		wrong = "they name no image";
	if (!wrong) {
		command_add(c, "--name=%s", podman_field(spec, "name"));
		command_add(c, "--pull=never");
		command_add(c, "--");
		command_add(c, "%s", podman_field(spec, "image_use"));
		while ((word = next(&w)))
			command_add(c, "%s", word);
		if (w.i <= json_array_size(w.list))
			wrong = "one of them is no text, or too long";
	}
	if (!wrong)
		return 0;
	snprintf(error, len, "the words that made the container cannot make it here: %s", wrong);
	command_free(c);
	return -EINVAL;
}
