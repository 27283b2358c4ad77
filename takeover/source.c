// SPDX-License-Identifier: GPL-2.0-only
/* The keeper on the source: withdraw, commit, hold for the new owner. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend.h"
#include "conntrack.h"
#include "doubt.h"
#include "netlink.h"
#include "service.h"
#include "source.h"
#include "source_checkpoint.h"
#include "task_sockets.h"
#include "tasks.h"

#define BACK_MS	   500
#define DYING_MS   5
#define UNHEARD_MS 3000 /* on one segment the first announcement comes before "runs" */

static void commit(struct takeover_keeper *k)
{
	k->state = TAKEOVER_COMMITTED;
	k->deadline_ms = takeover_now_ms() + k->config.hold_seconds * 1000L;
	takeover_journal(k, "committed");
}

/* Nobody has the service: without an address here its peers hear nothing, least of all
 * an RST. */
static void abandon(struct takeover_keeper *k, const char *why)
{
	/* An address that stays needs its guard: the kernel would answer for it. */
	if (takeover_source_withdraw(k) == 0 || k->state == TAKEOVER_WITHDRAWN) {
		takeover_keeper_say(k, 0, "%s", why);
		takeover_keeper_shut(k);
	}
	takeover_source_unlock(k);
	k->state = TAKEOVER_ABANDONED;
	takeover_journal(k, "abandoned");
}

/* The service is on this host again: what waits is for it. */
static void back(struct takeover_keeper *k)
{
	takeover_source_unlock(k);
	takeover_keeper_release(k);
	k->state = TAKEOVER_DONE;
	takeover_journal(k, "back on this host");
}

static void settle_no_more(struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		k->settled[i] = true;
}

/* For a restore here, whose keeper has the addresses from now on: if that fails, ours must not
 * call them back. */
static void make_way(struct takeover_keeper *k)
{
	back(k);
	settle_no_more(k);
}

static void rollback_after(struct takeover_keeper *k, const char *why)
{
	takeover_keeper_say(k, 0, "%s", why);
	takeover_source_rollback(k);
}

static enum takeover_task more(enum takeover_task most, pid_t pid)
{
	enum takeover_task state = takeover_task_state(pid);

	return state > most ? state : most;
}

/* The dumped trees' roots; before criu has named one, whoever had a socket. */
static enum takeover_task service_state(const struct takeover_keeper *k)
{
	enum takeover_task most = TAKEOVER_TASK_GONE;

	if (k->root_pid > 0)
		most = more(most, k->root_pid);
	for (size_t i = 0; i < k->n_members; i++)
		most = more(most, k->members[i].root_pid);
	for (size_t i = 0; i < k->n_tasks && k->root_pid == 0; i++)
		most = more(most, k->tasks[i]);
	/* By us. */
	if (k->halted && most == TAKEOVER_TASK_STOPPED)
		most = TAKEOVER_TASK_RUNS;
	return most;
}

/* The process has died, and criu is done with it. */
static void died(struct takeover_keeper *k)
{
	if (k->state == TAKEOVER_PREPARED)
		abandon(k, "the process died before its dump was complete; to start it anew here: "
			   "ip-takeover claim");
	else
		commit(k);
}

int takeover_source_request(struct takeover_keeper *k, const struct takeover_request *request)
{
	int ret = 0;

	if (k->checkpoint)
		return takeover_checkpoint_request(k, request);
	switch (request->verb) {
	case TAKEOVER_DUMP_PREPARED:
		break;
	case TAKEOVER_DUMP_BY:
		ret = k->state == TAKEOVER_PREPARED ? takeover_keeper_adopt(k, request->value)
						    : -ECANCELED;
		break;
	case TAKEOVER_DUMP_WITHDRAW:
		if (k->state == TAKEOVER_PREPARED && !takeover_members_wait(k))
			return -EINPROGRESS;
		ret = takeover_source_withdraw(k);
		if (ret < 0)
			takeover_source_rollback(k);
		else if (k->state == TAKEOVER_WITHDRAWN && k->mover_pid > 0)
			return -EINPROGRESS;
		break;
	case TAKEOVER_DUMP_EXIT:
		/* Withdrawn now if no script has done it. Without a connection that tells,
		 * criu's end will show what becomes of the tasks. The last one may have ended
		 * between the guard and the freeze, which still holds. */
		if (request->value == TAKEOVER_EXIT_NO_CONNECTION)
			takeover_service_count(k);
		if (request->value == TAKEOVER_EXIT_TASKS_DIE ||
		    (request->value == TAKEOVER_EXIT_NO_CONNECTION && k->n_connections == 0)) {
			ret = takeover_source_withdraw(k);
			/* The plugin ends criu then. */
			if (ret < 0)
				takeover_source_rollback(k);
		} else if (service_state(k) == TAKEOVER_TASK_GONE)
			died(k);
		else
			rollback_after(k, request->value == TAKEOVER_EXIT_FAILED
						  ? "criu could not dump it, see criu's log"
						  : "criu left it running");
		break;
	case TAKEOVER_AWAIT_HANDOVER:
		if (k->state == TAKEOVER_PREPARED)
			return -EINPROGRESS;
		if (k->state == TAKEOVER_ABANDONED)
			return -ECANCELED;
		break;
	case TAKEOVER_COMMIT:
		if (k->state < TAKEOVER_WITHDRAWN)
			return takeover_keeper_say(k, -EBUSY, "criu still dumps");
		if (k->state != TAKEOVER_WITHDRAWN)
			break;
		ret = takeover_keeper_mark(k);
		if (ret < 0)
			return takeover_keeper_say(
				k, ret, "cannot write to " TAKEOVER_RUN_DIR ": %s", strerror(-ret));
		commit(k);
		break;
	case TAKEOVER_ABORT:
		if (k->state > TAKEOVER_WITHDRAWN)
			return takeover_keeper_say(k, -EBUSY, "it is committed already");
		/* There is nobody to whom its packets could go. */
		if (k->state == TAKEOVER_PREPARED && service_state(k) == TAKEOVER_TASK_GONE)
			died(k);
		else
			rollback_after(k, "the other host could not take it");
		break;
	case TAKEOVER_MOVED:
		if (k->state != TAKEOVER_COMMITTED && k->state != TAKEOVER_DONE)
			return takeover_keeper_say(k, -EBUSY, "it is not committed");
		k->moved_at_ms = takeover_now_ms();
		break;
	case TAKEOVER_YIELD:
		/* Restored here: its guard stands behind ours. */
		if (k->state == TAKEOVER_DONE && request->value)
			settle_no_more(k);
		if (k->state == TAKEOVER_DONE)
			break;
		if (k->state != TAKEOVER_COMMITTED)
			return -EBUSY;
		if (request->value)
			make_way(k);
		break;
	case TAKEOVER_ROLLBACK:
		if (k->state == TAKEOVER_COMMITTED)
			return takeover_keeper_say(k, -EBUSY,
						   "the dumped process is %s restore its images "
						   "here to have it back",
						   service_state(k) == TAKEOVER_TASK_STOPPED
							   ? "stopped; end it, and"
							   : "dead;");
		if (k->state == TAKEOVER_WITHDRAWN)
			return takeover_keeper_say(k, -EBUSY,
						   "criu is about to end the process; kill "
						   "criu (pid %d) to roll back",
						   (int)k->criu_pid);
		takeover_source_rollback(k);
		break;
	default:
		ret = takeover_keeper_say(k, -EINVAL, "not a request for the source");
	}
	return ret;
}

/* Committed: they live on another host, and criu has not ended all of them. Until then they
 * are in repair mode, and nothing leaves. */
static void end_tasks(struct takeover_keeper *k)
{
	int fd = syscall(SYS_pidfd_open, k->root_pid, 0);

	takeover_tasks_kill(fd, k->manifest->addresses, k->manifest->n_addresses);
	if (fd >= 0)
		close(fd);
}

void takeover_source_criu_gone(struct takeover_keeper *k)
{
	enum takeover_task state = service_state(k);

	if (k->checkpoint) {
		takeover_checkpoint_criu_gone(k);
		return;
	}
	/* They run already, and the next thing that they do may be to read: EPERM. */
	if (k->criu_killed && state == TAKEOVER_TASK_RUNS && k->state < TAKEOVER_COMMITTED)
		takeover_tasks_end_repair_of(k->tasks, k->n_tasks, k->manifest->addresses,
					     k->manifest->n_addresses);
	/* Killed before it had undone its own */
	if (k->state == TAKEOVER_ROLLED_BACK || k->returning) {
		takeover_tasks_end_repair(k->manifest->addresses, k->manifest->n_addresses);
		takeover_source_unlock(k);
		return;
	}
	/* A task that takes its SIGKILL at this moment has neither mark. */
	if (state == TAKEOVER_TASK_RUNS) {
		poll(NULL, 0, DYING_MS);
		state = service_state(k);
	}
	if (k->state < TAKEOVER_COMMITTED &&
	    (state == TAKEOVER_TASK_RUNS ||
	     (state == TAKEOVER_TASK_STOPPED && k->state == TAKEOVER_PREPARED))) {
		rollback_after(k, "criu ended and left it running");
		return;
	}
	if (k->state == TAKEOVER_COMMITTED)
		end_tasks(k);
	else
		died(k);
}

void takeover_source_member_gone(struct takeover_keeper *k, struct takeover_member *m, bool killed)
{
	char why[80];

	if (k->state == TAKEOVER_COMMITTED) {
		takeover_tasks_kill(m->root_fd, k->manifest->addresses, k->manifest->n_addresses);
		return;
	}
	if (k->state == TAKEOVER_DONE || k->state == TAKEOVER_ABANDONED)
		return;
	/* As above. */
	if (killed)
		takeover_tasks_end_repair_of(k->tasks, k->n_tasks, k->manifest->addresses,
					     k->manifest->n_addresses);
	if (k->state == TAKEOVER_ROLLED_BACK || k->returning) {
		takeover_tasks_end_repair(k->manifest->addresses, k->manifest->n_addresses);
		takeover_source_unlock(k);
		return;
	}
	if (takeover_task_state(m->root_pid) == TAKEOVER_TASK_GONE)
		snprintf(why, sizeof(why), "process %d died before its dump was complete",
			 (int)m->root_pid);
	else
		snprintf(why, sizeof(why), "criu ended before process %d was dumped",
			 (int)m->root_pid);
	rollback_after(k, why);
}

/* Whoever was to decide. */
void takeover_source_mover_gone(struct takeover_keeper *k)
{
	if (k->state < TAKEOVER_COMMITTED && !k->returning)
		rollback_after(k, "ip-takeover migrate has ended");
}

static bool back_here(struct takeover_keeper *k)
{
	unsigned int connections = 0;

	if (!takeover_service_is_back(k, &connections)) {
		k->back_since_ms = 0;
		return false;
	}
	/* Listening sockets come first: wait for the others, unless they ended before the dump. */
	if (k->back_since_ms == 0)
		k->back_since_ms = takeover_now_ms();
	return connections >= k->n_connections || takeover_now_ms() - k->back_since_ms > BACK_MS;
}

/* A runtime ends the network of its container with it: no announcement reaches us then. */
static bool is_deaf(const struct takeover_keeper *k, size_t i)
{
	return k->netns.inode && if_nametoindex(k->manifest->addresses[i].device) == 0;
}

/* It has announced itself; or it runs, by the mover's word, and what moves the address there
 * reaches beyond this segment, or this segment is out of reach by now. */
static bool owner_is_there(const struct takeover_keeper *k, size_t i)
{
	return k->owner_known[i] ||
	       (k->moved_at_ms != 0 && takeover_now_ms() - k->moved_at_ms > UNHEARD_MS &&
		(is_deaf(k, i) || takeover_backend_is(k, i, TAKEOVER_BACKEND_EXEC)));
}

/* An owner may fail yet. keepalived would bring the addresses back here then, where nothing is
 * left that serves them. */
static bool stays_there(const struct takeover_keeper *k)
{
	return k->runs_there || k->moved_at_ms != 0 ||
	       !takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED);
}

/* It runs there, by the mover's word, but keepalived is not the master, or was killed: it is not
 * to be the master here either. */
static void end_unheard(struct takeover_keeper *k)
{
	k->unheard = true;
	takeover_keeper_say(k, 0,
			    "the service runs on the other host, but within %u s it has not said "
			    "that its keepalived is MASTER: see keepalived's log there. Here it "
			    "stays in FAULT until it hears that one, or until nobody answers for "
			    "the address any more",
			    k->config.hold_seconds);
	takeover_source_unlock(k);
	takeover_keeper_shut(k);
	takeover_conntrack_forget(k->manifest->addresses, k->manifest->n_addresses);
	k->state = TAKEOVER_DONE;
	takeover_journal(k, "stays in FAULT");
}

void takeover_source_tick(struct takeover_keeper *k)
{
	long now = takeover_now_ms();
	bool all;

	if (k->checkpoint) {
		takeover_checkpoint_tick(k);
		return;
	}
	takeover_doubt_answer(k);
	takeover_source_return(k);
	if (k->state == TAKEOVER_PREPARED && !k->silent && k->criu_fd >= 0 &&
	    takeover_members_frozen(k) && takeover_source_silence(k) == 0)
		takeover_event(k, "frozen");
	if (k->state != TAKEOVER_COMMITTED)
		return;
	takeover_source_relay(k);
	/* Committed by a mover: criu still ends the tasks. */
	if (k->mover_pid > 0 && (k->criu_fd >= 0 || !takeover_members_over(k)))
		return;
	if (back_here(k)) {
		back(k);
		return;
	}
	all = stays_there(k);
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		all = all && owner_is_there(k, i);
	/* It may have to give them back soon. */
	if (all)
		takeover_backend_settle(k);
	if (all && now > k->quiet_at_ms) {
		if (!takeover_keeper_unguard_gently(k))
			return;
		takeover_source_unlock(k);
		if (takeover_conntrack_forget(k->manifest->addresses, k->manifest->n_addresses) < 0)
			takeover_event(k, "connections still tracked");
		k->state = TAKEOVER_DONE;
	} else if (!all && now > k->deadline_ms && k->moved_at_ms != 0 &&
		   takeover_backend_any(k, TAKEOVER_BACKEND_KEEPALIVED)) {
		end_unheard(k);
	} else if (!all && now > k->deadline_ms) {
		char why[96];

		snprintf(why, sizeof(why),
			 "no new owner within %u s; restore the images where you like",
			 k->config.hold_seconds);
		abandon(k, why);
	}
}
