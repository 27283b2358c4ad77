// SPDX-License-Identifier: GPL-2.0-only
/* Judgement on the source: whether the service can leave. */
#include <errno.h>
#include <string.h>

#include "judge.h"

/* Measured on a machine with two cores, dump and restore together, network lock skipped: what
 * an empty service takes; each GiB of its memory; each thousand of its connections. */
#define FREEZE_MS		25
#define FREEZE_MS_CONTAINER	150 /* Docker's is the longest */
#define FREEZE_MS_PER_GIB	1500
#define FREEZE_MS_PER_GIB_FILES 4000
#define FREEZE_MS_PER_THOUSAND	250

#define RTO_MIN_MS 200
#define RTO_MAX_MS 120000
#define DOUBLINGS  9 /* of the least timeout until the largest */

/* Of a container: packed, sent and unpacked, all in the freeze. */
static unsigned long files_mib(const struct facts *f)
{
	json_int_t bytes = json_integer_value(json_object_get(f->spec, "layer"));

	return bytes > 0 ? (unsigned long)bytes >> 20 : 0;
}

unsigned long judge_freeze_ms(const struct facts *f)
{
	return files_mib(f) * FREEZE_MS_PER_GIB_FILES / 1024 + FREEZE_MS +
	       (f->container ? FREEZE_MS_CONTAINER : 0) +
	       (f->memory >> 20) * FREEZE_MS_PER_GIB / 1024 +
	       (unsigned long)f->connections * FREEZE_MS_PER_THOUSAND / 1000;
}

/* How long a peer retransmits before it gives up (linux net/ipv4/tcp_timer.c,
 * tcp_model_timeout), or as long as this service's own sockets would: the peers' are like it. */
static unsigned long patience_ms(const struct facts *f)
{
	unsigned long ms;

	if (f->user_timeout_ms)
		return f->user_timeout_ms;
	if (f->retries2 <= DOUBLINGS)
		return ((2UL << f->retries2) - 1) * RTO_MIN_MS;
	ms = ((2UL << DOUBLINGS) - 1) * RTO_MIN_MS;
	return ms + (f->retries2 - DOUBLINGS) * (unsigned long)RTO_MAX_MS;
}

static void judge_freeze(const struct facts *f, unsigned int max_s, struct checks *c)
{
	unsigned long freeze = judge_freeze_ms(f), patience = patience_ms(f);

	if (freeze > max_s * 1000UL)
		check_say(c, CHECK_NO, "freeze", "--max-freeze SECONDS, if that is good enough",
			  "about %.2f s for %llu MiB and %u connections, longer than %u s",
			  freeze / 1e3, ((unsigned long long)f->memory >> 20) + files_mib(f),
			  f->connections, max_s);
	else if (freeze > patience / 2)
		check_say(c, CHECK_NO, "freeze",
			  f->user_timeout_ms ? "raise its TCP_USER_TIMEOUT, or give it less memory"
					     : "raise net.ipv4.tcp_retries2 of the peers",
			  "about %.2f s, more than half of the peers' patience of %.1f s (%s)",
			  freeze / 1e3, patience / 1e3,
			  f->user_timeout_ms ? "TCP_USER_TIMEOUT of its sockets"
					     : "net.ipv4.tcp_retries2");
	else
		check_say(c, CHECK_OK, "freeze", NULL,
			  "about %.2f s, the peers' patience is %.1f s", freeze / 1e3,
			  patience / 1e3);
}

static void judge_service(const struct facts *f, struct checks *c)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	bool all_here = true;

	for (size_t i = 0; i < f->n_addresses; i++) {
		if (f->present[i])
			continue;
		all_here = false;
		check_say(c, CHECK_NO, "service", "put it there, or correct " TAKEOVER_CONFIG_PATH,
			  "has sockets on %s, which is not on its device",
			  takeover_address_ip(&f->addresses[i], text, sizeof(text)));
	}
	if (f->n_addresses == 0)
		check_say(c, CHECK_NO, "service",
			  "have it listen on an address that is in " TAKEOVER_CONFIG_PATH,
			  "has no socket on any configured address: nothing to take over");
	else if (all_here)
		check_say(c, CHECK_OK, "service", NULL, "%zu address%s, %u connections",
			  f->n_addresses, f->n_addresses == 1 ? "" : "es", f->connections);
	if (f->strays > 0)
		check_say(c, CHECK_NO, "connections",
			  "have them made through its service address, or end them",
			  "%u go through other addresses of this host, one through %s: criu cannot "
			  "restore them elsewhere",
			  f->strays, f->stray);
}

static void judge_others(const struct facts *f, struct checks *c)
{
	for (size_t i = 0; i < f->n_others && i < JUDGE_LINES_MAX; i++)
		check_say(c, c->config.ignore_others ? CHECK_WARNING : CHECK_NO, "others",
			  c->config.ignore_others ? "end it, or it will lose the address"
						  : "end it, or set other_processes = \"ignore\"",
			  "%s is in use by %s (pid %d), too, %s port %u, which does not move",
			  f->others[i].address, f->others[i].name, (int)f->others[i].pid,
			  strcmp(f->others[i].protocol, "tcp") == 0 ? "TCP" : "UDP",
			  f->others[i].port);
	if (f->all_others > JUDGE_LINES_MAX)
		check_say(c, c->config.ignore_others ? CHECK_WARNING : CHECK_NO, "others",
			  "`ss -tunap` lists them", "%u more sockets of other processes",
			  f->all_others - JUDGE_LINES_MAX);
	if (f->all_others == 0)
		check_say(c, CHECK_OK, "others", NULL, "no other process uses the addresses");
}

/* criu/cr-dump.c: "The root process is not a session leader" */
static void judge_tasks(const struct facts *f, struct checks *c)
{
	bool all_lead = true;

	for (size_t i = 0; i < f->n_processes; i++) {
		const struct facts_process *p = &f->processes[i];

		if (p->pid != p->root || p->session == p->pid)
			continue;
		all_lead = false;
		check_say(c, CHECK_NO, "session", "start it as a daemon, or with setsid(1)",
			  "PID %d belongs to session %d: criu does not dump it without that",
			  (int)p->pid, (int)p->session);
	}
	if (all_lead)
		check_say(c, CHECK_OK, "session", NULL, "%zu processes, sessions of their own",
			  f->n_processes);
	if (f->container)
		return;
	if (f->own_mounts)
		check_say(c, CHECK_WARNING, "files", "see to it that the other host has them",
			  "in a mount namespace of its own: not compared");
	else if (f->files_unknown > 0)
		check_say(c, CHECK_WARNING, "files", "see to it that the other host has them",
			  "%u are gone by that name, or have one that is no UTF-8: not compared",
			  f->files_unknown);
}

/* It takes CRIU 4.0 to ask plugins before it freezes a tree that only its RPC names: an older one
 * would dump the container for good, without us (criu/plugin.c, PAUSE_DEVICES). */
static void judge_container(const struct facts *f, struct checks *c)
{
	if (f->container && f->criu < JUDGE_CONTAINER_CRIU)
		check_say(c, CHECK_NO, "criu", "install CRIU 4.0 or newer",
			  "%u.%u does not let a plugin take part in what a container runtime does",
			  f->criu / 100, f->criu % 100);
}

int judge_here(const json_t *json, unsigned int max_freeze_s, struct checks *c)
{
	struct facts *f = NULL;
	int ret = judge_read(json, c, &f);

	if (ret < 0)
		return ret;
	check_configuration(c);
	judge_service(f, c);
	judge_others(f, c);
	judge_takeovers(f, c);
	judge_tasks(f, c);
	judge_shared(f, c);
	judge_container(f, c);
	judge_freeze(f, max_freeze_s, c);
	facts_free(f);
	return 0;
}
