// SPDX-License-Identifier: GPL-2.0-only
/* The configuration, by libconfig. */
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

struct reader {
	const char *path;
	char *error;
	size_t len;
};

static int complain(const struct reader *r, const config_setting_t *s, const char *what)
{
	snprintf(r->error, r->len, "%s:%u: %s", r->path,
		 s ? (unsigned int)config_setting_source_line(s) : 0, what);
	return -EINVAL;
}

static int read_address(const struct reader *r, const config_setting_t *s,
			struct takeover_address *ret_address)
{
	const char *text, *device, *backend;
	struct takeover_address address;

	if (!config_setting_is_group(s) || !config_setting_lookup_string(s, "address", &text) ||
	    !config_setting_lookup_string(s, "device", &device))
		return complain(r, s,
				"expected { address = \"192.0.2.100/24\"; device = \"eth0\"; }");
	if (takeover_address_parse(text, &address) < 0)
		return complain(
			r, s, "address: expected one like \"192.0.2.100/24\" that a host can own");
	if (device[0] == '\0' || strlen(device) >= sizeof(address.device) || strchr(device, '/'))
		return complain(
			r, s, "device: expected the name of a network device, at most 15 letters");
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *name = config_setting_name(config_setting_get_elem(s, i));

		if (strcmp(name, "address") != 0 && strcmp(name, "device") != 0 &&
		    strcmp(name, "backend") != 0)
			return complain(r, config_setting_get_elem(s, i),
					"unknown setting; known are address, device, backend");
	}
	if (config_setting_get_member(s, "backend") &&
	    (!config_setting_lookup_string(s, "backend", &backend) || strcmp(backend, "garp") != 0))
		return complain(r, s, "backend: expected \"garp\"");
	strcpy(address.device, device);
	*ret_address = address;
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

static int read_all(const struct reader *r, const config_t *cfg, struct takeover_config *config)
{
	static const char *const known[] = { "addresses", "hold_packets", "hold_seconds",
					     "probe_ms",  "quiesce_ms",	  "other_processes" };
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
					"hold_seconds, probe_ms, quiesce_ms, other_processes");
	}
	if (!list || !config_setting_is_list(list) || config_setting_length(list) == 0 ||
	    config_setting_length(list) > TAKEOVER_ADDRESSES_MAX)
		return complain(r, list, "addresses: expected a list ( { ... }, ... ) of 1 to 64");
	for (int i = 0; ret == 0 && i < config_setting_length(list); i++) {
		const config_setting_t *s = config_setting_get_elem(list, i);

		ret = read_address(r, s, &config->addresses[config->n_addresses]);
		if (ret == 0 &&
		    takeover_config_find(config, &config->addresses[config->n_addresses]))
			ret = complain(r, s, "address: named twice");
		config->n_addresses++;
	}
	return ret ?: read_number(r, cfg, "hold_packets", 1, 1000000, &config->hold_packets) ?:
	       read_number(r, cfg, "hold_seconds", 1, 3600, &config->hold_seconds) ?:
	       read_number(r, cfg, "probe_ms", 1, 10000, &config->probe_ms) ?:
	       read_number(r, cfg, "quiesce_ms", 0, 10000, &config->quiesce_ms) ?:
	       read_others(r, cfg, &config->ignore_others);
}

static int check_owner(const struct reader *r, FILE *f)
{
	struct stat st;

	if (fstat(fileno(f), &st) < 0)
		return -errno;
	/* libconfig's scanner ends the process when it cannot read, as from a directory. */
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

int takeover_config_read(struct takeover_config *ret_config, char *error, size_t len)
{
	struct takeover_config config = {
		.hold_packets = 65536, .hold_seconds = 120, .probe_ms = 30, .quiesce_ms = 100
	};
	const char *env = secure_getenv(TAKEOVER_CONFIG_ENV);
	struct reader r = { env && *env ? env : TAKEOVER_CONFIG_PATH, error, len };
	config_t cfg;
	FILE *f;
	int ret;

	config_init(&cfg);
	f = fopen(r.path, "re");
	if (!f) {
		ret = -errno;
		snprintf(error, len, "%s: %s", r.path, strerror(-ret));
		goto out;
	}
	ret = check_owner(&r, f);
	if (ret < 0)
		goto out;
	if (config_read(&cfg, f) != CONFIG_TRUE) {
		snprintf(error, len, "%s:%d: %s", r.path, config_error_line(&cfg),
			 config_error_text(&cfg));
		ret = -EINVAL;
		goto out;
	}
	ret = read_all(&r, &cfg, &config);
	if (ret == 0)
		*ret_config = config;
out:
	if (f)
		fclose(f);
	config_destroy(&cfg);
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
