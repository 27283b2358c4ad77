// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "netns.h"

#define STEP_MS 5

const char *takeover_exec_verb_name(enum takeover_exec_verb verb)
{
	static const char *const names[] = { "claim", "withdraw", "status" };

	return names[verb];
}

static int start(struct takeover_program *p, const struct takeover_exec_job *job,
		 enum takeover_exec_verb verb, char *error, size_t len)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char address[80], prefixlen[40], family[40], device[60], id[80], role[40], peer[60],
		netns[60];
	const struct takeover_netns host = { 0 };
	const struct takeover_address *a = job->address;
	const unsigned char *m = job->peer;
	char *env[11] = { path, address, prefixlen, family, device, role };
	char ip[TAKEOVER_ADDRESS_STRLEN];
	size_t n = 6;
	int ret;

	p->since_ms = 0;
	p->last[0] = '\0';
	ret = takeover_program_check(job->settings->program, error, len);
	if (ret < 0)
		return ret;
	snprintf(address, sizeof(address), "IP_TAKEOVER_ADDRESS=%s",
		 takeover_address_ip(a, ip, sizeof(ip)));
	snprintf(prefixlen, sizeof(prefixlen), "IP_TAKEOVER_PREFIXLEN=%u", a->prefixlen);
	snprintf(family, sizeof(family), "IP_TAKEOVER_FAMILY=%s",
		 a->family == AF_INET ? "inet" : "inet6");
	snprintf(device, sizeof(device), "IP_TAKEOVER_DEVICE=%s", a->device);
	snprintf(role, sizeof(role), "IP_TAKEOVER_ROLE=%s", job->source ? "source" : "destination");
	if (job->id) {
		snprintf(id, sizeof(id), "IP_TAKEOVER_ID=%s", job->id);
		env[n++] = id;
	}
	if (m) {
		snprintf(peer, sizeof(peer), "IP_TAKEOVER_PEER_MAC=%02x:%02x:%02x:%02x:%02x:%02x",
			 m[0], m[1], m[2], m[3], m[4], m[5]);
		env[n++] = peer;
	}
	if (!takeover_netns_is_own(&host)) {
		snprintf(netns, sizeof(netns), "IP_TAKEOVER_NETNS=/proc/%d/ns/net", (int)getpid());
		env[n++] = netns;
	}
	ret = takeover_program_start(p, job->settings->program, takeover_exec_verb_name(verb), env,
				     job->settings->seconds * 1000);
	if (ret < 0)
		snprintf(error, len, "%s cannot be run: %s", job->settings->program,
			 strerror(-ret));
	return ret;
}

/* "PROGRAM claim 192.0.2.100" HOW: its last line; what to do. */
static int complain(const struct takeover_program *p, const struct takeover_exec_job *job,
		    enum takeover_exec_verb verb, int ret, const char *how, char *error, size_t len)
{
	char ip[TAKEOVER_ADDRESS_STRLEN];

	snprintf(error, len, "%s %s %s %s%s%.100s; see why with ip-takeover check",
		 job->settings->program, takeover_exec_verb_name(verb),
		 takeover_address_ip(job->address, ip, sizeof(ip)), how, p->last[0] ? ": " : "",
		 p->last);
	return ret;
}

int takeover_exec_go_on(struct takeover_program *p, const struct takeover_exec_job *job,
			enum takeover_exec_verb verb, char *error, size_t len)
{
	char how[60];
	int ret, status = 0;

	ret = takeover_program_runs(p) ? 0 : start(p, job, verb, error, len);
	if (ret < 0)
		return ret;
	ret = takeover_program_go_on(p, &status);
	if (ret == -EINPROGRESS)
		return ret;
	if (ret == -ETIMEDOUT) {
		snprintf(how, sizeof(how), "took longer than %u s (seconds) and was killed",
			 job->settings->seconds);
		return complain(p, job, verb, ret, how, error, len);
	}
	if (ret < 0)
		return complain(p, job, verb, ret, "was lost", error, len);
	if (WIFSIGNALED(status)) {
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
		return complain(p, job, verb, -EREMOTEIO, how, error, len);
	}
	if (verb == TAKEOVER_EXEC_STATUS && WEXITSTATUS(status) <= 1)
		return WEXITSTATUS(status) == 0;
	if (WEXITSTATUS(status) == 0)
		return 0;
	snprintf(how, sizeof(how), "failed (exit status %d)", WEXITSTATUS(status));
	return complain(p, job, verb, -EREMOTEIO, how, error, len);
}

int takeover_exec_verify(struct takeover_program *p, const struct takeover_exec_job *job,
			 enum takeover_exec_verb verb, char *error, size_t len)
{
	int has = takeover_exec_go_on(p, job, TAKEOVER_EXEC_STATUS, error, len);
	char ip[TAKEOVER_ADDRESS_STRLEN];

	if (has < 0 || has == (verb == TAKEOVER_EXEC_CLAIM))
		return has < 0 ? has : 0;
	snprintf(error, len,
		 "%s %s %s says that it is done, but its status that this host %s it; correct the "
		 "program, see ip-takeover check",
		 job->settings->program, takeover_exec_verb_name(verb),
		 takeover_address_ip(job->address, ip, sizeof(ip)),
		 has ? "still has" : "does not have");
	return -EREMOTEIO;
}

int takeover_exec_status(const struct takeover_exec_job *job, char *error, size_t len)
{
	struct takeover_program p = { 0 };
	int ret;

	while ((ret = takeover_exec_go_on(&p, job, TAKEOVER_EXEC_STATUS, error, len)) ==
	       -EINPROGRESS)
		poll(NULL, 0, STEP_MS);
	return ret;
}

int takeover_exec_run(const struct takeover_exec_job *job, enum takeover_exec_verb verb,
		      char *error, size_t len)
{
	struct takeover_program p = { 0 };
	int ret;

	while ((ret = takeover_exec_go_on(&p, job, verb, error, len)) == -EINPROGRESS)
		poll(NULL, 0, STEP_MS);
	if (ret < 0)
		return ret;
	while ((ret = takeover_exec_verify(&p, job, verb, error, len)) == -EINPROGRESS)
		poll(NULL, 0, STEP_MS);
	return ret;
}
