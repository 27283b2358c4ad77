// SPDX-License-Identifier: GPL-2.0-only
/* Configurations. */
#include <errno.h>
#include <stdio.h>

#include "config.h"
#include "fuzz.h"

#define NAME "/etc/x.conf"

static void check_fields(const struct takeover_config *c)
{
	assert(c->n_addresses >= 1 && c->n_addresses <= TAKEOVER_ADDRESSES_MAX);
	assert(c->hold_packets >= 1 && c->hold_packets <= 1000000);
	assert(c->hold_seconds >= 1 && c->hold_seconds <= 3600);
	assert(c->probe_ms >= 1 && c->probe_ms <= 10000);
	assert(c->quiesce_ms <= 10000);
	for (size_t i = 0; i < c->n_addresses; i++) {
		fuzz_check_address(&c->addresses[i]);
		assert(takeover_address_is_device(c->addresses[i].device));
		assert(takeover_config_find(c, &c->addresses[i]) == &c->addresses[i]);
		if (c->backends[i].kind != TAKEOVER_BACKEND_EXEC)
			continue;
		assert(c->backends[i].program[0] == '/');
		assert(c->backends[i].seconds >= 1 && c->backends[i].seconds <= 10);
	}
}

/* A text in libconfig's way: a device's name may contain what it would take for an escape. */
static void put_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	fputc('"', f);
}

/* Written down and read again it is the same. */
static void check_again(const struct takeover_config *c)
{
	char address[TAKEOVER_ADDRESS_STRLEN], error[200], *text = NULL;
	struct takeover_config again;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert(f);
	fprintf(f, "addresses = (");
	for (size_t i = 0; i < c->n_addresses; i++) {
		fprintf(f, "%s{ address = \"%s\"; device = ", i ? "," : "",
			takeover_address_format(&c->addresses[i], address, sizeof(address)));
		put_text(f, c->addresses[i].device);
		if (c->backends[i].kind == TAKEOVER_BACKEND_EXEC) {
			fprintf(f, "; backend = \"exec\"; seconds = %u; program = ",
				c->backends[i].seconds);
			put_text(f, c->backends[i].program);
		}
		fprintf(f, "; }");
	}
	fprintf(f,
		");\nhold_packets = %u; hold_seconds = %u; probe_ms = %u; quiesce_ms = %u;\n"
		"other_processes = \"%s\";\n",
		c->hold_packets, c->hold_seconds, c->probe_ms, c->quiesce_ms,
		c->ignore_others ? "ignore" : "refuse");
	fclose(f);
	assert(takeover_config_parse(text, n, NAME, &again, error, sizeof(error)) == 0);
	free(text);
	assert(again.n_addresses == c->n_addresses);
	for (size_t i = 0; i < c->n_addresses; i++) {
		assert(takeover_address_equal(&again.addresses[i], &c->addresses[i]));
		assert(again.addresses[i].prefixlen == c->addresses[i].prefixlen);
		assert(strcmp(again.addresses[i].device, c->addresses[i].device) == 0);
		assert(again.backends[i].kind == c->backends[i].kind);
		assert(strcmp(again.backends[i].program, c->backends[i].program) == 0);
		assert(again.backends[i].seconds == c->backends[i].seconds);
	}
	assert(again.hold_packets == c->hold_packets && again.hold_seconds == c->hold_seconds);
	assert(again.probe_ms == c->probe_ms && again.quiesce_ms == c->quiesce_ms);
	assert(again.ignore_others == c->ignore_others);
}

/* libconfig's own, before 1.7.3: its parser forgets a string, be it empty, where the grammar
 * has no place for one (lib/grammar.y, no %destructor). */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct takeover_config config = { .n_addresses = 77 };
	char error[200] = "";
	int ret;

	ret = takeover_config_parse((const char *)data, size, NAME, &config, error, sizeof(error));
	if (ret < 0) {
		assert(ret == -EINVAL && config.n_addresses == 77);
		fuzz_check_error(error, sizeof(error), NAME);
		return 0;
	}
	assert(ret == 0 && error[0] == '\0');
	check_fields(&config);
	check_again(&config);
	return 0;
}
