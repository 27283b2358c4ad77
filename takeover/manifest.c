// SPDX-License-Identifier: GPL-2.0-only
/* The manifest as JSON, by jansson. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "manifest.h"

int takeover_manifest_init(struct takeover_manifest *manifest)
{
	unsigned char b[16];
	struct timespec ts;

	memset(manifest, 0, sizeof(*manifest));
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -errno;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(manifest->id, sizeof(manifest->id),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
	clock_gettime(CLOCK_REALTIME, &ts);
	manifest->epoch = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	return 0;
}

static json_t *macs_to_json(const unsigned char macs[][TAKEOVER_MAC_LEN], size_t n)
{
	json_t *list = json_array();
	char text[18];

	for (size_t i = 0; i < n; i++) {
		const unsigned char *b = macs[i];

		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2],
			 b[3], b[4], b[5]);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void add_secret(json_t *json, const struct takeover_manifest *m)
{
	char text[2 * TAKEOVER_SECRET_LEN + 1];

	for (size_t i = 0; i < TAKEOVER_SECRET_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", m->secret[i]);
	json_object_set_new(json, "secret", json_string(text));
	json_object_set_new(json, "source", macs_to_json(m->source, m->n_addresses));
}

static json_t *to_json(const struct takeover_manifest *m)
{
	json_t *addresses = json_array(), *json;
	char text[TAKEOVER_ADDRESS_STRLEN];

	for (size_t i = 0; i < m->n_addresses; i++)
		json_array_append_new(addresses, json_string(takeover_address_format(
							 &m->addresses[i], text, sizeof(text))));
	json = json_pack("{s:i, s:s, s:I, s:b, s:o, s:o}", "version", TAKEOVER_MANIFEST_VERSION,
			 "id", m->id, "epoch", (json_int_t)m->epoch, "withdrawn", m->withdrawn,
			 "addresses", addresses, "neighbours",
			 macs_to_json(m->neighbours, m->n_neighbours));
	if (json && m->translated)
		json_object_set_new(json, "translated", json_true());
	if (json && m->has_secret)
		add_secret(json, m);
	return json;
}

int takeover_manifest_format(const struct takeover_manifest *manifest, char **ret_text)
{
	json_t *json = to_json(manifest);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

	json_decref(json);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

int takeover_manifest_write(int dirfd, const struct takeover_manifest *manifest)
{
	static const char temporary[] = TAKEOVER_MANIFEST_NAME ".tmp";
	char *text = NULL;
	int ret, fd;

	ret = takeover_manifest_format(manifest, &text);
	if (ret < 0)
		return ret;
	unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		ret = -errno;
	} else {
		ssize_t n = write(fd, text, strlen(text));

		if (n != (ssize_t)strlen(text))
			ret = n < 0 ? -errno : -ENOSPC;
		/* Where NFS tells that the server has no room. */
		if (close(fd) < 0 && ret == 0)
			ret = -errno;
	}
	if (ret == 0 && renameat(dirfd, temporary, dirfd, TAKEOVER_MANIFEST_NAME) < 0)
		ret = -errno;
	if (ret < 0 && fd >= 0)
		unlinkat(dirfd, temporary, 0);
	free(text);
	return ret;
}

bool takeover_manifest_is_id(const char *id)
{
	if (strlen(id) != TAKEOVER_ID_STRLEN - 1)
		return false;
	for (int i = 0; i < TAKEOVER_ID_STRLEN - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? id[i] != '-' : !strchr("0123456789abcdef", id[i]))
			return false;
	}
	return true;
}

static bool read_mac(const json_t *json, unsigned char *b)
{
	const char *text = json_string_value(json);
	int end = 0;

	/* sscanf() would take signs and spaces, too. */
	return text && strlen(text) == 17 && strspn(text, "0123456789abcdefABCDEF:") == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &b[0], &b[1], &b[2], &b[3],
		      &b[4], &b[5], &end) == 6 &&
	       end == 17 && !(b[0] & 1);
}

static int read_secret(const json_t *json, struct takeover_manifest *m, const char **ret_wrong)
{
	const json_t *secret = json_object_get(json, "secret");
	const json_t *source = json_object_get(json, "source");
	const char *text = json_string_value(secret);

	if (!secret && !source)
		return 0;
	*ret_wrong = "secret: expected 32 digits like \"0f\"";
	if (!text || strlen(text) != 2 * TAKEOVER_SECRET_LEN ||
	    strspn(text, "0123456789abcdef") != 2 * TAKEOVER_SECRET_LEN)
		return -EINVAL;
	for (size_t i = 0; i < TAKEOVER_SECRET_LEN; i++)
		sscanf(text + 2 * i, "%2hhx", &m->secret[i]);
	*ret_wrong = "source: expected a unicast MAC for each address";
	if (json_array_size(source) != m->n_addresses)
		return -EINVAL;
	for (size_t i = 0; i < m->n_addresses; i++)
		if (!read_mac(json_array_get(source, i), m->source[i]))
			return -EINVAL;
	m->has_secret = true;
	return 0;
}

static int from_json(const json_t *json, struct takeover_manifest *m, const char **ret_wrong)
{
	const json_t *version = json_object_get(json, "version");
	const json_t *epoch = json_object_get(json, "epoch");
	const json_t *withdrawn = json_object_get(json, "withdrawn");
	const json_t *translated = json_object_get(json, "translated");
	const json_t *addresses = json_object_get(json, "addresses");
	const json_t *neighbours = json_object_get(json, "neighbours");
	const char *id = json_string_value(json_object_get(json, "id"));

	*ret_wrong = "version: expected 1; written by another version of this project, use the "
		     "same on both hosts";
	if (json_integer_value(version) != TAKEOVER_MANIFEST_VERSION)
		return -EPROTO;
	*ret_wrong = "id: expected a uuid";
	if (!id || !takeover_manifest_is_id(id))
		return -EINVAL;
	strcpy(m->id, id);
	*ret_wrong = "epoch: expected a positive number";
	if (!json_is_integer(epoch) || json_integer_value(epoch) <= 0)
		return -EINVAL;
	m->epoch = json_integer_value(epoch);
	*ret_wrong = "withdrawn: expected true or false";
	if (!json_is_boolean(withdrawn))
		return -EINVAL;
	m->withdrawn = json_is_true(withdrawn);
	*ret_wrong = "translated: expected true or false";
	if (translated && !json_is_boolean(translated))
		return -EINVAL;
	m->translated = json_is_true(translated);
	*ret_wrong = "addresses: expected 1 to 64 texts like \"192.0.2.100/24\"";
	m->n_addresses = json_array_size(addresses);
	if (m->n_addresses == 0 || m->n_addresses > TAKEOVER_ADDRESSES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < m->n_addresses; i++) {
		const char *text = json_string_value(json_array_get(addresses, i));

		if (!text || takeover_address_parse(text, &m->addresses[i]) < 0)
			return -EINVAL;
		for (size_t k = 0; k < i; k++)
			if (takeover_address_equal(&m->addresses[k], &m->addresses[i])) {
				*ret_wrong = "addresses: one is named twice, expected each once";
				return -EINVAL;
			}
	}
	*ret_wrong = "neighbours: expected at most 1024 unicast MACs like \"02:00:00:00:00:01\"";
	m->n_neighbours = json_array_size(neighbours);
	if (!json_is_array(neighbours) || m->n_neighbours > TAKEOVER_NEIGHBOURS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < m->n_neighbours; i++)
		if (!read_mac(json_array_get(neighbours, i), m->neighbours[i]))
			return -EINVAL;
	return read_secret(json, m, ret_wrong);
}

int takeover_manifest_parse(const char *text, size_t n, struct takeover_manifest **ret_manifest,
			    char *error, size_t len)
{
	static const char *const known[] = { "version",	   "id",	 "epoch",  "withdrawn",
					     "addresses",  "neighbours", "secret", "source",
					     "translated", NULL };
	const char *wrong = "no memory";
	struct takeover_manifest *m;
	json_t *json;
	int ret;

	ret = takeover_json_parse(text, n, TAKEOVER_MANIFEST_NAME, &json, error, len);
	if (ret < 0)
		return ret;
	m = calloc(1, sizeof(*m));
	ret = m ? from_json(json, m, &wrong) : -ENOMEM;
	if (ret < 0)
		snprintf(error, len, "%s: %s", TAKEOVER_MANIFEST_NAME, wrong);
	else
		ret = takeover_json_known(json, known, TAKEOVER_MANIFEST_NAME, error, len);
	json_decref(json);
	if (ret < 0) {
		free(m);
		return ret;
	}
	*ret_manifest = m;
	return 0;
}

int takeover_manifest_read(int dirfd, struct takeover_manifest **ret_manifest, char *error,
			   size_t len)
{
	char *text = NULL;
	ssize_t n;
	int ret;

	n = takeover_json_slurp(dirfd, TAKEOVER_MANIFEST_NAME, &text, error, len);
	if (n < 0)
		return n;
	ret = takeover_manifest_parse(text, n, ret_manifest, error, len);
	free(text);
	return ret;
}
