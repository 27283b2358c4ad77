/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts from another host: untrusted, every field checked and every list bounded. */
#ifndef FACTS_READ_H
#define FACTS_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "announce.h"
#include "config.h"

#define FACTS_FORMAT	 1
#define FACTS_ROOTS_MAX	 64
#define FACTS_TASKS_MAX	 16384
#define FACTS_IDS_MAX	 131072 /* tasks, threads, groups and sessions */
#define FACTS_FILES_MAX	 16384
#define FACTS_PORTS_MAX	 4096
#define FACTS_OTHERS_MAX 64
#define FACTS_MACS_MAX	 256
#define FACTS_CPU_MAX	 65536		    /* bytes of criu's cpuinfo.img */
#define FACTS_TEXT_MAX	 (16 * 1024 * 1024) /* bytes of JSON that ip-takeover judge reads */

struct facts_process {
	pid_t pid, root, group, session;
};

struct facts_file {
	const char *path, *type;
	uint64_t size;
	const char *build_id; /* "" when it has none */
};

struct facts_port {
	int protocol; /* IPPROTO_* */
	int family;   /* AF_UNSPEC: bound to all of both */
	unsigned char ip[16];
	bool wildcard;
	uint16_t port;
};

struct facts_other {
	const char *protocol, *address, *name;
	uint16_t port;
	pid_t pid;
};

/* Texts live as long as the JSON that was read. */
struct facts {
	const char *version, *machine, *kernel;
	unsigned int criu; /* 4.2 is 402 */
	unsigned char cpu[FACTS_CPU_MAX];
	size_t n_cpu; /* 0: none */
	unsigned char macs[FACTS_MACS_MAX][TAKEOVER_MAC_LEN];
	size_t n_macs;
	pid_t roots[FACTS_ROOTS_MAX];
	size_t n_roots;
	struct facts_process *processes;
	size_t n_processes;
	pid_t *ids; /* of tasks, threads, groups and sessions, sorted, each once */
	size_t n_ids;
	struct facts_file *files;
	size_t n_files;
	unsigned int files_unknown;
	bool own_mounts;
	bool container;	    /* container.h says more */
	const json_t *spec; /* its own, as long as the JSON lives */
	uint64_t memory;
	struct takeover_address addresses[TAKEOVER_ADDRESSES_MAX]; /* without a device */
	bool present[TAKEOVER_ADDRESSES_MAX];			   /* on the source */
	size_t n_addresses;
	struct facts_port *ports;
	size_t n_ports;
	struct facts_other others[FACTS_OTHERS_MAX];
	size_t n_others;
	unsigned int all_others, connections, strays;
	const char *stray;
	unsigned int user_timeout_ms, retries2;
};

/* What facts_collect() has made, perhaps on another host. Free with facts_free(). -EPROTO for
 * another format, -EINVAL: @error says which field is wrong and what was expected. */
int facts_read(const json_t *json, struct facts **ret_facts, char *error, size_t len);

/* NULL is fine. */
void facts_free(struct facts *facts);

#endif
