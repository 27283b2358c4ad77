// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover arm: the next dump of this container, by its runtime's own command, is a takeover. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "armed.h"
#include "cli.h"
#include "container.h"
#include "inner.h"
#include "tasks.h"

#define SECONDS	    300
#define SECONDS_MAX 86400

struct arm {
	const char *runtime, *container;
	pid_t pid;
	long seconds;
	bool off;
};

static int usage(void)
{
	fprintf(stderr,
		"usage: ip-takeover arm --docker NAME|--podman NAME|--runc ID|--crun ID|--pid PID "
		"[--for SECONDS | --off]\n");
	return 2;
}

static bool number(const char *text, long max, long *ret_number)
{
	char *end;

	*ret_number = strtol(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret_number >= 1 &&
	       *ret_number <= max;
}

static bool read_options(int argc, char **argv, struct arm *a)
{
	static const struct option options[] = {
		{ "docker", required_argument, NULL, 'D' },
		{ "podman", required_argument, NULL, 'D' },
		{ "runc", required_argument, NULL, 'D' },
		{ "crun", required_argument, NULL, 'D' },
		{ "pid", required_argument, NULL, 'p' },
		{ "for", required_argument, NULL, 'f' },
		{ "off", no_argument, NULL, 'o' },
		{ 0 },
	};
	int opt, at = 0, targets = 0;
	long n = 0;

	while ((opt = getopt_long(argc, argv, "", options, &at)) != -1)
		switch (opt) {
		case 'D':
			a->runtime = options[at].name;
			a->container = optarg;
			targets++;
			break;
		case 'p':
			if (!number(optarg, 1 << 22, &n))
				return false;
			a->pid = n;
			targets++;
			break;
		case 'f':
			if (!number(optarg, SECONDS_MAX, &a->seconds))
				return false;
			break;
		case 'o':
			a->off = true;
			break;
		default:
			return false;
		}
	return optind == argc && targets == 1;
}

static int find(struct arm *a, char *error, size_t len)
{
	const struct runtime *runtime = runtime_find(a->runtime);
	struct container c;
	int ret = 0;

	if (a->container && !runtime) {
		snprintf(error, len, "--%s: not yet", a->runtime);
		return -ENOTSUP;
	}
	if (a->container) {
		ret = runtime->find(a->container, &c, error, len);
		if (ret < 0)
			return ret;
		a->pid = c.pid;
		ret = container_look_inside(&c, error, len);
		container_forget(&c);
		if (ret < 0)
			return ret;
	}
	if (takeover_request_started(a->pid) == 0) {
		snprintf(error, len, "there is no process with PID %d", (int)a->pid);
		ret = -ESRCH;
	}
	return ret;
}

int cli_arm(int argc, char **argv)
{
	struct arm a = { .seconds = SECONDS };
	struct takeover_armed armed = { 0 };
	char error[400], name[TAKEOVER_ARMED_NAME_LEN], comm[32];
	int ret;

	if (!read_options(argc, argv, &a))
		return usage();
	ret = find(&a, error, sizeof(error));
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return 1;
	}
	takeover_armed_root(a.pid, name, sizeof(name));
	takeover_task_name(a.pid, comm, sizeof(comm));
	if (a.off) {
		takeover_disarm(name);
		printf("%s (%d): a dump of it leaves its addresses here\n", comm, (int)a.pid);
		return 0;
	}
	if (takeover_armed_find(name, &armed) == 0 && armed.mover > 0) {
		fprintf(stderr, "ip-takeover: ip-takeover migrate (pid %d) is about to move it\n",
			(int)armed.mover);
		return 1;
	}
	armed = (struct takeover_armed){ .until_s = takeover_armed_now() + a.seconds };
	snprintf(armed.published, sizeof(armed.published), "%s",
		 getenv(TAKEOVER_PUBLISHED_ENV) ?: "");
	ret = takeover_arm(name, &armed);
	if (ret < 0) {
		fprintf(stderr, "ip-takeover: cannot write into " TAKEOVER_RUN_DIR ": %s\n",
			strerror(-ret));
		return 1;
	}
	printf("%s (%d): the next dump of it within %ld s takes its addresses off this host\n",
	       comm, (int)a.pid, a.seconds);
	return 0;
}
