// SPDX-License-Identifier: GPL-2.0-only
/* The keeper on the destination: guard, add the address, probe, release, roll back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "armed.h"
#include "backend.h"
#include "conntrack.h"
#include "destination.h"
#include "doubt.h"
#include "master.h"
#include "netlink.h"
#include "stand_in.h"
#include "inner.h"
#include "words.h"
#include "task_sockets.h"
#include "translated.h"
#include "window.h"

/* The manifest names addresses; device and prefix are this host's own. */
static int check_policy(struct takeover_keeper *k)
{
	char text[TAKEOVER_ADDRESS_STRLEN];

	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		struct takeover_address *a = &k->manifest->addresses[i];
		const struct takeover_address *own = takeover_config_find(&k->config, a);

		if (!own)
			return takeover_keeper_say(
				k, -EPERM,
				"%s is not in this host's configuration; add it to "
				"%s to let it be claimed here",
				takeover_address_ip(a, text, sizeof(text)), TAKEOVER_CONFIG_PATH);
		*a = *own;
	}
	return 0;
}

static int look(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	char text[TAKEOVER_ADDRESS_STRLEN];
	int ret = takeover_config_present(&k->config, a, &k->was_here[i]);

	if (ret == -ENODEV)
		return takeover_keeper_say(k, ret,
					   "%s cannot be claimed: this host has no device %s; "
					   "correct " TAKEOVER_CONFIG_PATH,
					   takeover_address_ip(a, text, sizeof(text)), a->device);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot list addresses: %s", strerror(-ret));
	/* A runtime has made this namespace for the container alone, and brought the address up:
	 * without the container nobody may have it. */
	if (k->netns.inode && takeover_in_rpc_mode(k->criu_pid))
		k->was_here[i] = false;
	return 0;
}

static int probe(struct takeover_keeper *k, size_t i)
{
	const struct takeover_address *a = &k->manifest->addresses[i];
	unsigned char frame[TAKEOVER_ANNOUNCE_MAX];
	size_t len;
	int ret;

	ret = takeover_wire_open(a->device, &k->wires[i]);
	if (ret == 0)
		ret = takeover_probe_build(frame, sizeof(frame), a, takeover_wire_mac(k->wires[i]),
					   &len);
	if (ret == 0)
		ret = takeover_wire_send(k->wires[i], frame, len);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s: cannot probe for another owner: %s",
					   a->device,
					   ret == -EPERM ? "no permission (CAP_NET_RAW); run criu "
							   "as root"
							 : strerror(-ret));
	return 0;
}

/* A runtime's criu does not know by whom it was asked. */
static int find_mover(struct takeover_keeper *k)
{
	struct takeover_armed armed;
	int ret;

	if (k->mover_pid > 0)
		return 0;
	ret = takeover_armed_find(k->manifest->id, &armed);
	if (ret == -ESRCH) {
		takeover_disarm(k->manifest->id);
		return takeover_keeper_say(k, ret,
					   "ip-takeover receive (pid %d), which wanted it "
					   "restored, has ended",
					   (int)armed.mover);
	}
	if (ret < 0 || armed.mover == 0)
		return 0;
	snprintf(k->armed, sizeof(k->armed), "%s", k->manifest->id);
	k->mover_pid = armed.mover;
	k->mover_fd = syscall(SYS_pidfd_open, k->mover_pid, 0);
	return k->mover_fd < 0
		       ? takeover_keeper_say(k, -errno,
					     "cannot watch ip-takeover receive (pid %d): %s",
					     (int)k->mover_pid, strerror(errno))
		       : 0;
}

int takeover_destination_open(struct takeover_keeper *k)
{
	char error[200];
	int ret;

	ret = takeover_manifest_read(k->images_fd, &k->manifest, error, sizeof(error));
	if (ret == -ENOENT)
		return takeover_keeper_say(k, 1, "no %s among the images: nothing to take over",
					   TAKEOVER_MANIFEST_NAME);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "%s%s", error,
					   ret == -EPROTO ? "" : "; copy it anew from the source");
	if (k->manifest->translated && !takeover_inner_is_open())
		return takeover_keeper_say(k, -EXDEV,
					   "its sockets were in a network namespace of their own, "
					   "with published ports; restore it in one");
	ret = find_mover(k) ?: check_policy(k) ?: takeover_backend_prepare(k);
	/* The question goes out first: its answer is awaited by the claim. */
	for (size_t i = 0; ret == 0 && i < k->manifest->n_addresses; i++)
		ret = look(k, i) ?: probe(k, i);
	k->probed_at_ms = takeover_now_ms();
	return ret < 0 ? ret : takeover_keeper_hold(k, false);
}

int takeover_destination_begin(struct takeover_keeper *k)
{
	int ret;

	ret = takeover_others(k, false);
	if (ret < 0)
		return ret;
	/* What another keeper lets go here meets our guard. */
	ret = takeover_keeper_guard(k) ?: takeover_others(k, true) ?: takeover_translated_load(k)
		      ?: takeover_backend_claim(k);
	if (ret < 0)
		return ret;
	k->state = TAKEOVER_PREPARED;
	takeover_journal(k, "prepared");
	return 0;
}

static int release(struct takeover_keeper *k)
{
	int ret;

	if (k->state >= TAKEOVER_RELEASED)
		return 0;
	/* A CRIU that runs no post-restore script for us: this is the last moment. */
	ret = takeover_destination_claim(k);
	if (ret < 0)
		return ret == -EINPROGRESS ? -ECANCELED : ret;
	/* The tasks of a tree that ran already could not be restored again with the others. */
	k->news |= !k->left_repair;
	k->left_repair = true;
	if (!takeover_members_left_repair(k))
		return -EINPROGRESS;
	/* The event loop lets in what waits as soon as criu has its answer: thousands of
	 * packets take their time, and criu need not wait for them. */
	k->state = TAKEOVER_RELEASED;
	takeover_event(k, "release");
	return 0;
}

void takeover_destination_rollback(struct takeover_keeper *k)
{
	bool announced = k->state == TAKEOVER_CLAIMED, stays;

	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		announced |= k->execs[i].drawn;
	takeover_journal(k, "rollback");
	takeover_members_look(k);
	/* A criu that was killed leaves its half-restored tasks waiting for ever. */
	if (k->criu_fd < 0 || (announced && k->n_members > 0))
		takeover_tasks_kill(k->root_fd, k->manifest->addresses, k->manifest->n_addresses);
	takeover_members_kill(k, announced);
	takeover_destination_give_up(k);
	/* Where keepalived does not let go, the guard stays, and drops. */
	stays = takeover_backend_let_go(k) < 0 &&
		takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED);
	takeover_translated_undo(k);
	takeover_conntrack_forget(k->manifest->addresses, k->manifest->n_addresses);
	/* Only now: what is held is dropped, and no socket answers it. */
	if (stays)
		takeover_keeper_leave_shut(k);
	else if (announced)
		takeover_keeper_shut(k);
	else
		takeover_keeper_unguard(k);
	k->state = TAKEOVER_ROLLED_BACK;
	takeover_journal(k, "rolled back");
}

static void rollback_after(struct takeover_keeper *k, const char *why)
{
	takeover_keeper_say(k, 0, "%s", why);
	takeover_destination_rollback(k);
}

/* criu does not listen at this stage, and would let the tasks run. The plugin ends it. */
static int refuse_release(struct takeover_keeper *k)
{
	takeover_tasks_kill(k->root_fd, k->manifest->addresses, k->manifest->n_addresses);
	if (k->state != TAKEOVER_ROLLED_BACK)
		takeover_destination_rollback(k);
	return -ECANCELED;
}

int takeover_destination_request(struct takeover_keeper *k, const struct takeover_request *request)
{
	int ret = 0;

	if (request->root_pid > 0 && k->root_fd < 0)
		k->root_fd = syscall(SYS_pidfd_open, request->root_pid, 0);
	switch (request->verb) {
	case TAKEOVER_RESTORE_PREPARED:
		break;
	case TAKEOVER_RESTORE_CLAIM:
		ret = takeover_destination_claim(k);
		if (ret < 0 && ret != -EINPROGRESS)
			takeover_destination_rollback(k);
		break;
	case TAKEOVER_RESTORE_RELEASE:
		ret = k->state == TAKEOVER_ROLLED_BACK ? -ECANCELED : release(k);
		if (ret < 0 && ret != -EINPROGRESS)
			ret = refuse_release(k);
		break;
	case TAKEOVER_RESTORE_EXIT:
		/* Only the plugin comes to say so, before criu's end. */
		if (request->value != 0 && k->state < TAKEOVER_RELEASED) {
			takeover_event(k, TAKEOVER_EVENT_CRIU_GONE);
			rollback_after(k, "criu could not restore it, see criu's log");
		}
		break;
	case TAKEOVER_AWAIT_READY:
		if (k->state == TAKEOVER_PREPARED)
			return -EINPROGRESS;
		break;
	case TAKEOVER_COMMIT:
		if (k->state < TAKEOVER_READY)
			return takeover_keeper_say(k, -EBUSY, "criu still restores");
		/* A person; whoever decides for both hosts may decide otherwise. */
		if (request->value && !k->in_doubt && !k->decided)
			return takeover_keeper_say(
				k, -EBUSY, "it is not in doubt: ip-takeover migrate decides");
		if (!k->decided) {
			k->decided = true;
			k->in_doubt = false;
			takeover_journal(k, "committed");
		}
		break;
	case TAKEOVER_ABORT:
		if (k->decided)
			return takeover_keeper_say(k, -EBUSY, "it is committed already");
		rollback_after(k, "the other host has taken it back");
		break;
	case TAKEOVER_YIELD:
		/* The service is about to leave this host: no word more. */
		if (k->state == TAKEOVER_DONE)
			break;
		if (k->state != TAKEOVER_RELEASED || !k->released)
			return -EBUSY;
		if (request->value)
			k->state = TAKEOVER_DONE;
		break;
	case TAKEOVER_ROLLBACK:
		if (k->state >= TAKEOVER_RELEASED)
			return takeover_keeper_say(k, -EBUSY,
						   "the service runs here already; dump it "
						   "and restore it elsewhere");
		if (k->state == TAKEOVER_CLAIMED)
			return takeover_keeper_say(k, -EBUSY,
						   "criu is about to resume the process; kill "
						   "criu (pid %d) to roll back",
						   (int)k->criu_pid);
		takeover_destination_rollback(k);
		break;
	default:
		ret = takeover_keeper_say(k, -EINVAL, "not a request for the destination");
	}
	return ret;
}

void takeover_destination_criu_gone(struct takeover_keeper *k)
{
	/* Killed before it had ended them itself. */
	if (k->state == TAKEOVER_ROLLED_BACK) {
		takeover_members_look(k);
		takeover_tasks_kill(k->root_fd, k->manifest->addresses, k->manifest->n_addresses);
	}
	if (k->state >= TAKEOVER_RELEASED)
		return;
	takeover_event(k, TAKEOVER_EVENT_CRIU_GONE);
	rollback_after(k, "criu ended before the process was restored");
}

void takeover_destination_member_gone(struct takeover_keeper *k, struct takeover_member *m)
{
	takeover_members_look(k);
	if (k->state == TAKEOVER_ROLLED_BACK)
		takeover_tasks_kill(m->root_fd, k->manifest->addresses, k->manifest->n_addresses);
	if (k->state >= TAKEOVER_RELEASED)
		return;
	takeover_event(k, TAKEOVER_EVENT_CRIU_GONE);
	rollback_after(k, "criu ended before all processes were restored");
}

/* Until the tasks are ready nobody can have decided; then only the source knows. */
void takeover_destination_mover_gone(struct takeover_keeper *k)
{
	if (k->state < TAKEOVER_READY)
		rollback_after(k, "the connection to the source has ended");
	else if (k->state == TAKEOVER_READY && !k->decided)
		takeover_doubt_begin(k);
}

static bool is_lost(struct takeover_keeper *k)
{
	return !takeover_destination_all_here(k) || !takeover_master_are_known(k);
}

/* Without a word of a master all who could be would be it, and have no service. */
static void stand_in(struct takeover_keeper *k)
{
	bool has_it = k->state == TAKEOVER_READY || k->state == TAKEOVER_CLAIMED ||
		      k->state == TAKEOVER_RELEASED;

	takeover_stand_in_allow(0);
	takeover_stand_in_for_absent((has_it && !takeover_master_are_known(k)) ||
				     takeover_destination_speaks_after(k));
}

/* keepalived was restarted, perhaps. Then all is announced anew. */
static bool comes_back(struct takeover_keeper *k)
{
	long now = takeover_now_ms();

	if (!takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED) ||
	    now - k->ready_at_ms > k->config.hold_seconds * 1000L)
		return false;
	k->claimed_at_ms = now;
	k->round = 0;
	return true;
}

void takeover_destination_tick(struct takeover_keeper *k)
{
	long since = takeover_now_ms() - k->claimed_at_ms;

	stand_in(k);
	if (k->state == TAKEOVER_PREPARED)
		takeover_members_look(k);
	if (k->state == TAKEOVER_READY && k->mover_pid > 0 && !k->decided)
		takeover_doubt_ask(k);
	if (k->state != TAKEOVER_CLAIMED && k->state != TAKEOVER_RELEASED)
		return;
	if (k->state == TAKEOVER_RELEASED && !k->released) {
		for (size_t i = 0; k->manifest->has_secret && i < k->manifest->n_addresses; i++)
			takeover_words_say(k, i, TAKEOVER_WORD_RELEASED, 0, NULL);
		takeover_keeper_release(k);
		k->released = true;
		/* The source's keeper waits for the word that it runs. */
		if (takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED)) {
			k->claimed_at_ms = takeover_now_ms();
			k->round = since = 0;
		}
		takeover_journal(k, "released");
	}
	/* Takes time: when no packet waits any more. */
	if (k->released && k->opened_at_ms == 0 && !k->enlarged) {
		takeover_window_enlarge_segments(k->manifest->addresses, k->manifest->n_addresses);
		k->enlarged = true;
	}
	if (k->state == TAKEOVER_RELEASED && is_lost(k)) {
		if (!comes_back(k))
			k->state = TAKEOVER_DONE;
		return;
	}
	while (takeover_announce_schedule[k->round] >= 0 &&
	       since >= takeover_announce_schedule[k->round]) {
		takeover_destination_announce(k);
		k->round++;
	}
	if (k->state == TAKEOVER_RELEASED && takeover_announce_schedule[k->round] < 0)
		k->state = TAKEOVER_DONE;
}
