// SPDX-License-Identifier: GPL-2.0-only
/* Facts as they come from another host. Nothing here looks at this one. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "facts_fields.h"
#include "facts_lists.h"
#include "facts_read.h"

#define VERSION_MAX 64

/* Each of these returns what is wrong with its fields, or NULL, as those of facts_lists.h do. */

static const char *read_host(const json_t *json, struct facts *f)
{
	const json_t *cpu = json_object_get(json, "cpu");
	json_int_t criu = 0;
	json_t *macs;
	ssize_t n = 0;

	if (!facts_text(json, "version", VERSION_MAX, false, &f->version))
		return "version: expected one like \"0.1\"";
	if (!facts_number(json, "criu", 1, INT_MAX, &criu))
		return "criu: expected a number, 402 for 4.2";
	f->criu = criu;
	if (!facts_text(json, "machine", VERSION_MAX, false, &f->machine))
		return "machine: expected one like \"x86_64\"";
	if (!facts_text(json, "kernel", VERSION_MAX * 2, false, &f->kernel))
		return "kernel: expected one like \"6.12.0\"";
	if (json_is_string(cpu))
		n = base64_decode(json_string_value(cpu), f->cpu, sizeof(f->cpu));
	if (n < 0 || (!json_is_null(cpu) && n == 0))
		return "cpu: expected null or criu's cpuinfo.img in base64";
	f->n_cpu = n;
	if (!facts_list(json, "macs", 0, FACTS_MACS_MAX, &macs, &f->n_macs))
		return "macs: expected at most 256";
	for (size_t i = 0; i < f->n_macs; i++)
		if (!facts_mac(json_array_get(macs, i), f->macs[i]))
			return "macs: expected unicast ones like \"02:00:00:00:00:01\"";
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_root(const struct facts *f, pid_t pid)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i] == pid)
			return true;
	return false;
}

/* A group or session of 0 began outside of the PID namespace. */
static const char *read_process(const json_t *json, struct facts *f, size_t i)
{
	json_int_t pid, root, group, session, thread;
	size_t n_threads;
	json_t *threads;

	if (!facts_number(json, "pid", 2, INT_MAX, &pid) ||
	    !facts_number(json, "root", 2, INT_MAX, &root) ||
	    !facts_number(json, "group", 0, INT_MAX, &group) ||
	    !facts_number(json, "session", 0, INT_MAX, &session) ||
	    !facts_list(json, "threads", 0, FACTS_IDS_MAX, &threads, &n_threads) ||
	    !is_root(f, root))
		return "tasks: expected { \"pid\", \"root\", \"group\", \"session\", \"threads\" }";
	if (f->n_ids + 3 + n_threads > FACTS_IDS_MAX)
		return "tasks: expected at most 131072 with their threads";
	f->processes[i] = (struct facts_process){ pid, root, group, session };
	f->ids[f->n_ids++] = pid;
	if (group > 0)
		f->ids[f->n_ids++] = group;
	if (session > 0)
		f->ids[f->n_ids++] = session;
	for (size_t k = 0; k < n_threads; k++) {
		thread = json_integer_value(json_array_get(threads, k));
		if (thread < 2 || thread > INT_MAX)
			return "threads: expected TIDs";
		f->ids[f->n_ids++] = thread;
	}
	return NULL;
}

/* Room for the IDs of @tasks, as far as they may be many. */
static pid_t *allocate_ids(const json_t *tasks)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(tasks) && n <= FACTS_IDS_MAX; i++)
		n += 3 + json_array_size(json_object_get(json_array_get(tasks, i), "threads"));
	return calloc(n < FACTS_IDS_MAX ? n : FACTS_IDS_MAX, sizeof(pid_t));
}

static const char *read_tasks(const json_t *json, struct facts *f)
{
	json_t *roots, *tasks;
	const char *wrong = NULL;
	size_t n = 0;

	if (!facts_list(json, "roots", 1, FACTS_ROOTS_MAX, &roots, &f->n_roots))
		return "roots: expected 1 to 64 PIDs";
	for (size_t i = 0; i < f->n_roots; i++) {
		json_int_t root = json_integer_value(json_array_get(roots, i));

		if (root < 2 || root > INT_MAX)
			return "roots: expected 1 to 64 PIDs";
		f->roots[i] = root;
	}
	if (!facts_list(json, "tasks", 1, FACTS_TASKS_MAX, &tasks, &f->n_processes))
		return "tasks: expected 1 to 16384";
	f->processes = calloc(f->n_processes, sizeof(*f->processes));
	f->ids = allocate_ids(tasks);
	if (!f->processes || !f->ids)
		return "no memory";
	for (size_t i = 0; !wrong && i < f->n_processes; i++)
		wrong = read_process(json_array_get(tasks, i), f, i);
	if (wrong)
		return wrong;
	qsort(f->ids, f->n_ids, sizeof(*f->ids), compare_ids);
	for (size_t i = 0; i < f->n_ids; i++)
		if (n == 0 || f->ids[n - 1] != f->ids[i])
			f->ids[n++] = f->ids[i];
	f->n_ids = n;
	return NULL;
}

static const char *read_patience(const json_t *json, struct facts *f)
{
	json_int_t timeout, retries;

	if (!facts_number(json, "user_timeout_ms", 0, INT_MAX, &timeout))
		return "user_timeout_ms: expected a number";
	if (!facts_number(json, "retries2", 0, 255, &retries))
		return "retries2: expected a number";
	f->user_timeout_ms = timeout;
	f->retries2 = retries;
	return NULL;
}

int facts_read(const json_t *json, struct facts **ret_facts, char *error, size_t len)
{
	static const char *(*const readers[])(const json_t *json, struct facts *f) = {
		read_host,	    read_tasks,	       facts_read_files, facts_read_addresses,
		facts_read_sockets, facts_read_others, read_patience,
	};
	const char *wrong = NULL;
	json_int_t format = 0;
	struct facts *f;

	if (!facts_number(json, "facts", 1, INT_MAX, &format)) {
		snprintf(error, len, "facts: expected what another ip-takeover has collected");
		return -EINVAL;
	}
	if (format != FACTS_FORMAT) {
		snprintf(error, len, "facts: of format %d, this ip-takeover knows %d", (int)format,
			 FACTS_FORMAT);
		return -EPROTO;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		wrong = "no memory";
	for (size_t i = 0; !wrong && i < sizeof(readers) / sizeof(readers[0]); i++)
		wrong = readers[i](json, f);
	if (!wrong)
		f->spec = json_object_get(json, "container");
	if (!wrong)
		f->container = f->spec != NULL;
	if (wrong) {
		snprintf(error, len, "facts: %s", wrong);
		facts_free(f);
		return -EINVAL;
	}
	*ret_facts = f;
	return 0;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	free(f->processes);
	free(f->ids);
	free(f->files);
	free(f->ports);
	free(f);
}
