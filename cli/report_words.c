// SPDX-License-Identifier: GPL-2.0-only
/* The sums of a report, in words and in JSON. */
#include <stdio.h>

#include "report.h"

static const char *freeze_line(const struct report *r, char *buf, size_t len)
{
	if (r->froze)
		snprintf(buf, len, "frozen %.1f ms: criu %.1f ms, ours %.1f ms; %lld connections",
			 r->frozen_ms, r->criu_ms, r->ours_ms, (long long)r->connections);
	else if (r->untouched)
		snprintf(buf, len, "it was not frozen; %lld connections",
			 (long long)r->connections);
	else
		snprintf(buf, len, "how long it was frozen is not known; %lld connections",
			 (long long)r->connections);
	return buf;
}

static const char *clock_line(const struct report *r, char *buf, size_t len)
{
	if (r->copied)
		snprintf(buf, len, "it went on where it was");
	else if (!r->has_destination)
		snprintf(buf, len, "no record of the destination");
	else if (!r->aligned)
		snprintf(buf, len,
			 "the hosts' clocks are not aligned: the destination is shown as if it "
			 "had begun at once");
	else if (r->error_ms > 0)
		snprintf(buf, len, "clocks aligned to %.2f ms", r->error_ms);
	else
		snprintf(buf, len, "one clock for both");
	return buf;
}

static const char *images_line(const struct report *r, char *buf, size_t len)
{
	snprintf(buf, len,
		 "%.1f MiB sent ahead; of the images %.1f MiB were among them, %.1f MiB zeros, "
		 "%.1f MiB sent in the freeze, %lld files",
		 r->stored / 1048576.0, r->referred / 1048576.0, r->zeros / 1048576.0,
		 r->raw / 1048576.0, (long long)r->files);
	return buf;
}

const char *report_line(const struct report *r, size_t i, char *buf, size_t len)
{
	static const char *(*const lines[])(const struct report *r, char *buf, size_t len) = {
		freeze_line,
		clock_line,
		images_line,
	};
	size_t n = r->has_images ? 3 : 2;

	return i < n ? lines[i](r, buf, len) : NULL;
}

const char *report_packets(const struct report *r, enum report_host host, char *buf, size_t len)
{
	buf[0] = '\0';
	if (host == REPORT_SOURCE)
		snprintf(buf, len, "%lld packets held, %lld relayed", (long long)r->held[host],
			 (long long)r->relayed);
	else if (r->has_destination)
		snprintf(buf, len, "%lld packets held", (long long)r->held[host]);
	return buf;
}

json_t *report_json(const struct report *r, const json_t *record)
{
	json_t *json = json_copy((json_t *)record), *phases = json_array(), *sums;

	for (size_t i = 0; i < r->n_phases; i++) {
		const struct report_phase *p = &r->phases[i];

		json_array_append_new(phases,
				      json_pack("{s:s, s:s, s:f, s:f, s:b, s:b}", "host",
						p->host == REPORT_SOURCE ? "source" : "destination",
						"what", p->what, "begin_ms", p->begin_ms, "end_ms",
						p->end_ms, "criu", p->criu, "frozen", p->frozen));
	}
	sums = json_pack("{s:b, s:f, s:f}", "aligned", r->aligned, "clock_error_ms", r->error_ms,
			 "all_ms", r->all_ms);
	if (r->froze)
		json_object_update_new(sums,
				       json_pack("{s:f, s:f, s:f, s:f}", "frozen_at_ms",
						 r->frozen_at_ms, "frozen_ms", r->frozen_ms,
						 "criu_ms", r->criu_ms, "ours_ms", r->ours_ms));
	json_object_set_new(json, "phases", phases);
	json_object_set_new(json, "sums", sums);
	return json;
}
