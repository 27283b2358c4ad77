// SPDX-License-Identifier: GPL-2.0-only
/* Options for criu behind "--": which of them cannot be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "migrate_options.h"

#define TEXT_MAX 4096

#define OURS	"migrate gives it itself"
#define IMAGES	"images go through migrate's own connection"
#define CLOSES	"it closes the connections that are to move"
#define RUNNING "the service would run on both hosts, with one address"
#define STOPPED                                                                                    \
	"the copy here must end before the one there runs; ip-takeover migrate undoes a failed "   \
	"move itself"

/* criu/config.c: these short options take a word; -v and -x have it in the same word. */
static const char with_word[] = "tDorWLMJ";
static const char with_rest[] = "vx";

static const struct {
	char letter;
	const char *name, *why;
} refused[] = {
	{ 't', "tree", "use --pid" },
	{ 'D', "images-dir", "use --keep-images to have them" },
	{ 'o', "log-file", "use --keep-images to have the log" },
	{ 'W', "work-dir", "use --keep-images to have the log" },
	{ 'L', "libdir", OURS },
	{ 'd', "restore-detached", OURS },
	{ 'S', "restore-sibling", OURS },
	{ 's', "leave-stopped", STOPPED },
	{ 'R', "leave-running", RUNNING },
	{ 'V', "version", "it does nothing else" },
	{ 'h', "help", "it does nothing else" },
	{ 0, "action-script", OURS },
	{ 0, "network-lock", "the guard stands for it" },
	{ 0, "tcp-established", OURS },
	{ 0, "tcp-close", CLOSES },
	{ 0, "exec-cmd", "nothing is run instead of the service" },
	{ 0, "page-server", IMAGES },
	{ 0, "address", IMAGES },
	{ 0, "port", IMAGES },
	{ 0, "ps-socket", IMAGES },
	{ 0, "stream", IMAGES },
	{ 0, "lazy-pages", IMAGES },
	{ 0, "prev-images-dir", IMAGES },
	{ 0, "track-mem", IMAGES },
	{ 0, "auto-dedup", IMAGES },
	{ 0, "pre-dump-mode", IMAGES },
	{ 0, "daemon", OURS },
	{ 0, "config", "other files may contradict what migrate gives" },
};

#define N_REFUSED (sizeof(refused) / sizeof(refused[0]))

/* getopt_long(3) takes the beginning of a name for all of it. */
static const char *why_long(const char *name)
{
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < N_REFUSED; i++)
		if (len > 0 && strncmp(refused[i].name, name, len) == 0)
			return refused[i].why;
	return NULL;
}

/* Several letters may be in one word. */
static const char *why_short(const char *letters)
{
	for (; *letters; letters++) {
		for (size_t i = 0; i < N_REFUSED; i++)
			if (refused[i].letter == *letters)
				return refused[i].why;
		if (strchr(with_word, *letters) || strchr(with_rest, *letters))
			break;
	}
	return NULL;
}

int migrate_options_check_criu(const char *const *options, char *error, size_t len)
{
	for (size_t n = 0; options[n]; n++) {
		const char *word = options[n], *why = NULL;

		if (n == MIGRATE_CRIU_OPTIONS_MAX) {
			snprintf(error, len, "at most %d options for criu",
				 MIGRATE_CRIU_OPTIONS_MAX);
			return -EINVAL;
		}
		if (strncmp(word, "--", 2) == 0)
			why = word[2] ? why_long(word + 2) : "it ends criu's options";
		else if (word[0] == '-')
			why = why_short(word + 1);
		if (why) {
			snprintf(error, len, "%.60s cannot be given to criu: %s", word, why);
			return -EINVAL;
		}
	}
	return 0;
}

int migrate_options_take_criu(const json_t *json, const char **ret_options, char *error, size_t len)
{
	size_t n = json_array_size(json), i;
	const json_t *entry;

	if (n > MIGRATE_CRIU_OPTIONS_MAX || (json && !json_is_array(json))) {
		snprintf(error, len, "options: expected a list of at most %d",
			 MIGRATE_CRIU_OPTIONS_MAX);
		return -EINVAL;
	}
	json_array_foreach(json, i, entry) {
		const char *text = json_string_value(entry);

		if (!text || strlen(text) != json_string_length(entry) || strlen(text) > TEXT_MAX) {
			snprintf(error, len, "options: expected texts of at most %d bytes",
				 TEXT_MAX);
			return -EINVAL;
		}
		ret_options[i] = text;
	}
	ret_options[n] = NULL;
	return migrate_options_check_criu(ret_options, error, len);
}

json_t *migrate_options_give_criu(const char *const *options)
{
	json_t *list = json_array();

	for (; *options; options++)
		json_array_append_new(list, json_string(*options));
	return list;
}
