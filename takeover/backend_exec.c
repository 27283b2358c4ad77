// SPDX-License-Identifier: GPL-2.0-only
/* The backend exec: the address on the device is ours, as with garp; a program of the user's
 * moves what draws its packets there: a route, a cloud's floating address. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "exec.h"
#include "netlink.h"

enum op { NONE, WITHDRAW, PUT_BACK, CLAIM, LET_GO };

/* Whatever it is at otherwise is undone by this. */
static struct takeover_exec *enter(struct takeover_keeper *k, size_t i, enum op op)
{
	struct takeover_exec *e = &k->execs[i];

	if (e->op != (int)op) {
		takeover_program_end(&e->program);
		e->op = op;
		e->step = 0;
	}
	return e;
}

static int leave(struct takeover_exec *e, int ret)
{
	if (ret != -EINPROGRESS)
		e->op = NONE;
	return ret;
}

static struct takeover_exec_job job_of(const struct takeover_keeper *k, size_t i)
{
	const struct takeover_manifest *m = k->manifest;
	bool source = k->role == TAKEOVER_SOURCE;

	return (struct takeover_exec_job){
		.settings = takeover_config_backend(&k->config, &m->addresses[i]),
		.address = &m->addresses[i],
		.source = source,
		.id = m->id,
		.peer = !source && m->has_secret ? m->source[i] : NULL,
	};
}

/* The journal's room is for the takeover's own events first. */
static void note(struct takeover_keeper *k, const struct takeover_exec *e,
		 enum takeover_exec_verb verb)
{
	char what[48];

	snprintf(what, sizeof(what), "program %s %ld ms", takeover_exec_verb_name(verb),
		 takeover_now_ms() - e->program.since_ms);
	if (k->n_events < TAKEOVER_EVENTS_MAX / 2)
		takeover_event(k, what);
}

/* Two steps, from @first: it does @verb, and its status says so. */
static int change(struct takeover_keeper *k, size_t i, enum takeover_exec_verb verb, int first,
		  char *error, size_t len)
{
	const struct takeover_exec_job job = job_of(k, i);
	struct takeover_exec *e = &k->execs[i];
	int ret;

	if (e->step == first) {
		ret = takeover_exec_go_on(&e->program, &job, verb, error, len);
		if (ret != -EINPROGRESS && e->program.since_ms)
			note(k, e, verb);
		if (ret < 0)
			return ret;
		e->step++;
	}
	ret = takeover_exec_verify(&e->program, &job, verb, error, len);
	if (ret == 0)
		e->step++;
	return ret;
}

static int prepare(struct takeover_keeper *k, size_t i)
{
	const struct takeover_exec_job job = job_of(k, i);
	char error[300];
	int ret = takeover_program_check(job.settings->program, error, sizeof(error));

	return ret < 0 ? takeover_keeper_say(k, ret, "%s", error) : 0;
}

static int withdraw(struct takeover_keeper *k, size_t i)
{
	struct takeover_exec *e = enter(k, i, WITHDRAW);
	char error[300];
	int ret;

	/* It may have done half of it when it fails. */
	k->withdrew[i] = true;
	ret = change(k, i, TAKEOVER_EXEC_WITHDRAW, 0, error, sizeof(error));
	if (ret < 0 && ret != -EINPROGRESS)
		takeover_keeper_say(k, ret, "%s", error);
	/* Without its route the kernel must not answer for it any more, either. */
	if (ret == 0)
		ret = takeover_backend_garp.withdraw(k, i);
	return leave(e, ret);
}

static int put_back(struct takeover_keeper *k, size_t i)
{
	struct takeover_exec *e = enter(k, i, PUT_BACK);
	char error[300], text[TAKEOVER_ADDRESS_STRLEN];
	int ret;

	if (e->step == 0) {
		ret = takeover_backend_garp.put_back(k, i);
		if (ret < 0 || !k->withdrew[i])
			return leave(e, ret);
		e->step++;
	}
	ret = change(k, i, TAKEOVER_EXEC_CLAIM, 1, error, sizeof(error));
	if (ret < 0 && ret != -EINPROGRESS)
		takeover_keeper_add(
			k, "%s; then: ip-takeover claim %s", error,
			takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)));
	return leave(e, ret);
}

/* On the device first, silently and whole: criu's bind() wants it there, and not tentative. */
static int claim(struct takeover_keeper *k, size_t i)
{
	const struct takeover_exec_job job = job_of(k, i);
	struct takeover_exec *e = enter(k, i, CLAIM);
	char error[300] = "";
	int ret = 0;

	if (e->step == 0) {
		ret = takeover_backend_garp.claim(k, i);
		e->step++;
	}
	/* An address that lies on every host says nothing of who has it. */
	if (ret == 0 && e->step == 1) {
		if (k->was_here[i])
			ret = takeover_exec_go_on(&e->program, &job, TAKEOVER_EXEC_STATUS, error,
						  sizeof(error));
		if (ret >= 0) {
			e->had = ret;
			e->drawn = true;
			e->step++;
			ret = 0;
			/* Else nobody would know it who rolls back in our stead. */
			if (k->was_here[i])
				takeover_journal(k, "program");
		}
	}
	if (ret == 0)
		ret = change(k, i, TAKEOVER_EXEC_CLAIM, 2, error, sizeof(error));
	if (ret == 0)
		ret = takeover_backend_garp.claim(k, i);
	else if (ret != -EINPROGRESS && error[0])
		takeover_keeper_say(k, ret, "%s", error);
	return leave(e, ret);
}

static int let_go(struct takeover_keeper *k, size_t i)
{
	struct takeover_exec *e = enter(k, i, LET_GO);
	char error[300];
	int ret = 0;

	if (e->drawn && !e->had)
		ret = change(k, i, TAKEOVER_EXEC_WITHDRAW, 0, error, sizeof(error));
	if (ret == -EINPROGRESS)
		return ret;
	if (ret < 0)
		takeover_keeper_add(k, "%s", error);
	return leave(e, takeover_backend_garp.let_go(k, i) ?: ret);
}

const struct takeover_backend takeover_backend_exec = {
	.prepare = prepare,
	.withdraw = withdraw,
	.put_back = put_back,
	.claim = claim,
	.let_go = let_go,
};
