// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli.h"
#include "facts.h"
#include "facts_parts.h"
#include "facts_read.h"
#include "inner.h"
#include "netns.h"

int facts_say(char *error, size_t len, int ret, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, len, format, ap);
	va_end(ap);
	return ret;
}

/* All of @pids at once; -1 for one that is gone. */
static void open_roots(const pid_t *pids, size_t n, struct pollfd *pfds)
{
	for (size_t i = 0; i < n; i++)
		pfds[i] = (struct pollfd){ .fd = syscall(SYS_pidfd_open, pids[i], 0),
					   .events = POLLIN };
}

/* A PID that has been used again would mix two processes' facts. */
static int check_alive(const pid_t *pids, size_t n, struct pollfd *pfds, char *error, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (pfds[i].fd < 0 || poll(&pfds[i], 1, 0) != 0)
			return facts_say(error, len, -ESRCH, "PID %d has ended meanwhile",
					 (int)pids[i]);
	return 0;
}

static int collect(const struct facts_tree *tree, json_t *facts, char *error, size_t len)
{
	struct takeover_config config;
	json_t *roots = json_array();
	int ret;

	json_object_set_new(facts, "facts", json_integer(FACTS_FORMAT));
	json_object_set_new(facts, "roots", roots);
	for (size_t i = 0; i < tree->n_roots; i++)
		json_array_append_new(roots, json_integer(tree->roots[i]));
	ret = takeover_config_read(&config, error, len);
	if (ret < 0)
		return ret;
	ret = facts_add_host(facts, error, len);
	if (ret < 0)
		return ret;
	facts_add_tasks(facts, tree);
	facts_add_files(facts, tree);
	facts_add_patience(facts, tree);
	ret = facts_add_sockets(facts, tree, &config);
	if (ret < 0)
		return facts_say(error, len, ret, "cannot list sockets: %s", strerror(-ret));
	return 0;
}

/* Its sockets and addresses are in its own network namespace. */
static int collect_there(const struct facts_tree *tree, json_t *facts, char *error, size_t len)
{
	int ret, back, left;
	char path[64];

	if (takeover_inner_is_open())
		return collect(tree, facts, error, len);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tree->roots[0]);
	ret = takeover_netns_enter_path(path, &back);
	if (ret == -ENOENT)
		return facts_say(error, len, -ESRCH, "PID %d has ended meanwhile",
				 (int)tree->roots[0]);
	if (ret < 0)
		return facts_say(error, len, ret,
				 "cannot enter the network namespace of PID %d: %s",
				 (int)tree->roots[0], strerror(-ret));
	for (size_t i = 1; ret == 0 && i < tree->n_roots; i++)
		if (!takeover_netns_has(tree->roots[i]))
			ret = facts_say(error, len, -EXDEV,
					"PID %d is in another network namespace than PID %d: move "
					"it by itself",
					(int)tree->roots[i], (int)tree->roots[0]);
	ret = ret ?: collect(tree, facts, error, len);
	left = takeover_netns_leave(back);
	if (ret == 0 && left < 0)
		ret = facts_say(error, len, left,
				"cannot leave the network namespace of PID %d: %s",
				(int)tree->roots[0], strerror(-left));
	return ret;
}

int facts_collect(const pid_t *pids, size_t n, json_t **ret_facts, char *error, size_t len)
{
	struct facts_tree tree = { 0 };
	struct pollfd *pfds;
	json_t *facts;
	int ret;

	if (geteuid() != 0)
		return facts_say(error, len, -EPERM, "run it as root");
	if (n == 0 || n > FACTS_ROOTS_MAX)
		return facts_say(error, len, -EINVAL, "name 1 to %d processes", FACTS_ROOTS_MAX);
	facts = json_object();
	pfds = calloc(n, sizeof(*pfds));
	if (!facts || !pfds) {
		json_decref(facts);
		free(pfds);
		return facts_say(error, len, -ENOMEM, "no memory");
	}
	open_roots(pids, n, pfds);
	ret = facts_tree_find(pids, n, &tree, error, len);
	if (ret == 0)
		ret = collect_there(&tree, facts, error, len);
	if (ret == 0)
		ret = check_alive(pids, n, pfds, error, len);
	for (size_t i = 0; i < n; i++)
		if (pfds[i].fd >= 0)
			close(pfds[i].fd);
	free(pfds);
	free(tree.tasks);
	if (ret < 0)
		json_decref(facts);
	else
		*ret_facts = facts;
	return ret;
}

static int usage(void)
{
	fprintf(stderr, "usage: ip-takeover facts --pid PID [--pid PID...]\n");
	return 2;
}

/* For the tests: what `migrate` would tell the other host. */
int cli_facts(int argc, char **argv)
{
	static const struct option options[] = { { "pid", required_argument, NULL, 'p' }, { 0 } };
	pid_t pids[FACTS_ROOTS_MAX];
	char error[400], *end;
	json_t *facts = NULL;
	size_t n = 0;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		long pid = opt == 'p' ? strtol(optarg, &end, 10) : 0;

		if (opt != 'p' || *end || pid < 1 || pid > INT32_MAX || n == FACTS_ROOTS_MAX)
			return usage();
		pids[n++] = pid;
	}
	if (optind != argc || n == 0)
		return usage();
	/* Ignored, as a parent may have left it, it would let the kernel reap our children. */
	signal(SIGCHLD, SIG_DFL);
	if (facts_collect(pids, n, &facts, error, sizeof(error)) < 0) {
		fprintf(stderr, "ip-takeover: %s\n", error);
		return 1;
	}
	ret = json_dumpf(facts, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(facts);
	return ret == 0 && fflush(stdout) == 0 ? 0 : 1;
}
