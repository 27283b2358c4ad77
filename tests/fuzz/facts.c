// SPDX-License-Identifier: GPL-2.0-only
/* Facts about a service from another host. */
#include <errno.h>
#include <limits.h>

#include "../../cli/base64.h"
#include "../../cli/facts_read.h"
#include "fuzz.h"
#include "json.h"

static void check_text(const char *text)
{
	assert(text && strlen(text) <= 128);
	for (; *text; text++)
		assert((unsigned char)*text >= ' ');
}

static void check_host(const struct facts *f)
{
	char *text = base64_encode(f->cpu, f->n_cpu);
	unsigned char again[FACTS_CPU_MAX];

	check_text(f->version);
	check_text(f->machine);
	check_text(f->kernel);
	assert(f->n_macs <= FACTS_MACS_MAX);
	for (size_t i = 0; i < f->n_macs; i++)
		assert(!(f->macs[i][0] & 1));
	assert(f->n_cpu <= FACTS_CPU_MAX);
	assert(base64_decode(text, again, sizeof(again)) == (ssize_t)f->n_cpu);
	assert(memcmp(again, f->cpu, f->n_cpu) == 0);
	free(text);
}

static void check_tasks(const struct facts *f)
{
	assert(f->n_roots >= 1 && f->n_roots <= FACTS_ROOTS_MAX);
	assert(f->n_processes >= 1 && f->n_processes <= FACTS_TASKS_MAX);
	assert(f->n_ids >= 1 && f->n_ids <= FACTS_IDS_MAX);
	for (size_t i = 0; i < f->n_processes; i++)
		assert(f->processes[i].pid > 1 && f->processes[i].root > 1 &&
		       f->processes[i].group >= 0 && f->processes[i].session >= 0);
	for (size_t i = 0; i < f->n_ids; i++)
		assert(f->ids[i] > 0 && (i == 0 || f->ids[i - 1] < f->ids[i]));
}

static void check_lists(const struct facts *f)
{
	assert(f->n_files <= FACTS_FILES_MAX);
	for (size_t i = 0; i < f->n_files; i++) {
		assert(f->files[i].path[0] == '/' && strlen(f->files[i].path) < PATH_MAX);
		check_text(f->files[i].type);
		check_text(f->files[i].build_id);
	}
	assert(f->n_addresses <= TAKEOVER_ADDRESSES_MAX);
	for (size_t i = 0; i < f->n_addresses; i++)
		fuzz_check_address(&f->addresses[i]);
	assert(f->n_ports <= FACTS_PORTS_MAX);
	for (size_t i = 0; i < f->n_ports; i++) {
		assert(f->ports[i].port > 0);
		assert(f->ports[i].family == AF_INET || f->ports[i].family == AF_INET6 ||
		       (f->ports[i].family == AF_UNSPEC && f->ports[i].wildcard));
	}
	assert(f->n_others <= FACTS_OTHERS_MAX && f->n_others <= f->all_others);
	for (size_t i = 0; i < f->n_others; i++) {
		check_text(f->others[i].name);
		check_text(f->others[i].address);
		assert(f->others[i].pid > 0);
	}
	check_text(f->stray);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts *f = NULL;
	char error[300] = "";
	json_t *json;
	int ret;

	if (takeover_json_parse((const char *)data, size, "facts", &json, error, sizeof(error)) < 0)
		return 0;
	ret = facts_read(json, &f, error, sizeof(error));
	if (ret < 0) {
		assert((ret == -EINVAL || ret == -EPROTO) && !f);
		fuzz_check_error(error, sizeof(error), "facts");
	} else {
		assert(ret == 0 && error[0] == '\0');
		check_host(f);
		check_tasks(f);
		check_lists(f);
		facts_free(f);
	}
	json_decref(json);
	return 0;
}
