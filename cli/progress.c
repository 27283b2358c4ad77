// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"
#include "progress.h"

#define EVERY_MS 100
#define WIDTH	 78
#define HELD_MAX 4096 /* PIPE_BUF: a pipe that takes anything takes this */

static struct {
	bool verbose, quiet, json, terminal;
	bool drawn; /* a line that is to be replaced */
	const char *step;
	long step_ms, shown_ms;
	uint64_t at_step, bytes, all;
	bool frozen; /* the service, which does not wait for whoever reads what we say */
	char held[HELD_MAX + 1];
	size_t n_held;
} p;

/* To stdout, in order; while the service is frozen only when that does not block. */
static void put(const char *text)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t len = strlen(text);

	if (p.frozen && p.n_held + len <= HELD_MAX) {
		memcpy(p.held + p.n_held, text, len);
		p.n_held += len;
		text = "";
	}
	if (p.frozen && poll(&pfd, 1, 0) != 1)
		return;
	fwrite(p.held, 1, p.n_held, stdout);
	if (!p.frozen)
		fputs(text, stdout);
	fflush(stdout);
	p.n_held = 0;
}

void progress_open(const struct migrate_options *o)
{
	p.verbose = o->verbose;
	p.quiet = o->quiet;
	p.json = o->json;
	p.terminal = !o->quiet && !o->json && isatty(STDOUT_FILENO);
	p.step = "";
}

static void clear(void)
{
	char line[WIDTH + 8];

	if (p.drawn) {
		snprintf(line, sizeof(line), "\r%*s\r", WIDTH, "");
		put(line);
	}
	p.drawn = false;
}

/* Bytes a second, since the step began. */
static double rate(void)
{
	long ms = takeover_now_ms() - p.step_ms;

	return ms > 0 ? (p.bytes - p.at_step) * 1000.0 / ms : 0;
}

static void draw(bool sending)
{
	char line[WIDTH + 1], text[WIDTH + 8];

	if (sending)
		snprintf(line, sizeof(line), "%-10s %6.0f of about %.0f MiB %8.1f MiB/s", p.step,
			 p.bytes / 1048576.0, p.all / 1048576.0, rate() / 1048576.0);
	else if (p.bytes > 0)
		snprintf(line, sizeof(line), "%-10s %6.0f MiB are there", p.step,
			 p.bytes / 1048576.0);
	else
		snprintf(line, sizeof(line), "%s", p.step);
	snprintf(text, sizeof(text), "\r%-*s", WIDTH, line);
	put(text);
	p.drawn = true;
}

void progress_event(const char *event, json_t *more)
{
	json_t *json = more ?: json_object();
	struct timespec ts;

	if (p.json && json) {
		char *text, *line;

		clock_gettime(CLOCK_REALTIME, &ts);
		json_object_set_new(json, "event", json_string(event));
		json_object_set_new(json, "at", json_real(ts.tv_sec + ts.tv_nsec / 1e9));
		text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(16));
		if (text && asprintf(&line, "%s\n", text) > 0) {
			put(line);
			free(line);
		}
		free(text);
	}
	json_decref(json);
}

void progress_step(enum migrate_step step)
{
	p.frozen = step >= STEP_DUMP && step <= STEP_COMMITTED;
	p.step = migrate_step_name(step);
	p.step_ms = takeover_now_ms();
	p.at_step = p.bytes;
	p.shown_ms = 0;
	progress_event("step", json_pack("{s:s}", "step", p.step));
	if (p.terminal)
		draw(false);
	else if (p.verbose)
		progress_say("%s", p.step);
}

void progress_bytes(uint64_t bytes, uint64_t all)
{
	long now = takeover_now_ms();

	p.bytes = bytes;
	p.all = all > bytes ? all : bytes;
	if (now - p.shown_ms < EVERY_MS)
		return;
	p.shown_ms = now;
	progress_event("bytes", json_pack("{s:I, s:I, s:f}", "bytes", (json_int_t)bytes, "of",
					  (json_int_t)p.all, "rate", rate()));
	if (p.terminal)
		draw(true);
}

void progress_say(const char *format, ...)
{
	va_list args;

	char *text, *line;

	if (p.quiet || p.json)
		return;
	clear();
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text && asprintf(&line, "%s\n", text) > 0) {
		put(line);
		free(line);
	}
	free(text);
}

void progress_error(const char *format, ...)
{
	va_list args;

	p.frozen = false;
	put("");
	clear();
	fprintf(stderr, "ip-takeover: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
}

static void print_finding(FILE *f, const char *host, const char *state, const struct check *found)
{
	fprintf(f, "%-7s  %-8s  %-20s  %s\n", state, host, found->name, found->what);
	if (found->remedy[0])
		fprintf(f, "%-7s  %-8s  %-20s  -> %s\n", "", "", "", found->remedy);
}

void progress_findings(const char *host, const struct checks *c, bool all)
{
	static const char *const states[] = { "ok", "warning", "no" };

	clear();
	for (size_t i = 0; i < c->n; i++) {
		const struct check *found = &c->found[i];
		const char *state = states[found->state];

		progress_event("finding", json_pack("{s:s, s:s, s:s, s:s, s:s}", "host", host,
						    "name", found->name, "state", state, "what",
						    found->what, "remedy", found->remedy));
		if (p.json || (p.quiet && found->state != CHECK_NO) ||
		    (!all && found->state == CHECK_OK))
			continue;
		print_finding(p.quiet ? stderr : stdout, host, state, found);
	}
	fflush(stdout);
}
