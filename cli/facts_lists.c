// SPDX-License-Identifier: GPL-2.0-only
/* Facts from another host: files, addresses, sockets. */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "facts_fields.h"
#include "facts_lists.h"

#define TYPE_MAX   32
#define COUNT_MAX  100000000
#define MEMORY_MAX (1LL << 50)

const char *facts_read_files(const json_t *json, struct facts *f)
{
	static const char *const types[] = {
		"file", "directory", "character device", "block device", "fifo", "other", NULL
	};
	json_t *files = json_object_get(json, "files"), *file;
	json_int_t number;
	const char *path;
	size_t known;

	if (!json_is_object(files) || json_object_size(files) > FACTS_FILES_MAX)
		return "files: expected an object of at most 16384";
	f->files = calloc(json_object_size(files) ?: 1, sizeof(*f->files));
	if (!f->files)
		return "no memory";
	json_object_foreach(files, path, file)
	{
		struct facts_file *entry = &f->files[f->n_files];

		entry->path = path;
		entry->build_id = "";
		if (path[0] != '/' || strlen(path) >= PATH_MAX)
			return "files: expected absolute paths";
		if (!facts_text(file, "type", TYPE_MAX, false, &entry->type))
			return "files: type: expected a text";
		for (known = 0; types[known] && strcmp(types[known], entry->type) != 0; known++)
			;
		if (!types[known])
			return "files: type: expected one like \"file\"";
		if (known == 0 && !facts_number(file, "size", 0, LLONG_MAX, &number))
			return "files: size: expected a number";
		entry->size = known == 0 ? number : 0;
		if (json_object_get(file, "build_id") &&
		    (!facts_text(file, "build_id", 128, false, &entry->build_id) ||
		     strspn(entry->build_id, "0123456789abcdef") != strlen(entry->build_id)))
			return "files: build_id: expected hexadecimal digits";
		f->n_files++;
	}
	if (!facts_number(json, "files_unknown", 0, COUNT_MAX, &number))
		return "files_unknown: expected a number";
	f->files_unknown = number;
	if (!facts_boolean(json, "own_mounts", &f->own_mounts))
		return "own_mounts: expected true or false";
	if (!facts_number(json, "memory", 0, MEMORY_MAX, &number))
		return "memory: expected a number of bytes";
	f->memory = number;
	return NULL;
}

const char *facts_read_addresses(const json_t *json, struct facts *f)
{
	json_t *list;
	size_t n;

	if (!facts_list(json, "addresses", 0, TAKEOVER_ADDRESSES_MAX, &list, &n))
		return "addresses: expected at most 64";
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *text;

		if (!facts_text(entry, "address", TAKEOVER_ADDRESS_STRLEN, false, &text) ||
		    takeover_address_parse(text, &f->addresses[i]) < 0 ||
		    !facts_boolean(entry, "present", &f->present[i]))
			return "addresses: expected { \"address\": \"192.0.2.100/24\", "
			       "\"present\": "
			       "true }";
		for (size_t k = 0; k < i; k++)
			if (takeover_address_equal(&f->addresses[k], &f->addresses[i]))
				return "addresses: expected each once";
		f->n_addresses++;
	}
	return NULL;
}

static bool read_port(const json_t *json, struct facts_port *port)
{
	static const unsigned char nowhere[16];
	const char *protocol, *address;
	json_int_t number;

	if (!facts_text(json, "protocol", 3, false, &protocol) ||
	    !facts_text(json, "address", INET6_ADDRSTRLEN, false, &address) ||
	    !facts_number(json, "port", 1, 65535, &number))
		return false;
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return false;
	port->protocol = protocol[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	port->port = number;
	if (strcmp(address, "*") == 0)
		port->family = AF_UNSPEC;
	else if (inet_pton(AF_INET, address, port->ip) == 1)
		port->family = AF_INET;
	else if (inet_pton(AF_INET6, address, port->ip) == 1)
		port->family = AF_INET6;
	else
		return false;
	port->wildcard = memcmp(port->ip, nowhere, sizeof(nowhere)) == 0;
	return true;
}

const char *facts_read_sockets(const json_t *json, struct facts *f)
{
	json_int_t connections, strays;
	json_t *ports;
	size_t n;

	if (!facts_list(json, "ports", 0, FACTS_PORTS_MAX, &ports, &n))
		return "ports: expected at most 4096";
	f->ports = calloc(n ?: 1, sizeof(*f->ports));
	if (!f->ports)
		return "no memory";
	for (; f->n_ports < n; f->n_ports++)
		if (!read_port(json_array_get(ports, f->n_ports), &f->ports[f->n_ports]))
			return "ports: expected { \"protocol\": \"tcp\", \"address\": "
			       "\"192.0.2.100\", \"port\": 80 }";
	if (!facts_number(json, "connections", 0, COUNT_MAX, &connections))
		return "connections: expected a number";
	if (!facts_number(json, "strays", 0, COUNT_MAX, &strays) ||
	    !facts_text(json, "stray", INET6_ADDRSTRLEN, true, &f->stray))
		return "strays: expected a number, and one of them";
	f->connections = connections;
	f->strays = strays;
	return NULL;
}

const char *facts_read_others(const json_t *json, struct facts *f)
{
	json_int_t all, port, pid;
	json_t *others;
	size_t n;

	if (!facts_list(json, "others", 0, FACTS_OTHERS_MAX, &others, &n) ||
	    !facts_number(json, "n_others", n, COUNT_MAX, &all))
		return "others: expected at most 64, and their number";
	f->all_others = all;
	for (; f->n_others < n; f->n_others++) {
		struct facts_other *other = &f->others[f->n_others];
		const json_t *entry = json_array_get(others, f->n_others);

		if (!facts_text(entry, "protocol", 3, false, &other->protocol) ||
		    !facts_text(entry, "address", INET6_ADDRSTRLEN, false, &other->address) ||
		    !facts_text(entry, "name", TYPE_MAX, true, &other->name) ||
		    !facts_number(entry, "port", 0, 65535, &port) ||
		    !facts_number(entry, "pid", 1, INT_MAX, &pid))
			return "others: expected { \"protocol\", \"address\", \"port\", \"pid\", "
			       "\"name\" }";
		other->port = port;
		other->pid = pid;
	}
	return NULL;
}
