// SPDX-License-Identifier: GPL-2.0-only
/* ip-takeover receive: the destination's end of migrate, started by it over ssh. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "criu.h"
#include "facts_read.h"
#include "images_receive.h"
#include "journal.h"
#include "judge.h"
#include "members.h"
#include "migrate.h"
#include "migrate_options.h"
#include "migrate_result.h"
#include "netlink.h"
#include "place.h"
#include "preflight.h"
#include "prepare.h"
#include "receive_container.h"
#include "report_migrate.h"
#include "steps.h"

#define CRIU_END_MS 10000
#define TRIES	    3
#define LOOK_MS	    10
#define OVER_MS	    10000
#define IDLE_MS	    600000
#define STAND_BY_S  86400 /* it ends with us */
#define BYTES_MAX   (1LL << 50)

enum step { GREETING, WAITING, FILLED, RESTORING, READY, COMMITTED, RUNS, FAILED };

struct receive {
	struct channel *channel;
	struct images_receiver *images;
	struct place place;
	struct criu criu; /* the leader's */
	struct members members;
	struct container container; /* ->runtime NULL: it is none */
	const char *options[MIGRATE_CRIU_OPTIONS_MAX + 2];
	json_t *said; /* the last facts that were judged */
	struct facts *facts;
	json_t *criu_options;
	enum step step;
	bool said_ready;    /* from now on the source may have committed at any time */
	bool committed;	    /* it has */
	bool outer_removed; /* the guard outside of a container */
	int tries;
};

static void fail(struct receive *r, const char *why)
{
	migrate_say(r->channel, "failed", json_pack("{s:o}", "why", migrate_text(why)));
	r->step = FAILED;
}

static void on_hello(struct receive *r, const struct channel_message *message)
{
	json_int_t protocol = json_integer_value(json_object_get(message->json, "protocol"));
	char why[200], host[64] = "";

	if (protocol != MIGRATE_PROTOCOL) {
		snprintf(why, sizeof(why),
			 "this ip-takeover %s speaks protocol %d of migrate, the source %lld; "
			 "install the same version on both hosts",
			 TAKEOVER_VERSION, MIGRATE_PROTOCOL, (long long)protocol);
		fail(r, why);
		return;
	}
	migrate_step(STEP_GREETED);
	gethostname(host, sizeof(host) - 1);
	migrate_say(r->channel, "hello",
		    json_pack("{s:s, s:i, s:s}", "version", TAKEOVER_VERSION, "protocol",
			      MIGRATE_PROTOCOL, "host", host));
}

static void on_facts(struct receive *r, const struct channel_message *message)
{
	json_t *answer = preflight_answer(json_object_get(message->json, "facts"));
	char why[400];

	json_decref(r->said);
	r->said = json_incref(json_object_get(message->json, "facts"));
	facts_free(r->facts);
	r->facts = NULL;
	facts_read(r->said, &r->facts, why, sizeof(why));
	migrate_step(STEP_JUDGED);
	migrate_say(r->channel, "findings", answer);
}

/* keepalived brings the addresses here as soon as the source lets go of them. */
static int stand_by(const struct receive *r, char *why, size_t len)
{
	return r->facts ? prepare_start(r->facts->addresses, r->facts->n_addresses, STAND_BY_S,
					getpid(), why, len)
			: 0;
}

static void on_begin(struct receive *r, const struct channel_message *message)
{
	json_int_t bytes = json_integer_value(json_object_get(message->json, "bytes"));
	char why[600];
	int ret = bytes < 0 || bytes > BYTES_MAX ? -EINVAL : 0;

	if (ret == 0 && container_of(r->said)) {
		ret = receive_container_create(r->said, 2 * bytes, &r->container, &r->place, why,
					       sizeof(why));
		if (ret < 0) {
			fail(r, why);
			return;
		}
	} else if (ret == 0) {
		ret = place_make(2 * bytes, &r->place);
	}
	if (ret == 0)
		ret = images_receive_open(r->place.fd, 2 * bytes, &r->images);
	if (ret < 0) {
		snprintf(why, sizeof(why),
			 "no place for %lld bytes of images: %s; free memory or disk there",
			 (long long)bytes, strerror(-ret));
		fail(r, why);
		return;
	}
	if (stand_by(r, why, sizeof(why)) < 0) {
		fail(r, why);
		return;
	}
	r->step = WAITING;
	migrate_step(STEP_WAITING);
	migrate_say(r->channel, "waiting", NULL);
}

static int start(struct receive *r)
{
	if (r->container.runtime)
		return 0;
	return criu_start("restore", r->place.path, r->options,
			  (const char *const[]){ TAKEOVER_TREES_ENV, r->members.list, NULL },
			  &r->criu);
}

static void restore(struct receive *r)
{
	char why[400];
	int ret = migrate_options_take_criu(r->criu_options, r->options + 1, why, sizeof(why));

	if (ret == 0 && r->container.runtime)
		ret = receive_container_restore(&r->container, &r->place, r->tries == 0, &r->criu,
						why, sizeof(why));
	r->outer_removed = false;

	if (ret < 0) {
		fail(r, why);
		return;
	}
	r->options[0] = "-d";
	members_forget(&r->members);
	ret = start(r);
	if (ret < 0) {
		snprintf(why, sizeof(why), "cannot run criu: %s", strerror(-ret));
		fail(r, why);
		return;
	}
	place_used_by(&r->place, r->criu.pid);
	r->tries++;
	r->step = RESTORING;
	if (!r->said_ready)
		migrate_step(STEP_RESTORING);
}

static void on_restore(struct receive *r, const struct channel_message *message)
{
	r->criu_options = json_incref(json_object_get(message->json, "options"));
	if (members_take(json_object_get(message->json, "trees"), &r->members) < 0)
		fail(r, "trees: expected a list of PIDs");
	else
		restore(r);
}

/* It will not run here. */
static void forget_container(struct receive *r)
{
	if (r->container.runtime)
		r->container.runtime->remove(&r->container);
	receive_container_unguard(&r->container);
	container_forget(&r->container);
}

/* Its guard goes, and the address; criu, refused by it, ends the half-restored tasks. */
static void abort_restore(struct receive *r)
{
	r->said_ready = false;
	if (r->step == RESTORING || r->step == READY) {
		criu_abort(&r->criu, CRIU_END_MS);
		members_wait(&r->members, CRIU_END_MS);
		criu_settle(&r->criu);
	}
	r->step = FAILED;
	if (r->facts)
		prepare_settle(r->facts->addresses, r->facts->n_addresses);
	place_remove(&r->place);
	forget_container(r);
}

static void on_commit(struct receive *r)
{
	struct takeover_reply reply;

	r->committed = true;
	if (r->step != READY)
		return; /* once more: it will be */
	/* Should the keeper be dead, criu ends, and look() sees that. */
	criu_tell(&r->criu, TAKEOVER_COMMIT, &reply);
	r->step = COMMITTED;
	migrate_step(STEP_RUNNING);
}

static void on_word(struct receive *r, const struct channel_message *message)
{
	const char *word = migrate_word(message);

	if (strcmp(word, "hello") == 0 && r->step == GREETING)
		on_hello(r, message);
	else if (strcmp(word, "facts") == 0 && r->step == GREETING)
		on_facts(r, message);
	else if (strcmp(word, "clock") == 0 && r->step == GREETING)
		clock_answer(r->channel, clock_now_ns());
	else if (strcmp(word, "begin") == 0 && r->step == GREETING)
		on_begin(r, message);
	else if (strcmp(word, "restore") == 0 && r->step == FILLED)
		on_restore(r, message);
	else if (strcmp(word, "commit") == 0 && r->said_ready && !r->committed)
		on_commit(r);
	else if (strcmp(word, "abort") == 0 && !r->committed) {
		abort_restore(r);
		migrate_say(r->channel, "aborted", NULL);
	} else {
		fail(r, "the source said something that makes no sense now");
	}
}

static void on_images(struct receive *r, const struct channel_message *message)
{
	int ret = r->step == WAITING ? images_receive_take(r->images, message) : -EPROTO;

	if (ret < 0)
		fail(r,
		     r->step == WAITING ? images_receive_error(r->images) : "images out of order");
	else if (ret > 0) {
		r->step = FILLED;
		migrate_step(STEP_FILLED);
	}
}

/* What was ready is so once more, from the same images: the source may be committed by now,
 * and they are all that there is of the service. */
static void say_that_it_runs(struct receive *r)
{
	char id[REPORT_ID_STRLEN];
	json_t *record = report_here(r->criu.socket, "released", id);
	json_t *runs = migrate_runs(r->criu.socket);

	if (record)
		json_object_set_new(runs, "record", record);
	migrate_say(r->channel, "runs", runs);
}

static void on_criu_ended(struct receive *r)
{
	enum takeover_state state;
	char why[600];
	bool runs;

	criu_end_orphan(&r->criu);
	state = criu_settle(&r->criu);
	runs = (r->criu.status == 0 && !members_failed(&r->members) &&
		state != TAKEOVER_ROLLED_BACK) ||
	       state == TAKEOVER_RELEASED || state == TAKEOVER_DONE;
	/* Also when it is not the source's word that has come, but the keeper has found out. */
	if (r->said_ready && runs) {
		r->step = RUNS;
		place_remove(&r->place);
		migrate_step(STEP_RUNS);
		say_that_it_runs(r);
		if (r->container.runtime && r->container.runtime->runs)
			r->container.runtime->runs(&r->container);
		return;
	}
	if (r->said_ready && r->tries < TRIES && !r->criu.refused) {
		r->committed = r->committed || r->criu.committed;
		restore(r);
		return;
	}
	members_why(&r->members, &r->criu, why, sizeof(why));
	if (strstr(why, strerror(EADDRINUSE)))
		judge_ports_again(r->said, why, sizeof(why));
	fail(r, why[0] ? why : "criu failed without a word; is it installed?");
}

/* Its guard stands, nearer to the container than the one that we have set. */
static void guard_by_keeper(struct receive *r)
{
	if (!r->outer_removed && criu_is_prepared(&r->criu)) {
		receive_container_unguard(&r->container);
		r->outer_removed = true;
	}
}

/* What criu and its keeper have done since. */
static void look(struct receive *r)
{
	struct takeover_reply reply = { 0 };
	int ret;

	if (r->step != RESTORING && r->step != READY && r->step != COMMITTED)
		return;
	receive_container_watch(&r->container, &r->criu);
	if (criu_ended(&r->criu) && members_ended(&r->members)) {
		on_criu_ended(r);
		return;
	}
	if (r->step != RESTORING)
		return;
	ret = members_start(&r->members, &r->criu, &r->place, r->options + 1);
	/* The keeper may never have heard of it; later it has. */
	if (!r->said_ready && (ret < 0 || members_failed(&r->members))) {
		criu_abort(&r->criu, CRIU_END_MS);
		members_wait(&r->members, CRIU_END_MS);
		return;
	}
	if (!criu_find_keeper(&r->criu))
		return;
	guard_by_keeper(r);
	ret = criu_ask(&r->criu, TAKEOVER_AWAIT_READY, &reply);
	if (ret != 0 || reply.ret != 0)
		return;
	r->step = READY;
	if (r->said_ready) {
		if (r->committed)
			on_commit(r);
		return;
	}
	r->said_ready = true;
	migrate_step(STEP_READY);
	migrate_say(r->channel, "ready", NULL);
}

static long idle_ms(const struct receive *r)
{
	if (r->step == RUNS || r->step == FAILED)
		return OVER_MS;
	return r->said_ready ? LONG_MAX : IDLE_MS;
}

/* The ends of members are looked for. */
static int patience(const struct receive *r)
{
	if (r->step == RESTORING && (r->criu.asked_fd < 0 || r->members.n > 0))
		return 1;
	return r->members.n > 0 && (r->step == READY || r->step == COMMITTED) ? LOOK_MS : 1000;
}

static int serve(struct receive *r)
{
	long heard_ms = takeover_now_ms();

	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = channel_fd(r->channel), .events = POLLIN },
			{ .fd = r->criu.pidfd, .events = POLLIN },
			{ .fd = r->step == RESTORING ? r->criu.asked_fd : -1, .events = POLLIN },
		};
		struct channel_message message;
		int ret;

		poll(pfd, 3, patience(r));
		while ((ret = channel_receive(r->channel, &message)) > 0) {
			heard_ms = takeover_now_ms();
			if (r->step == RUNS ||
			    (r->step == FAILED && (message.type != CHANNEL_JSON ||
						   strcmp(migrate_word(&message), "abort") != 0)))
				continue;
			if (message.type == CHANNEL_JSON)
				on_word(r, &message);
			else
				on_images(r, &message);
		}
		look(r);
		/* A link that is broken says nothing. */
		if (ret < 0 || takeover_now_ms() - heard_ms > idle_ms(r))
			return ret;
	}
}

int cli_receive(int argc, char **argv)
{
	struct receive r = {
		.place.fd = -1, .place.watch = -1, .criu.pidfd = -1, .criu.asked_fd = -1
	};
	int out, null;

	(void)argv;
	if (argc != 1 || isatty(0)) {
		fprintf(stderr, "usage: ip-takeover receive; ip-takeover migrate starts it\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	/* Whatever prints must not print into the channel. */
	out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(null, 1);
	if (channel_open(0, out, &r.channel) < 0)
		return 1;
	serve(&r);
	/* The source is gone. What is not ready can have no decision; else the keeper is in doubt,
	 * and asks, and we have the images, should criu die meanwhile. */
	if (!r.said_ready)
		abort_restore(&r);
	while (r.step == RESTORING || r.step == READY || r.step == COMMITTED) {
		struct pollfd pfd = { .fd = r.criu.pidfd, .events = POLLIN };

		poll(&pfd, 1, LOOK_MS);
		look(&r);
	}
	if (r.step == RUNS)
		criu_settle(&r.criu);
	criu_disarm(&r.criu);
	if (r.step != RUNS)
		forget_container(&r);
	container_forget(&r.container);
	place_remove(&r.place);
	images_receive_close(r.images);
	channel_close(r.channel);
	json_decref(r.criu_options);
	facts_free(r.facts);
	json_decref(r.said);
	return r.step == RUNS ? 0 : 1;
}
