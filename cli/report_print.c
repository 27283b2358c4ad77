// SPDX-License-Identifier: GPL-2.0-only
/* A report for a terminal: bars on an axis, then the sums in words. */
#include <stdio.h>
#include <string.h>

#include "report.h"

#define HOST_LEAST 5
#define HOST_MOST  16
#define WHAT_WIDTH 18
#define REST_WIDTH 17 /* the figure and the gaps */
#define BAR_LEAST  10
#define BAR_MOST   160

struct axis {
	double begin_ms, end_ms;
	int left, width; /* of what stands before the bars, and of these */
	bool utf8;
};

static double place_of(const struct axis *axis, double ms)
{
	double all = axis->end_ms - axis->begin_ms;
	double at = all > 0 ? (ms - axis->begin_ms) / all * axis->width : 0;

	return at < 0 ? 0 : at > axis->width ? axis->width : at;
}

/* Each has a mark, however short it is. UTF-8 has blocks of eighths. */
static void bar(const struct axis *axis, double begin_ms, double end_ms, FILE *f)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	double begin = place_of(axis, begin_ms);
	int first = begin, n;

	if (first > axis->width - 1)
		first = axis->width - 1;
	n = (place_of(axis, end_ms) - first) * 8 + 0.5;
	if (n < 1)
		n = 1;
	fprintf(f, "%*s", first, "");
	if (!axis->utf8) {
		for (int i = 0; i < (n + 7) / 8; i++)
			putc('#', f);
		return;
	}
	for (int i = 0; i < n / 8; i++)
		fputs("█", f);
	fputs(eighths[n % 8], f);
}

static void line(const struct axis *axis, const char *host, const char *what, double begin_ms,
		 double end_ms, FILE *f)
{
	int host_width = axis->left - WHAT_WIDTH - REST_WIDTH;

	fprintf(f, "  %-*.*s %-*.*s %9.1f ms ", host_width, host_width, host, WHAT_WIDTH,
		WHAT_WIDTH, what, end_ms - begin_ms);
	bar(axis, begin_ms, end_ms, f);
	putc('\n', f);
}

static void head(const struct axis *axis, const char *title, FILE *f)
{
	char end[32];
	int n = snprintf(end, sizeof(end), "%.0f ms", axis->end_ms);

	fprintf(f, "%-*s %-*.0f%s\n", axis->left - 1, title, axis->width > n ? axis->width - n : 1,
		axis->begin_ms, end);
}

static int host_width(const struct report *r)
{
	size_t most = HOST_LEAST;

	for (int host = 0; host < REPORT_HOSTS; host++)
		if (strlen(r->hosts[host]) > most)
			most = strlen(r->hosts[host]);
	return most > HOST_MOST ? HOST_MOST : most;
}

void report_print(const struct report *r, FILE *f, int width, bool utf8)
{
	int left = host_width(r) + WHAT_WIDTH + REST_WIDTH;
	int room = width - left < BAR_LEAST  ? BAR_LEAST
		   : width - left > BAR_MOST ? BAR_MOST
					     : width - left;
	struct axis all = { 0, r->all_ms, left, room, utf8 };
	struct axis freeze = { r->frozen_at_ms, r->frozen_at_ms + r->frozen_ms, left, room, utf8 };
	bool drawn = !r->froze;
	char buf[400];

	fprintf(f, "%s%s%s%s%s\n\n", r->id, r->name[0] ? "  " : "", r->name,
		r->result[0] ? ": " : "", r->result);
	head(&all, "the whole", f);
	for (size_t i = 0; i < r->n_phases; i++) {
		const struct report_phase *p = &r->phases[i];

		if (!drawn && p->begin_ms >= r->frozen_at_ms) {
			line(&all, "both", "frozen", r->frozen_at_ms, freeze.end_ms, f);
			drawn = true;
		}
		if (!r->froze || !p->frozen)
			line(&all, r->hosts[p->host], p->what, p->begin_ms, p->end_ms, f);
	}
	if (r->froze) {
		putc('\n', f);
		head(&freeze, "the freeze", f);
		for (size_t i = 0; i < r->n_phases; i++)
			if (r->phases[i].frozen)
				line(&freeze, r->hosts[r->phases[i].host], r->phases[i].what,
				     r->phases[i].begin_ms, r->phases[i].end_ms, f);
	}
	putc('\n', f);
	for (size_t i = 0; report_line(r, i, buf, sizeof(buf)); i++)
		fprintf(f, "%s\n", buf);
	for (int host = 0; host < REPORT_HOSTS; host++)
		if (report_packets(r, host, buf, sizeof(buf))[0])
			fprintf(f, "%s: %s\n", r->hosts[host], buf);
}
