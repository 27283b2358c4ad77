// SPDX-License-Identifier: GPL-2.0-only
/* Facts: the host that the service runs on. */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "base64.h"
#include "check.h"
#include "facts_parts.h"
#include "facts_read.h"
#include "run.h"
#include "scratch.h"

static char output[RUN_OUTPUT_MAX];

static json_t *read_image(const char *dir)
{
	unsigned char bytes[FACTS_CPU_MAX + 1];
	char path[sizeof(SCRATCH) + 16], *text = NULL;
	json_t *image = NULL;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/cpuinfo.img", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	if (n > 0 && n <= FACTS_CPU_MAX)
		text = base64_encode(bytes, n);
	if (text)
		image = json_string(text);
	free(text);
	if (fd >= 0)
		close(fd);
	return image;
}

/* What this processor can do, by criu's own word; NULL: it has none. */
static json_t *dump_cpu(const struct checks *c)
{
	char scratch[] = SCRATCH;
	json_t *image = NULL;
	int status = 0;
	sigset_t before;

	if (scratch_begin(scratch, &before) == 0 &&
	    cli_run((const char *[]){ c->criu, "cpuinfo", "dump", "--no-default-config",
				      "--images-dir", scratch, NULL },
		    NULL, CHECK_PATIENCE_MS, output, sizeof(output), &status) == 0 &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 0)
		image = read_image(scratch);
	scratch_end(scratch, &before);
	return image;
}

/* Any of them may answer for an address of this host (linux Documentation/networking/ip-sysctl,
 * arp_ignore). */
static json_t *macs(void)
{
	json_t *list = json_array();
	struct ifaddrs *all = NULL;

	getifaddrs(&all);
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_ll *ll = (const void *)i->ifa_addr;
		const unsigned char *m;
		char text[18];

		if (!ll || ll->sll_family != AF_PACKET || ll->sll_hatype != ARPHRD_ETHER ||
		    !(i->ifa_flags & IFF_UP) || json_array_size(list) == FACTS_MACS_MAX)
			continue;
		m = ll->sll_addr;
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2],
			 m[3], m[4], m[5]);
		json_array_append_new(list, json_string(text));
	}
	freeifaddrs(all);
	return list;
}

int facts_add_host(json_t *facts, char *error, size_t len)
{
	struct checks *c = calloc(1, sizeof(*c));
	struct utsname host;
	json_t *cpu;
	int ret = 0;

	if (!c)
		return facts_say(error, len, -ENOMEM, "no memory");
	uname(&host);
	check_criu(c);
	if (c->criu[0]) {
		cpu = dump_cpu(c);
		json_object_set_new(facts, "version", json_string(TAKEOVER_VERSION));
		json_object_set_new(facts, "criu", json_integer(c->criu_version));
		json_object_set_new(facts, "machine", json_string(host.machine));
		json_object_set_new(facts, "kernel", json_string(host.release));
		json_object_set_new(facts, "cpu", cpu ?: json_null());
		json_object_set_new(facts, "macs", macs());
	} else {
		ret = facts_say(error, len, -ENOENT, "criu: %s; %s", c->found[0].what,
				c->found[0].remedy);
	}
	free(c);
	return ret;
}
