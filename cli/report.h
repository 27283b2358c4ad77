/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a takeover has taken, phase by phase on either host. A record is JSON:
 *
 *   report 1, id, name, pid, from, to, result
 *   clock   { offset_ns, round_trip_ns }              migrate's; NULL of plain criu
 *   images  { stored, referred, zeros, raw, files }   the same
 *   source, destination
 *           { host, boot, held, relayed, connections, events and steps: [{ at_ns, what }] }
 *
 * What comes from the other host, or lies in a directory of images, is not trusted: texts are
 * bounded and printable, numbers and lists bounded.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The last step of a move that has failed before its keeper began. */
#define REPORT_FAILED "failed"

#define REPORT_DIR	  "/var/lib/ip-takeover/reports"
#define REPORT_KEPT	  100
#define REPORT_FORMAT	  1
#define REPORT_PHASES_MAX 32
#define REPORT_MARKS_MAX  128
#define REPORT_TEXT_MAX	  64
#define REPORT_ID_STRLEN  37

enum report_host { REPORT_SOURCE, REPORT_DESTINATION, REPORT_HOSTS };

struct report_phase {
	enum report_host host;
	const char *what;
	double begin_ms, end_ms; /* since the beginning of the first one */
	bool criu;		 /* its own work, not ours */
	bool frozen;		 /* within the freeze */
};

struct report {
	char id[REPORT_ID_STRLEN], name[REPORT_TEXT_MAX], result[REPORT_TEXT_MAX * 4];
	char hosts[REPORT_HOSTS][REPORT_TEXT_MAX];
	int pid;
	int64_t began_ns; /* by the source's clock */
	struct report_phase phases[REPORT_PHASES_MAX];
	size_t n_phases;
	double all_ms;
	bool aligned; /* the hosts' clocks; else the destination is shown as if it began at once */
	double error_ms;
	bool untouched; /* no keeper had begun */
	bool copied;	/* by a checkpoint: there is no destination */
	bool froze;	/* and the time of it is known */
	double frozen_at_ms, frozen_ms;
	double criu_ms, ours_ms; /* of frozen_ms */
	bool has_images, has_destination;
	json_int_t stored, referred, zeros, raw, files;
	json_int_t held[REPORT_HOSTS], relayed, connections;
};

/* One host's part of a record, made of what is not trusted; NULL: @error says what is wrong. */
json_t *report_side(const json_t *untrusted, char *error, size_t len);

/* A record. -EINVAL: @error says what is wrong. */
int report_read(const json_t *record, struct report *ret_report, char *error, size_t len);

void report_print(const struct report *report, FILE *f, int width, bool utf8);
void report_svg(const struct report *report, FILE *f);
/* @record with what was read from it: "phases", "sums". */
json_t *report_json(const struct report *report, const json_t *record);

/* "123 packets held, 100 relayed" and the like, the sums of one host; "" when there are none. */
const char *report_packets(const struct report *report, enum report_host host, char *buf,
			   size_t len);

/* Lines about the freeze, the memory and the clocks, the @i-th; NULL after the last. */
const char *report_line(const struct report *report, size_t i, char *buf, size_t len);

/* Keep @record in REPORT_DIR, and the newest REPORT_KEPT of all. */
int report_save(const json_t *record);

/* The last record that was saved; with @id the one whose id begins so. -ENOENT: none, -EEXIST:
 * several; @error says it. */
int report_load(const char *id, json_t **ret_record, char *error, size_t len);

/* From the records that keepers have left in the directory of images @path. */
int report_load_images(const char *path, json_t **ret_record, char *error, size_t len);

int cli_report(int argc, char **argv);

#endif
