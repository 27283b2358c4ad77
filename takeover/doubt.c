// SPDX-License-Identifier: GPL-2.0-only
/* In doubt: the source's keeper knows, and so does whoever answers for the address. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "doubt.h"
#include "backend.h"
#include "netlink.h"
#include "source.h"
#include "words.h"

#define SILENCE_MS 2000 /* a decision comes at once, or not over this connection */
#define OFTEN_MS   100
#define OFTEN_FOR  10000
#define SELDOM_MS  1000
#define TAKEN_MS   3000
#define FRAMES_MAX 16 /* at once; then the others have their turn */

/* Of this worker; the next one makes its own. */
static struct {
	uint64_t nonce;
	long ask_at_ms;
	long taken_until_ms; /* somebody else has an address */
} doubt;

static void probe(struct takeover_keeper *k, size_t i)
{
	unsigned char frame[TAKEOVER_ANNOUNCE_MAX];
	size_t len;

	if (takeover_probe_build(frame, sizeof(frame), &k->manifest->addresses[i],
				 takeover_wire_mac(k->wires[i]), &len) == 0)
		takeover_wire_send(k->wires[i], frame, len);
}

/* The new owner may have spoken when nobody here could hear it. */
static void look_for_owner(struct takeover_keeper *k)
{
	long now = takeover_now_ms();

	if (doubt.ask_at_ms == 0)
		doubt.ask_at_ms = now + SILENCE_MS;
	if (now < doubt.ask_at_ms)
		return;
	doubt.ask_at_ms = now + SELDOM_MS;
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (!k->owner_known[i])
			probe(k, i);
}

void takeover_doubt_answer(struct takeover_keeper *k)
{
	enum takeover_word_state state = k->state == TAKEOVER_ROLLED_BACK || k->returning
						 ? TAKEOVER_WORD_ROLLED_BACK
					 : k->state == TAKEOVER_COMMITTED ? TAKEOVER_WORD_COMMITTED
									  : TAKEOVER_WORD_UNDECIDED;
	unsigned char from[TAKEOVER_MAC_LEN];
	struct takeover_word word;

	if (!k->manifest->has_secret || k->state < TAKEOVER_WITHDRAWN)
		return;
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		for (int n = 0; n < FRAMES_MAX && takeover_words_hear(k, i, &word, from); n++) {
			k->runs_there |= word.state == TAKEOVER_WORD_RUNS;
			if (word.state == TAKEOVER_WORD_QUESTION)
				takeover_words_say(k, i, state, word.nonce, from);
			else if (word.state == TAKEOVER_WORD_RELEASED)
				takeover_source_too_late(k);
			else if (word.state == TAKEOVER_WORD_CLAIMED ||
				 word.state == TAKEOVER_WORD_RUNS)
				takeover_source_owner(k, i, from);
		}
	if (k->mover_pid > 0 && k->state == TAKEOVER_COMMITTED)
		look_for_owner(k);
}

void takeover_doubt_claimed(const struct takeover_keeper *k, size_t i)
{
	if (k->manifest->has_secret)
		takeover_words_say(k, i, k->released ? TAKEOVER_WORD_RUNS : TAKEOVER_WORD_CLAIMED,
				   0, NULL);
}

void takeover_doubt_begin(struct takeover_keeper *k)
{
	if (k->in_doubt)
		return;
	k->in_doubt = true;
	k->ready_at_ms = takeover_now_ms();
	takeover_keeper_say(k, 0, "in doubt: the source has not said whether it has committed");
	takeover_journal(k, "in doubt");
}

static void go(struct takeover_keeper *k, const char *why)
{
	/* Never two owners. */
	if (takeover_now_ms() < doubt.taken_until_ms)
		return;
	k->message[0] = '\0';
	k->decided = true;
	k->in_doubt = false;
	takeover_event(k, why);
	takeover_journal(k, "committed");
}

static void go_back(struct takeover_keeper *k, const char *why)
{
	takeover_keeper_say(k, 0, "%s", why);
	takeover_destination_rollback(k);
}

/* Who answers for an address. A source that does has taken it back; any other owner is in the
 * way, but not a reason to give up what may be the only copy. True: decided. */
static bool hear_owner(struct takeover_keeper *k, size_t i)
{
	unsigned char frame[256], mac[TAKEOVER_MAC_LEN];
	char text[TAKEOVER_ADDRESS_STRLEN];
	ssize_t len;

	for (int n = 0; n < FRAMES_MAX; n++) {
		len = takeover_wire_receive(k->wires[i], frame, sizeof(frame));
		if (len < 0)
			return false;
		if (!takeover_announce_parse(frame, len, &k->manifest->addresses[i], mac))
			continue;
		if (memcmp(mac, k->manifest->source[i], sizeof(mac)) != 0) {
			takeover_keeper_say(
				k, 0,
				"in doubt; and %s is in use by "
				"%02x:%02x:%02x:%02x:%02x:%02x; withdraw it there",
				takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
				mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
			if (doubt.taken_until_ms == 0)
				takeover_journal(k, "somebody else");
			doubt.taken_until_ms = takeover_now_ms() + TAKEN_MS;
			continue;
		}
		go_back(k, "the source has taken it back: it answers for the address");
		return true;
	}
	return false;
}

static bool hear_word(struct takeover_keeper *k, size_t i)
{
	unsigned char from[TAKEOVER_MAC_LEN];
	struct takeover_word word;

	while (takeover_words_hear(k, i, &word, from)) {
		if (word.state == TAKEOVER_WORD_QUESTION || word.nonce != doubt.nonce)
			continue;
		if (word.state == TAKEOVER_WORD_COMMITTED) {
			go(k, "the source's keeper has committed");
			return k->decided;
		}
		if (word.state == TAKEOVER_WORD_ROLLED_BACK) {
			go_back(k, "the source has taken it back: its keeper says so");
			return true;
		}
		/* Somebody is about to decide: no policy is asked for. */
		k->ready_at_ms = takeover_now_ms();
	}
	return false;
}

static void follow_policy(struct takeover_keeper *k)
{
	if (k->config.in_doubt == TAKEOVER_DOUBT_GO)
		go(k, "in_doubt: go");
	else if (k->config.in_doubt == TAKEOVER_DOUBT_ABORT)
		go_back(k, "in doubt, and the configuration says: abort");
}

void takeover_doubt_ask(struct takeover_keeper *k)
{
	long now = takeover_now_ms(), since = now - k->ready_at_ms;

	if (!k->manifest->has_secret || (!k->in_doubt && since < SILENCE_MS))
		return;
	takeover_doubt_begin(k);
	if (doubt.nonce == 0 &&
	    getrandom(&doubt.nonce, sizeof(doubt.nonce), 0) != sizeof(doubt.nonce))
		return;
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (hear_owner(k, i) || hear_word(k, i))
			return;
	since = now - k->ready_at_ms;
	if (since > k->config.in_doubt_seconds * 1000L) {
		follow_policy(k);
		return;
	}
	if (now < doubt.ask_at_ms)
		return;
	doubt.ask_at_ms = now + (since < OFTEN_FOR ? OFTEN_MS : SELDOM_MS);
	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		probe(k, i);
		takeover_words_say(k, i, TAKEOVER_WORD_QUESTION, doubt.nonce, NULL);
	}
}
