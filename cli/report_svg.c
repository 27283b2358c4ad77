// SPDX-License-Identifier: GPL-2.0-only
/* A report as a picture: a row for each phase, in two lanes, one a host; once for the whole and
 * once for the freeze. Names left of the axis, figures right of the bars, so no two meet. */
#include <stdio.h>
#include <string.h>

#include "report.h"

#define WIDTH	   1000
#define AXIS_LEFT  260
#define AXIS_RIGHT 900
#define ROW	   22
#define MARGIN	   20
#define TICKS	   8
#define NAME_MAX_  22 /* of a host, in letters */

struct panel {
	const char *title;
	double begin_ms, end_ms;
	bool frozen; /* its phases are those of the freeze */
	int top;
};

static void text(FILE *f, int x, int y, const char *kind, const char *text, int most)
{
	fprintf(f, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, kind);
	for (const char *c = text; *c && c - text < most; c++)
		switch (*c) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		default:
			putc(*c, f);
		}
	fputs("</text>\n", f);
}

static double x_of(const struct panel *p, double ms)
{
	double all = p->end_ms - p->begin_ms;
	double x = AXIS_LEFT + (all > 0 ? (ms - p->begin_ms) / all * (AXIS_RIGHT - AXIS_LEFT) : 0);

	return x < AXIS_LEFT ? AXIS_LEFT : x > AXIS_RIGHT ? AXIS_RIGHT : x;
}

static bool is_in(const struct report *r, const struct panel *p, size_t i, enum report_host host)
{
	return r->phases[i].host == host && (!p->frozen || r->phases[i].frozen);
}

/* How many rows a lane has, with its heading. */
static int rows(const struct report *r, const struct panel *p, enum report_host host)
{
	int n = 1;

	for (size_t i = 0; i < r->n_phases; i++)
		n += is_in(r, p, i, host);
	return n;
}

static int height(const struct report *r, const struct panel *p)
{
	return (rows(r, p, REPORT_SOURCE) + rows(r, p, REPORT_DESTINATION) + 3) * ROW;
}

/* A step of 1, 2 or 5 times a power of ten, for TICKS of them at most. */
static double tick_of(double all)
{
	double step = 0.001;

	for (int i = 0; step * TICKS < all; i++)
		step *= i % 3 == 1 ? 2.5 : 2;
	return step;
}

static void axis(FILE *f, const struct panel *p, int bottom)
{
	double step = tick_of(p->end_ms - p->begin_ms);
	char label[32];

	for (int i = 0; i <= TICKS && i * step <= (p->end_ms - p->begin_ms) * 1.0001; i++) {
		double x = x_of(p, p->begin_ms + i * step);

		fprintf(f, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" class=\"grid\"/>\n",
			x, p->top + ROW, x, bottom);
		snprintf(label, sizeof(label), "%g ms", i * step);
		text(f, x, bottom + 14, "tick", label, sizeof(label));
	}
}

static void lane(FILE *f, const struct report *r, const struct panel *p, enum report_host host,
		 int top)
{
	int y = top + ROW;
	char label[200];

	text(f, MARGIN, top + 15, "host", r->hosts[host], NAME_MAX_);
	text(f, AXIS_LEFT, top + 15, "packets", report_packets(r, host, label, sizeof(label)), 100);
	for (size_t i = 0; i < r->n_phases; i++) {
		const struct report_phase *phase = &r->phases[i];
		double x = x_of(p, phase->begin_ms), end = x_of(p, phase->end_ms);

		if (!is_in(r, p, i, host))
			continue;
		text(f, MARGIN + 20, y + 15, "what", phase->what, 40);
		fprintf(f,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>\n",
			x, y + 3, end - x < 1 ? 1 : end - x, ROW - 6,
			phase->criu ? "criu" : "ours");
		snprintf(label, sizeof(label), "%.1f ms", phase->end_ms - phase->begin_ms);
		text(f, (end - x < 1 ? x + 1 : end) + 5, y + 15, "figure", label, 40);
		y += ROW;
	}
}

static void draw(FILE *f, const struct report *r, const struct panel *p)
{
	int middle = p->top + (1 + rows(r, p, REPORT_SOURCE)) * ROW;
	int bottom = middle + rows(r, p, REPORT_DESTINATION) * ROW;

	text(f, MARGIN, p->top + 15, "title", p->title, 60);
	if (r->froze) {
		double x = x_of(p, r->frozen_at_ms);
		double end = x_of(p, r->frozen_at_ms + r->frozen_ms);

		fprintf(f,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
			"class=\"frozen\"/>\n",
			x, p->top + ROW, end - x < 1 ? 1 : end - x, bottom - p->top - ROW);
	}
	axis(f, p, bottom);
	lane(f, r, p, REPORT_SOURCE, p->top + ROW);
	fprintf(f, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" class=\"lane\"/>\n", MARGIN,
		middle, WIDTH - MARGIN, middle);
	lane(f, r, p, REPORT_DESTINATION, middle);
}

/* What the colours mean, on the line @y. */
static void legend(FILE *f, int y)
{
	static const struct {
		const char *kind, *what;
	} all[] = { { "ours", "ours" }, { "criu", "criu" }, { "frozen", "frozen" } };

	for (int i = 0; i < 3; i++) {
		fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"12\" class=\"%s\"/>\n",
			AXIS_RIGHT - 230 + i * 100, y - 10, all[i].kind);
		text(f, AXIS_RIGHT - 210 + i * 100, y, "what", all[i].what, 10);
	}
}

static const char style[] =
	"<style>text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}"
	".host{font-weight:bold}.packets,.tick{font-size:11px;fill:#666}.tick{text-anchor:middle}"
	".figure{font-size:11px}.ours{fill:#3465a4}.criu{fill:#c17d11}.frozen{fill:#cfe3f7}"
	".grid{stroke:#c4ccd4}.lane{stroke:#999}</style>\n";

void report_svg(const struct report *r, FILE *f)
{
	struct panel whole = { "The whole", 0, r->all_ms, false, 0 };
	struct panel freeze = { "The freeze", r->frozen_at_ms, r->frozen_at_ms + r->frozen_ms, true,
				0 };
	char buf[600];
	int y = MARGIN, lines = 1, all;

	while (report_line(r, lines - 1, buf, sizeof(buf)))
		lines++;
	whole.top = MARGIN + lines * ROW + ROW / 2;
	freeze.top = whole.top + height(r, &whole);
	all = freeze.top + (r->froze ? height(r, &freeze) : 0) + MARGIN;
	fprintf(f,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n%s<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		WIDTH, all, WIDTH, all, style, WIDTH, all);
	snprintf(buf, sizeof(buf), "%s%s%s%s%s", r->name[0] ? r->name : r->id,
		 r->name[0] ? "  " : "", r->name[0] ? r->id : "", r->result[0] ? ": " : "",
		 r->result);
	text(f, MARGIN, y + 15, "title", buf, 100);
	for (size_t i = 0; report_line(r, i, buf, sizeof(buf)); i++)
		text(f, MARGIN, (y += ROW) + 15, "what", buf, 150);
	legend(f, whole.top + 12);
	draw(f, r, &whole);
	if (r->froze)
		draw(f, r, &freeze);
	fputs("</svg>\n", f);
}
