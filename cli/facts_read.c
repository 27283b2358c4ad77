// SPDX-License-Identifier: GPL-2.0-only
/* Facts as they come from another host. Nothing here looks at this one. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "facts_fields.h"
#include "facts_read.h"

#define COUNT_MAX   100000000
#define MEMORY_MAX  (1LL << 50)
#define VERSION_MAX 64

/* Each of these returns what is wrong with its fields, or NULL. */

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
	f->ids = calloc(FACTS_IDS_MAX, sizeof(*f->ids));
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

static const char *read_files(const json_t *json, struct facts *f)
{
	static const char *const types[] = { "file", "directory", "character device",
					     "block device", "fifo", "other", NULL };
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
		if (!facts_text(file, "type", VERSION_MAX, false, &entry->type))
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

static const char *read_addresses(const json_t *json, struct facts *f)
{
	json_t *list;
	size_t n;

	if (!facts_list(json, "addresses", 0, TAKEOVER_ADDRESSES_MAX, &list, &n))
		return "addresses: expected at most 64";
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *text;

		if (!facts_text(entry, "address", VERSION_MAX, false, &text) ||
		    takeover_address_parse(text, &f->addresses[i]) < 0 ||
		    !facts_boolean(entry, "present", &f->present[i]))
			return "addresses: expected { \"address\": \"192.0.2.100/24\", \"present\": "
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

static const char *read_sockets(const json_t *json, struct facts *f)
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

static const char *read_others(const json_t *json, struct facts *f)
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
		    !facts_text(entry, "name", VERSION_MAX, true, &other->name) ||
		    !facts_number(entry, "port", 0, 65535, &port) ||
		    !facts_number(entry, "pid", 1, INT_MAX, &pid))
			return "others: expected { \"protocol\", \"address\", \"port\", \"pid\", "
			       "\"name\" }";
		other->port = port;
		other->pid = pid;
	}
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
		read_host,    read_tasks,  read_files,	 read_addresses,
		read_sockets, read_others, read_patience,
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
