// SPDX-License-Identifier: GPL-2.0-only
/* The backend keepalived: VRRP decides where an address is, and we decide, by a file that the
 * instance tracks, whether this host takes part. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "master.h"
#include "netlink.h"
#include "owner.h"
#include "segment.h"
#include "sockets.h"
#include "stand_in.h"
#include "vrrp.h"

#define LEAVE_MS  1000 /* it takes less than 10 */
#define SPARE_MS  1000
#define AGAIN_MS  100
#define CALL_MS	  50
#define ANSWER_MS 50 /* a LAN's takes less than one */

enum turn { NONE, WITHDRAW, PUT_BACK, CLAIM, LET_GO, SETTLE };

/* Since when we wait for this; 0: just now. */
static long waited(struct takeover_keeper *k, size_t i, enum turn turn)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	long now = takeover_now_ms();

	if (t->turn != (int)turn) {
		t->turn = turn;
		t->since_ms = now;
		t->said_ms = 0;
		t->answered = false;
	}
	return now - t->since_ms;
}

static bool is_here(struct takeover_keeper *k, size_t i)
{
	bool present = false;

	takeover_config_present(&k->config, &k->manifest->addresses[i], &present);
	return present;
}

static int set(struct takeover_keeper *k, size_t i, bool fault)
{
	int ret = takeover_vrrp_fault(k->vrrp[i].track_file, fault);

	return ret < 0 ? takeover_keeper_say(k, ret, "cannot write %s: %s", k->vrrp[i].track_file,
					     strerror(-ret))
		       : 0;
}

static bool moves(const struct takeover_keeper *k, const struct takeover_address *ip)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (takeover_address_equal(&k->manifest->addresses[i], ip))
			return true;
	return false;
}

/* What keepalived moves with the address, without a guard. */
static int check_companions(struct takeover_keeper *k, const struct takeover_vrrp *v)
{
	struct takeover_sockets sockets;
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = takeover_sockets_list(&sockets);

	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list sockets: %s", strerror(-ret));
	for (size_t n = 0; ret == 0 && n < v->n_ips; n++) {
		const struct takeover_address *ip = &v->ips[n];

		for (size_t s = 0; ret == 0 && s < sockets.n; s++)
			if (!moves(k, ip) && takeover_socket_is_on(&sockets.all[s], ip))
				ret = takeover_keeper_say(
					k, -EBUSY,
					"%s would leave with it (keepalived's %s), and port %u is "
					"in use there; give it an instance of its own, or name it "
					"in " TAKEOVER_CONFIG_PATH " if it is this service's",
					takeover_address_ip(ip, text, sizeof(text)),
					v->group[0] ? v->group : v->instance,
					sockets.all[s].local_port);
	}
	free(sockets.all);
	return ret;
}

/* What is wrong with it, or NULL. */
static const char *judge(const struct takeover_keeper *k, const struct takeover_vrrp *v)
{
	if (v->preempts)
		return "preempts, and would take the address back from the new owner: give it "
		       "nopreempt and state BACKUP";
	if (k->role == TAKEOVER_SOURCE && v->state != TAKEOVER_VRRP_MASTER)
		return "is not MASTER, though the address is here: see keepalived's log";
	/* Ours goes when it claims. */
	if (k->role != TAKEOVER_SOURCE && v->state == TAKEOVER_VRRP_FAULT &&
	    !takeover_vrrp_is_faulted(v->track_file))
		return "is in FAULT here: see keepalived's log";
	return NULL;
}

static int look(struct takeover_keeper *k, size_t i, struct takeover_vrrp *v)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	const struct takeover_backend_settings *s = takeover_config_backend(&k->config, a);
	char text[TAKEOVER_ADDRESS_STRLEN], error[300];
	const char *why;
	int ret;

	/* First: it may be started anew while it answers. */
	takeover_master_know(k, i);
	ret = takeover_vrrp_find(a, s->instance, s->track_file, v, error, sizeof(error));
	takeover_address_ip(a, text, sizeof(text));
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s: %s", text, error);
	why = judge(k, v);
	if (why)
		return takeover_keeper_say(k, -EBUSY, "%s: keepalived's %s %s", text, v->instance,
					   why);
	strcpy(k->vrrp[i].track_file, v->track_file);
	strcpy(k->vrrp[i].instance, v->instance);
	k->vrrp[i].patience_ms = k->config.keepalived_seconds ? k->config.keepalived_seconds * 1000L
							      : (long)v->down_ms + SPARE_MS;
	/* Of three intervals and the skew (RFC 5798 section 6.1) more than two. */
	k->vrrp[i].quiet_ms = v->down_ms * 2L / 3;
	return k->role == TAKEOVER_SOURCE ? check_companions(k, v) : 0;
}

static int stand_in(struct takeover_keeper *k, const struct takeover_vrrp *v)
{
	int ret = takeover_stand_in_add(v->adverts, v->n_adverts);

	return ret < 0 ? takeover_keeper_say(k, ret, "cannot speak for keepalived's %s: %s",
					     v->instance, strerror(-ret))
		       : 0;
}

static int prepare(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	struct takeover_vrrp *v;
	int ret;

	if (takeover_vrrp_is_elsewhere())
		return takeover_keeper_say(
			k, -EXDEV,
			"%s is in a network namespace that keepalived is not in: keepalived cannot "
			"move it; set backend = \"garp\" or \"exec\" for it",
			takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)));
	v = calloc(1, sizeof(*v));
	ret = v ? look(k, i, v) : takeover_keeper_say(k, -ENOMEM, "no memory");
	if (ret == 0)
		ret = stand_in(k, v);
	free(v);
	if (ret == 0 && k->role == TAKEOVER_SOURCE)
		ret = takeover_segment_ask(k, i);
	return ret;
}

static int withdraw(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	long ms = waited(k, i, WITHDRAW);
	int ret;

	k->withdrew[i] = true;
	ret = set(k, i, true);
	if (ret < 0 || !is_here(k, i))
		return ret;
	if (ms < LEAVE_MS)
		return -EINPROGRESS;
	set(k, i, false);
	return takeover_keeper_say(
		k, -ETIMEDOUT,
		"cannot withdraw %s: keepalived's %s has not given it up within %d ms of a 1 in "
		"%s; see its log, and whether it runs",
		takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
		k->vrrp[i].instance, LEAVE_MS, k->vrrp[i].track_file);
}

static void say_that_it_waits(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN], who[64];

	takeover_keeper_say(
		k, 0,
		"%s has not come back: keepalived's %s is not MASTER here, and %s; see its log; "
		"the service goes on as soon as it is",
		takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
		k->vrrp[i].instance, takeover_owner_name(k, i, who, sizeof(who)));
	takeover_journal(k, "waiting for keepalived");
}

/* Somebody may have heard the other host last. Not where the MAC is a virtual one. */
static void say_who_has_it(struct takeover_keeper *k, size_t i)
{
	const struct takeover_manifest *m = k->manifest;
	bool here = false;

	if (takeover_address_present(&m->addresses[i], &here) == 0 && here)
		takeover_announce(k->wires[i], &m->addresses[i],
				  (const unsigned char(*)[TAKEOVER_MAC_LEN])m->neighbours,
				  m->n_neighbours);
}

/* However long it takes: the service lives, and the guard holds what comes for it. */
static int put_back(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	long ms;
	int ret;

	if (!k->withdrew[i])
		return 0;
	ms = waited(k, i, PUT_BACK);
	ret = set(k, i, false);
	if (ret == 0 && is_here(k, i)) {
		say_who_has_it(k, i);
		return 0;
	}
	if (takeover_owner_ask(k, i))
		takeover_segment_take_back(takeover_segment_fd(k, i), k->wires[i],
					   &k->manifest->addresses[i]);
	if (ms > t->patience_ms && takeover_now_ms() - t->said_ms > ANSWER_MS && !t->complained) {
		t->complained = true;
		say_that_it_waits(k, i);
	}
	return -EINPROGRESS;
}

/* Nobody else is to get it while our keepalived makes up its mind; and whoever keeps it from
 * all for want of its service is to make way for us, once that listens. */
static void call(struct takeover_keeper *k, size_t i, long ms)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];
	long now = takeover_now_ms();

	takeover_stand_in_allow(t->patience_ms);
	takeover_stand_in_for_absent(ms > t->quiet_ms);
	if (ms < CALL_MS || now - t->called_ms < AGAIN_MS)
		return;
	t->called_ms = now;
	takeover_segment_take_back(takeover_segment_fd(k, i), k->wires[i],
				   &k->manifest->addresses[i]);
}

static int claim(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN], who[64];
	long ms = waited(k, i, CLAIM), patience = k->vrrp[i].patience_ms;
	int ret = set(k, i, false);

	/* Without a keepalived it will not come; still_here() says so. */
	if (ret < 0 || (is_here(k, i) && (!takeover_vrrp_runs() || takeover_master_is_known(k, i))))
		return ret;
	call(k, i, ms);
	if (ms < patience)
		return -EINPROGRESS;
	if (!takeover_owner_answers(k, i) && ms < patience + ANSWER_MS)
		return -EINPROGRESS;
	return takeover_keeper_say(
		k, -ETIMEDOUT,
		"%s has not come within %ld ms (keepalived_seconds): keepalived's %s is not MASTER "
		"here, and %s; see its log",
		takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)), patience,
		k->vrrp[i].instance, takeover_owner_name(k, i, who, sizeof(who)));
}

static int let_go(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	long ms = waited(k, i, LET_GO);
	int ret = set(k, i, true);

	if (ret < 0 || !is_here(k, i))
		return ret;
	if (ms < LEAVE_MS)
		return -EINPROGRESS;
	/* A keepalived that was killed leaves its addresses where they are. */
	ret = takeover_address_delete(&k->manifest->addresses[i], LEAVE_MS);
	if (ret == 0 && !is_here(k, i))
		return 0;
	return takeover_keeper_say(
		k, -ETIMEDOUT,
		"cannot take %s off this host: keepalived's %s has not given it up; see its log",
		takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
		k->vrrp[i].instance);
}

/* As long again as we held, and the other keeper has ended: now only keepalived speaks for it. */
static bool has_master(const struct takeover_keeper *k)
{
	return k->runs_there ||
	       (takeover_now_ms() - k->deadline_ms > k->config.hold_seconds * 1000L &&
		takeover_stand_in_hears_master());
}

/* The service runs elsewhere, and no master has been heard there: a keepalived that was killed
 * leaves the address behind, and speaks for it no more. Whoever has it answers; once nobody does,
 * that host has gone, and this one may be its successor. */
static int succeed(struct takeover_keeper *k, size_t i)
{
	struct takeover_vrrp_turn *t = &k->vrrp[i];

	waited(k, i, SETTLE);
	if (t->answered)
		t->since_ms = takeover_now_ms();
	if (has_master(k) || takeover_now_ms() - t->since_ms > t->patience_ms)
		return set(k, i, false);
	takeover_owner_ask(k, i);
	return -EINPROGRESS;
}

static int settle(struct takeover_keeper *k, size_t i)
{
	char text[TAKEOVER_ADDRESS_STRLEN];

	if (k->role == TAKEOVER_SOURCE && !k->unheard)
		return set(k, i, false);
	/* A later restore here, or a person, has it now. */
	if (!takeover_vrrp_is_faulted(k->vrrp[i].track_file))
		return 0;
	if (k->role == TAKEOVER_SOURCE)
		return succeed(k, i);
	/* Without another owner it would come here, where the service is not. With one this
	 * instance may be its backup again. */
	if (waited(k, i, SETTLE) < k->config.hold_seconds * 1000L)
		return takeover_owner_answers(k, i) ? set(k, i, false) : -EINPROGRESS;
	takeover_keeper_add(k,
			    "nobody has %s: keepalived's %s stays in FAULT here; once the service "
			    "runs elsewhere: echo 0 >%s",
			    takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
			    k->vrrp[i].instance, k->vrrp[i].track_file);
	takeover_journal(k, "stays in FAULT");
	return 0;
}

const struct takeover_backend takeover_backend_keepalived = {
	.prepare = prepare,
	.withdraw = withdraw,
	.put_back = put_back,
	.claim = claim,
	.let_go = let_go,
	.settle = settle,
};
