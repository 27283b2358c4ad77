// SPDX-License-Identifier: GPL-2.0-only
/* What both ends of migrate say: a text of others, whatever is in it. */
#include <string.h>

#include "migrate.h"
#include "unit.h"

static void becomes(const char *text, const char *expected)
{
	json_t *json = json_pack("{s:o}", "why", migrate_text(text));

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "why")), expected);
	json_decref(json);
}

static void any_text(void **state)
{
	(void)state;
	becomes("", "");
	becomes("/srv/data: No such file", "/srv/data: No such file");
	becomes("/srv/\xc3\xa4", "/srv/\xc3\xa4");
	becomes("/srv/\xc3", "/srv/?");
	becomes("\xff\x01\xc3\xa4", "?\x01??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text),
	};

	return unit_main("migrate_words", tests, NULL, NULL);
}
