// SPDX-License-Identifier: GPL-2.0-only
/* The configuration, by libconfig. */
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_backend.h"

#define CONFIG_MAX (256 * 1024)

struct reader {
	const char *path;
	char *error;
	size_t len;
};

static int complain(const struct reader *r, const config_setting_t *s, const char *what)
{
	if (s)
		snprintf(r->error, r->len, "%s:%u: %s", r->path,
			 (unsigned int)config_setting_source_line(s), what);
	else
		snprintf(r->error, r->len, "%s: %s", r->path, what);
	return -EINVAL;
}

/* In the order of enum takeover_backend_kind. */
static const struct takeover_config_backend garp = { .name = "garp" };
static const struct takeover_config_backend *const backends[] = {
	[TAKEOVER_BACKEND_GARP] = &garp,
	[TAKEOVER_BACKEND_KEEPALIVED] = &takeover_config_keepalived,
	[TAKEOVER_BACKEND_EXEC] = &takeover_config_exec,
};

/* Whether the list "one, two" has @name. */
static bool has(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; list && *list; list += strcspn(list, " "), list += *list == ' ')
		if (strncmp(list, name, len) == 0 && (list[len] == ',' || list[len] == '\0'))
			return true;
	return false;
}

static int read_backend(const struct reader *r, const config_setting_t *s,
			struct takeover_backend_settings *ret_backend)
{
	const config_setting_t *where = config_setting_get_member(s, "backend");
	const char *name = where ? config_setting_get_string(where) : "garp", *what = "";
	const size_t n = sizeof(backends) / sizeof(backends[0]);
	size_t kind = 0;

	while (name && kind < n && strcmp(name, backends[kind]->name) != 0)
		kind++;
	if (!name || kind == n)
		return complain(r, where, "backend: expected \"garp\", \"keepalived\" or \"exec\"");
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *member = config_setting_get_elem(s, i);

		if (!has("address, device, backend", config_setting_name(member)) &&
		    !has(backends[kind]->settings, config_setting_name(member)))
			return complain(r, member,
					"unknown setting; known are address, device, backend; with "
					"\"keepalived\" instance, track_file; with \"exec\" "
					"program, seconds");
	}
	ret_backend->kind = kind;
	if (backends[kind]->read && backends[kind]->read(s, ret_backend, &where, &what) < 0)
		return complain(r, where, what);
	return 0;
}

static int read_address(const struct reader *r, const config_setting_t *s,
			struct takeover_address *ret_address,
			struct takeover_backend_settings *ret_backend)
{
	struct takeover_backend_settings backend = { 0 };
	struct takeover_address address;
	const char *text, *device;
	int ret;

	if (!config_setting_is_group(s) || !config_setting_lookup_string(s, "address", &text) ||
	    !config_setting_lookup_string(s, "device", &device))
		return complain(r, s,
				"expected { address = \"192.0.2.100/24\"; device = \"eth0\"; }");
	if (takeover_address_parse(text, &address) < 0)
		return complain(
			r, config_setting_get_member(s, "address"),
			"address: expected one like \"192.0.2.100/24\" that a host can own");
	if (!takeover_address_is_device(device))
		return complain(
			r, config_setting_get_member(s, "device"),
			"device: expected the name of a network device, at most 15 letters");
	ret = read_backend(r, s, &backend);
	if (ret < 0)
		return ret;
	strcpy(address.device, device);
	*ret_address = address;
	*ret_backend = backend;
	return 0;
}

static int read_number(const struct reader *r, const config_t *cfg, const char *name, int min,
		       int max, uint32_t *number)
{
	const config_setting_t *s = config_lookup(cfg, name);
	char what[64];

	if (!s)
		return 0;
	if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < min ||
	    config_setting_get_int(s) > max) {
		snprintf(what, sizeof(what), "%s: expected a number from %d to %d", name, min, max);
		return complain(r, s, what);
	}
	*number = config_setting_get_int(s);
	return 0;
}

static int read_others(const struct reader *r, const config_t *cfg, bool *ignore)
{
	const config_setting_t *s = config_lookup(cfg, "other_processes");
	const char *text = s ? config_setting_get_string(s) : "refuse";

	if (!text || (strcmp(text, "refuse") != 0 && strcmp(text, "ignore") != 0))
		return complain(r, s, "other_processes: expected \"refuse\" or \"ignore\"");
	*ignore = strcmp(text, "ignore") == 0;
	return 0;
}

static int read_doubt(const struct reader *r, const config_t *cfg, enum takeover_in_doubt *policy)
{
	static const char *const names[] = { "wait", "go", "abort" };
	const config_setting_t *s = config_lookup(cfg, "in_doubt");
	const char *text = s ? config_setting_get_string(s) : "wait";

	for (int i = 0; text && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*policy = i;
			return 0;
		}
	return complain(r, s, "in_doubt: expected \"wait\", \"go\" or \"abort\"");
}

static int read_all(const struct reader *r, const config_t *cfg, struct takeover_config *config)
{
	static const char *const known[] = { "addresses",	   "hold_packets",
					     "hold_seconds",	   "probe_ms",
					     "quiesce_ms",	   "other_processes",
					     "in_doubt",	   "in_doubt_seconds",
					     "keepalived_seconds", "checkpoint_max_age" };
	const config_setting_t *root = config_root_setting(cfg);
	const config_setting_t *list = config_lookup(cfg, "addresses");
	int ret = 0;

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *s = config_setting_get_elem(root, i);
		bool found = false;

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			found |= strcmp(config_setting_name(s), known[k]) == 0;
		if (!found)
			return complain(r, s,
					"unknown setting; known are addresses, hold_packets, "
					"hold_seconds, probe_ms, quiesce_ms, other_processes, "
					"in_doubt, in_doubt_seconds, keepalived_seconds, "
					"checkpoint_max_age");
	}
	if (!list || !config_setting_is_list(list) || config_setting_length(list) == 0 ||
	    config_setting_length(list) > TAKEOVER_ADDRESSES_MAX)
		return complain(r, list, "addresses: expected a list ( { ... }, ... ) of 1 to 64");
	for (int i = 0; ret == 0 && i < config_setting_length(list); i++) {
		const config_setting_t *s = config_setting_get_elem(list, i);

		ret = read_address(r, s, &config->addresses[config->n_addresses],
				   &config->backends[config->n_addresses]);
		if (ret == 0 &&
		    takeover_config_find(config, &config->addresses[config->n_addresses]))
			ret = complain(r, s, "address: named twice");
		config->n_addresses++;
	}
	return ret ?: read_number(r, cfg, "hold_packets", 1, 1000000, &config->hold_packets) ?:
	       read_number(r, cfg, "hold_seconds", 1, 3600, &config->hold_seconds) ?:
	       read_number(r, cfg, "probe_ms", 1, 10000, &config->probe_ms) ?:
	       read_number(r, cfg, "quiesce_ms", 0, 10000, &config->quiesce_ms) ?:
	       read_number(r, cfg, "in_doubt_seconds", 1, 86400, &config->in_doubt_seconds) ?:
	       read_number(r, cfg, "keepalived_seconds", 1, 3600, &config->keepalived_seconds) ?:
	       read_number(r, cfg, "checkpoint_max_age", 1, 31536000,
			   &config->checkpoint_max_age) ?:
	       read_doubt(r, cfg, &config->in_doubt) ?: read_others(r, cfg, &config->ignore_others);
}

static int check_file(const struct reader *r, FILE *f)
{
	struct stat st;

	if (fstat(fileno(f), &st) < 0) {
		snprintf(r->error, r->len, "%s: %s", r->path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(r->error, r->len, "%s: expected a file", r->path);
		return -EINVAL;
	}
	if ((st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(r->error, r->len, "%s: others than root may write it; chown root, chmod 644",
		 r->path);
	return -EPERM;
}

/* What libconfig must not see: an end before the end, and a line that makes it read
 * another file (libconfig lib/scanner.l). */
static int check_text(const struct reader *r, const char *text, size_t n)
{
	const char *line = text, *end = text + n;

	for (int number = 1; line < end; number++) {
		const char *newline = memchr(line, '\n', end - line);
		size_t left = (newline ? newline : end) - line, blank = 0;
		const char *what = NULL;

		while (blank < left && (line[blank] == ' ' || line[blank] == '\t'))
			blank++;
		if (memchr(line, '\0', left))
			what = "a zero byte; expected text";
		else if (left - blank >= 8 && memcmp(line + blank, "@include", 8) == 0)
			what = "@include: expected all settings in this one file";
		if (what) {
			snprintf(r->error, r->len, "%s:%d: %s", r->path, number, what);
			return -EINVAL;
		}
		line += left + 1;
	}
	return 0;
}

int takeover_config_parse(const char *text, size_t n, const char *name,
			  struct takeover_config *ret_config, char *error, size_t len)
{
	struct takeover_config config = { .hold_packets = 65536,
					  .hold_seconds = 120,
					  .probe_ms = 30,
					  .quiesce_ms = 100,
					  .in_doubt_seconds = 60,
					  .checkpoint_max_age = 3600 };
	struct reader r = { name, error, len };
	char *copy;
	config_t cfg;
	int ret;

	ret = check_text(&r, text, n);
	if (ret < 0)
		return ret;
	copy = strndup(text, n);
	if (!copy) {
		snprintf(error, len, "%s: no memory", name);
		return -ENOMEM;
	}
	config_init(&cfg);
	if (config_read_string(&cfg, copy) == CONFIG_TRUE) {
		ret = read_all(&r, &cfg, &config);
	} else {
		snprintf(error, len,
			 "%s:%d: %s; expected NAME = VALUE; of each once, ip-takeover(8)", name,
			 config_error_line(&cfg), config_error_text(&cfg));
		ret = -EINVAL;
	}
	config_destroy(&cfg);
	free(copy);
	if (ret == 0)
		*ret_config = config;
	return ret;
}

int takeover_config_read(struct takeover_config *ret_config, char *error, size_t len)
{
	const char *env = secure_getenv(TAKEOVER_CONFIG_ENV);
	struct reader r = { env && *env ? env : TAKEOVER_CONFIG_PATH, error, len };
	char *text = NULL;
	size_t n;
	FILE *f;
	int fd, ret;

	/* A pipe would make us wait for ever. */
	fd = open(r.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		ret = -errno;
		snprintf(error, len, "%s: %s", r.path, strerror(-ret));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	ret = check_file(&r, f);
	if (ret < 0)
		goto out;
	text = malloc(CONFIG_MAX + 1);
	n = text ? fread(text, 1, CONFIG_MAX + 1, f) : 0;
	if (!text || ferror(f)) {
		ret = text ? -EIO : -ENOMEM;
		snprintf(error, len, "%s: %s", r.path, strerror(-ret));
	} else if (n > CONFIG_MAX) {
		ret = -EFBIG;
		snprintf(error, len, "%s: expected at most %d KiB", r.path, CONFIG_MAX / 1024);
	} else {
		ret = takeover_config_parse(text, n, r.path, ret_config, error, len);
	}
out:
	free(text);
	fclose(f);
	return ret;
}

const struct takeover_address *takeover_config_find(const struct takeover_config *config,
						    const struct takeover_address *address)
{
	for (size_t i = 0; i < config->n_addresses; i++)
		if (takeover_address_equal(&config->addresses[i], address))
			return &config->addresses[i];
	return NULL;
}

const struct takeover_backend_settings *
takeover_config_backend(const struct takeover_config *config,
			const struct takeover_address *address)
{
	static const struct takeover_backend_settings garp = { .kind = TAKEOVER_BACKEND_GARP };
	const struct takeover_address *own = takeover_config_find(config, address);

	return own ? &config->backends[own - config->addresses] : &garp;
}

int takeover_config_present(const struct takeover_config *config,
			    const struct takeover_address *address, bool *ret_present)
{
	struct takeover_address where = *address;

	if (takeover_config_backend(config, address)->kind == TAKEOVER_BACKEND_KEEPALIVED)
		where.device[0] = '\0';
	return takeover_address_present(&where, ret_present);
}
