// SPDX-License-Identifier: GPL-2.0-only
/* Records of takeovers, and what is made of them: bars and pictures. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "report.h"

/* Nothing but what is printable gets to a terminal or into a picture. */
static void check_text(const struct report *r, void (*draw)(const struct report *r, FILE *f))
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	draw(r, f);
	fclose(f);
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	free(text);
}

static void print_ascii(const struct report *r, FILE *f)
{
	report_print(r, f, 80, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *record = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *json;
	char error[300] = "";
	struct report report;
	int ret;

	if (!record)
		return 0;
	ret = report_read(record, &report, error, sizeof(error));
	if (ret == 0) {
		assert(report.n_phases > 0 && report.n_phases <= REPORT_PHASES_MAX);
		for (size_t i = 0; i < report.n_phases; i++)
			assert(report.phases[i].begin_ms >= 0 &&
			       report.phases[i].begin_ms <= report.phases[i].end_ms &&
			       report.phases[i].end_ms <= report.all_ms);
		check_text(&report, print_ascii);
		check_text(&report, report_svg);
		json = report_json(&report, record);
		assert(json);
		json_decref(json);
	} else {
		assert(ret == -EINVAL && error[0]);
	}
	json_decref(record);
	return 0;
}
