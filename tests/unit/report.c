// SPDX-License-Identifier: GPL-2.0-only
/* Records of takeovers: phases on one axis; nothing in them is believed unseen. */
#include <errno.h>
#include <string.h>

#include "migrate_clock.h"
#include "report.h"
#include "unit.h"

#define ID	 "01234567-89ab-4def-8123-456789abcdef"
#define MS	 1000000LL
#define BEGIN_MS 1800000000000LL

static char error[300];

static void mark(json_t *list, const char *what, json_int_t ms, json_int_t offset_ns)
{
	json_array_append_new(list, json_pack("{s:I, s:s}", "at_ns",
					      (BEGIN_MS + ms) * MS + offset_ns, "what", what));
}

/* Frozen from 10 to 40 ms; the destination's clock is @offset_ns ahead. */
static json_t *whole(json_int_t offset_ns)
{
	json_t *s = json_array(), *d = json_array();

	mark(s, "started", 0, 0);
	mark(s, "prepared", 5, 0);
	mark(s, "frozen", 10, 0);
	mark(s, "withdraw", 16, 0);
	mark(s, "withdrawn", 17, 0);
	mark(d, "started", 20, offset_ns);
	mark(d, "prepared", 22, offset_ns);
	mark(d, "claim", 30, offset_ns);
	mark(d, "nobody else", 33, offset_ns);
	mark(d, "claimed", 34, offset_ns);
	mark(d, "release", 39, offset_ns);
	mark(d, "released", 40, offset_ns);
	return json_pack("{s:i, s:s, s:s, s:s, s:{s:s, s:i, s:i, s:i, s:o}, s:{s:s, s:i, s:o}}",
			 "report", REPORT_FORMAT, "id", ID, "from", "alpha", "to", "beta", "source",
			 "boot", "a", "held", 7, "relayed", 6, "connections", 5, "events", s,
			 "destination", "boot", "b", "held", 9, "events", d);
}

static int read_whole(json_t *record, struct report *r)
{
	int ret = report_read(record, r, error, sizeof(error));

	json_decref(record);
	return ret;
}

static void aligned_by_the_hand_shake(void **state)
{
	static const json_int_t offsets[] = { 0, 1, -5 * MS, 3600000 * MS, -3600000 * MS };
	struct report r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		json_t *record = whole(offsets[i]);

		json_object_set_new(
			record, "clock",
			json_pack("{s:I, s:i}", "offset_ns", offsets[i], "round_trip_ns", 200000));
		assert_int_equal(read_whole(record, &r), 0);
		assert_true(r.aligned && r.froze);
		assert_float_equal(r.error_ms, 0.1, 0.001);
		assert_float_equal(r.frozen_at_ms, 10, 0.001);
		assert_float_equal(r.frozen_ms, 30, 0.001);
		/* 6 of the dump, 8 of the restore, 5 until it asks to be released */
		assert_float_equal(r.criu_ms, 19, 0.001);
		assert_float_equal(r.ours_ms, 11, 0.001);
		assert_float_equal(r.all_ms, 40, 0.001);
		assert_int_equal(r.held[REPORT_SOURCE], 7);
		assert_int_equal(r.held[REPORT_DESTINATION], 9);
		assert_int_equal(r.relayed, 6);
		assert_int_equal(r.connections, 5);
		for (size_t k = 1; k < r.n_phases; k++)
			assert_true(r.phases[k].begin_ms >= r.phases[k - 1].begin_ms);
	}
}

static void not_aligned(void **state)
{
	struct report r;
	json_t *record;

	(void)state;
	assert_int_equal(read_whole(whole(77777 * MS), &r), 0);
	assert_false(r.aligned);
	assert_false(r.froze);
	record = whole(0);
	json_object_set_new(json_object_get(record, "destination"), "boot", json_string("a"));
	assert_int_equal(read_whole(record, &r), 0);
	assert_true(r.aligned && r.froze);
	assert_true(r.error_ms == 0);
	record = whole(0);
	json_object_del(record, "destination");
	assert_int_equal(read_whole(record, &r), 0);
	assert_false(r.has_destination);
	assert_false(r.froze);
}

/* The @part of the record has @json instead. */
static void refused(const char *part, const char *name, const char *json)
{
	json_t *record = whole(0);
	struct report r;

	json_object_set_new(part ? json_object_get(record, part) : record, name,
			    json_loads(json, JSON_DECODE_ANY, NULL));
	error[0] = '\0';
	assert_int_equal(read_whole(record, &r), -EINVAL);
	assert_true(error[0]);
	for (const char *c = error; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
}

static void what_is_no_record(void **state)
{
	(void)state;
	refused(NULL, "report", "2");
	refused(NULL, "report", "\"1\"");
	refused(NULL, "id", "\"../x\"");
	refused(NULL, "source", "[]");
	refused(NULL, "source", "null");
	refused(NULL, "destination", "7");
	refused("source", "events", "{}");
	refused("source", "events", "[]");
	refused("source", "events", "[7]");
	refused("source", "events", "[{\"at_ns\": -1, \"what\": \"started\"}]");
	refused("source", "events", "[{\"at_ns\": 1.5, \"what\": \"started\"}]");
	refused("source", "events", "[{\"at_ns\": 9223372036854775807, \"what\": \"started\"}]");
	refused("source", "steps", "[{\"at_ns\": 1, \"what\": \"\\u001b[2J\"}]");
	refused("source", "steps", "[{\"at_ns\": 1, \"what\": \"\"}]");
	refused("source", "events",
		"[{\"at_ns\": 2, \"what\": \"started\"}, {\"at_ns\": 1, \"what\": \"prepared\"}]");
	refused("source", "events",
		"[{\"at_ns\": 0, \"what\": \"started\"}, {\"at_ns\": 90000000000000, \"what\": "
		"\"prepared\"}]");
}

static void too_many_marks(void **state)
{
	json_t *record = whole(0), *events = json_array();
	struct report r;

	(void)state;
	for (int i = 0; i <= REPORT_MARKS_MAX; i++)
		mark(events, "started", i, 0);
	json_object_set_new(json_object_get(record, "destination"), "events", events);
	assert_int_equal(read_whole(record, &r), -EINVAL);
}

/* Names from the other host in a picture, and on a terminal. */
static void hostile_names(void **state)
{
	json_t *record = whole(0);
	char *text = NULL;
	struct report r;
	size_t len;
	FILE *f;

	(void)state;
	json_object_set_new(record, "to", json_string("<&\"\xc2\x9b]>"));
	json_object_set_new(record, "name", json_string("\x1b[2J"));
	assert_int_equal(read_whole(record, &r), 0);
	assert_string_equal(r.hosts[REPORT_DESTINATION], "<&\"??]>");
	assert_string_equal(r.name, "");
	f = open_memstream(&text, &len);
	report_svg(&r, f);
	fclose(f);
	assert_non_null(strstr(text, "&lt;&amp;\"??]&gt;"));
	assert_null(strstr(text, "<&"));
	free(text);
}

/* Of any width, no line is broken. */
static void bars_fit(void **state)
{
	static const int widths[] = { 0, 20, 60, 80, 132, 100000 };
	struct report r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		json_t *record = whole(0);
		size_t len, bar = 0;
		char *text = NULL;
		FILE *f;

		json_object_set_new(json_object_get(record, "destination"), "boot",
				    json_string("a"));
		assert_int_equal(read_whole(record, &r), 0);
		f = open_memstream(&text, &len);
		report_print(&r, f, widths[i], false);
		fclose(f);
		for (const char *c = text; *c;) {
			size_t n = strcspn(c, "\n");

			if (memchr(c, '#', n)) {
				bar++;
				if (widths[i] >= 60)
					assert_true(n <= (size_t)widths[i]);
			}
			c += n + (c[n] != '\0');
		}
		/* All phases, and the freeze as one */
		assert_int_equal(bar, r.n_phases + 1);
		free(text);
	}
}

static void clocks(void **state)
{
	struct clock_offset clock = { 0 };
	json_t *json = json_pack("{s:I, s:I}", "received_ns", (json_int_t)5100, "sent_ns",
				 (json_int_t)5200);

	(void)state;
	/* Theirs is 5000 ahead, and each way takes 100. */
	clock_take(&clock, 0, json, 300);
	assert_int_equal(clock.offset_ns, 5000);
	assert_int_equal(clock.round_trip_ns, 200);
	/* A worse one, and those that make no sense */
	clock_take(&clock, 0, json, 900);
	assert_int_equal(clock.round_trip_ns, 200);
	clock_take(&clock, 0, json, 50);
	assert_int_equal(clock.round_trip_ns, 200);
	json_object_set_new(json, "sent_ns", json_integer(5000));
	clock_take(&clock, 0, json, 150);
	json_object_set_new(json, "sent_ns", json_string("x"));
	clock_take(&clock, 0, json, 150);
	clock_take(&clock, 0, NULL, 150);
	assert_int_equal(clock.offset_ns, 5000);
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligned_by_the_hand_shake),
		cmocka_unit_test(not_aligned),
		cmocka_unit_test(what_is_no_record),
		cmocka_unit_test(too_many_marks),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(bars_fit),
		cmocka_unit_test(clocks),
	};

	return unit_main("report", tests, NULL, NULL);
}
