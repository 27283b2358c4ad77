// SPDX-License-Identifier: GPL-2.0-only
/* The words that made a container of podman, as those that make it on another host. */
#include <errno.h>
#include <string.h>

#include "podman.h"
#include "unit.h"

static char error[300];

/* Of words parted by spaces; "''" is an empty one. */
static int translate(const char *text, char *buf, size_t len)
{
	json_t *words = json_array(), *spec;
	struct command c = { 0 };
	char copy[4096], *at = copy, *word;
	int ret;

	strcpy(copy, text);
	while ((word = strsep(&at, " ")))
		json_array_append_new(words, json_string(strcmp(word, "''") == 0 ? "" : word));
	spec = json_pack("{s:s, s:s, s:s, s:o}", "name", "n", "oci", "crun", "image_use", "I",
			 "command", words);
	error[0] = '\0';
	ret = podman_create_command(spec, &c, error, sizeof(error));
	buf[0] = '\0';
	for (size_t i = 0; i < c.n; i++) {
		strncat(buf, c.words[i][0] ? c.words[i] : "''", len - strlen(buf) - 1);
		if (i + 1 < c.n)
			strncat(buf, " ", len - strlen(buf) - 1);
	}
	command_free(&c);
	json_decref(spec);
	return ret;
}

#define BEGIN "podman --runtime=crun container create "
#define END   "--name=n --pull=never -- I"

static void what_is_kept(void **state)
{
	static const char *const cases[][2] = {
		{ "podman run redis", BEGIN END },
		{ "/usr/bin/podman container run redis sh -c -d", BEGIN END " sh -c -d" },
		{ "podman create --name x redis --save ''", BEGIN END " --save ''" },
		{ "podman run -d --name=x -- redis", BEGIN END },
		{ "podman run -dit -v /a:/b redis", BEGIN "-it -v /a:/b " END },
		{ "podman run -dv /a:/b redis", BEGIN "-v /a:/b " END },
		{ "podman run -v/d:/a redis x", BEGIN "-v/d:/a " END " x" },
		{ "podman run -a stdin -ia stdout redis", BEGIN "-i " END },
		{ "podman run --detach=true --detach-keys ctrl-p --replace redis", BEGIN END },
		{ "podman run --rm --network host -e A=--detach redis",
		  BEGIN "--rm --network host -e A=--detach " END },
		{ "podman run --cidfile /run/x --pull always redis", BEGIN END },
		{ "podman run --label --detach redis", BEGIN "--label --detach " END },
		{ "podman run -e -d redis -d", BEGIN "-e -d " END " -d" },
		{ "podman --runtime crun run redis", BEGIN END },
		/* What we have made ourselves, once more. */
		{ BEGIN "--init -p 1:2 " END " x", BEGIN "--init -p 1:2 " END " x" },
	};
	char words[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(translate(cases[i][0], words, sizeof(words)), 0);
		assert_string_equal(words, cases[i][1]);
	}
}

static void what_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "''", "not podman's" },
		{ "sh -c podman", "not podman's" },
		{ "podman", "not podman's" },
		{ "/tmp/podman/sh run redis", "not podman's" },
		{ "podman rm redis", "nor \"podman create" },
		{ "podman --root /x run redis", "nor \"podman create" },
		{ "podman container", "nor \"podman create" },
		{ "podman container rm -f x", "nor \"podman create" },
		{ "podman --runtime run", "nor \"podman create" },
		{ "podman run", "name no image" },
		{ "podman run -d --name redis", "name no image" },
		{ "podman run --", "name no image" },
	};
	char words[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(translate(cases[i][0], words, sizeof(words)), -EINVAL);
		assert_string_equal(words, "");
		assert_non_null(strstr(error, cases[i][1]));
	}
}

static void what_is_no_text(void **state)
{
	json_t *spec = json_pack("{s:s, s:[s, s, s, i]}", "oci", "runc", "command", "podman", "run",
				 "redis", 1);
	struct command c = { 0 };

	(void)state;
	assert_int_equal(podman_create_command(spec, &c, error, sizeof(error)), -EINVAL);
	assert_int_equal(c.n, 0);
	json_decref(spec);
}

static void too_many(void **state)
{
	json_t *words = json_pack("[s, s]", "podman", "run"), *spec;
	struct command c = { 0 };

	(void)state;
	for (int i = 0; i < 2 * RUNTIME_WORDS; i++)
		json_array_append_new(words, json_string("x"));
	spec = json_pack("{s:s, s:o}", "oci", "runc", "command", words);
	assert_int_equal(podman_create_command(spec, &c, error, sizeof(error)), -EINVAL);
	assert_int_equal(c.n, 0);
	json_decref(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_no_text),
		cmocka_unit_test(too_many),
	};

	return unit_main("podman", tests, NULL, NULL);
}
