// SPDX-License-Identifier: GPL-2.0-only
/* The addresses leave the source, with the routes that use them; or come back to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "halt.h"
#include "locks.h"
#include "service.h"
#include "source.h"
#include "stand_in.h"
#include "task_sockets.h"
#include "translated.h"

static void advise(struct takeover_keeper *k)
{
	struct takeover_locks locks = { 0 };

	if (takeover_locks_list(&locks) < 0)
		return;
	takeover_locks_keep(&locks, k->manifest->addresses, k->manifest->n_addresses);
	if (locks.n > 0)
		takeover_keeper_add(k, "criu has locked the connections, too; the guard is enough: "
				       "--network-lock skip spares the time");
	free(locks.all);
}

/* CRIU leaves its locks when it is killed and when the tasks die; they would lock the
 * service out when it comes back. */
void takeover_source_unlock(struct takeover_keeper *k)
{
	int ret = takeover_locks_clear(k->manifest->addresses, k->manifest->n_addresses,
				       k->netns.inode != 0);

	if (ret < 0)
		takeover_keeper_add(k, "cannot remove CRIU's own locks: %s; see ip-takeover clean",
				    strerror(-ret));
	if (ret > 0)
		takeover_event(k, "CRIU's locks removed");
}

/* A host that loses a service keeps its ways out. */
static void detach_routes(struct takeover_keeper *k)
{
	char text[200];
	int ret;

	if (!k->routes)
		return;
	k->routes_detached = true;
	ret = takeover_routes_detach(k->routes);
	takeover_routes_format(k->routes, text, sizeof(text));
	if (ret < 0)
		takeover_keeper_add(k, "%s: cannot take their source address off: %s", text,
				    strerror(-ret));
	else if (text[0])
		takeover_keeper_add(k,
				    "routes that lose their source address with it: %s; set "
				    "another one",
				    text);
}

static void restore_routes(struct takeover_keeper *k)
{
	char text[200];
	int ret;

	if (!k->routes_detached)
		return;
	k->routes_detached = false;
	ret = takeover_routes_restore(k->routes);
	if (ret < 0)
		takeover_keeper_add(k, "cannot put back the source address of %s: %s",
				    takeover_routes_format(k->routes, text, sizeof(text)),
				    strerror(-ret));
}

int takeover_source_withdraw(struct takeover_keeper *k)
{
	int ret;

	if (k->state != TAKEOVER_PREPARED)
		return 0;
	takeover_journal(k, "withdraw");
	ret = takeover_service_check(k) ?: takeover_source_silence(k);
	if (ret < 0)
		return ret;
	takeover_source_last_words(k);
	ret = takeover_translated_save(k);
	if (ret < 0)
		return ret;
	detach_routes(k);
	ret = takeover_backend_withdraw(k);
	if (ret < 0)
		return ret;
	k->state = TAKEOVER_WITHDRAWN;
	k->manifest->withdrawn = true;
	ret = takeover_manifest_write(k->images_fd, k->manifest);
	if (ret < 0)
		return takeover_keeper_say(k, ret, "cannot write %s into the image directory: %s",
					   TAKEOVER_MANIFEST_NAME, strerror(-ret));
	takeover_halt(k);
	advise(k);
	takeover_journal(k, "withdrawn");
	return 0;
}

/* Another host has it: a second owner would be worse than a process without an address,
 * which what is left of the guard keeps quiet. */
static bool taken(struct takeover_keeper *k)
{
	char text[TAKEOVER_ADDRESS_STRLEN];
	size_t i = 0;

	while (i < k->manifest->n_addresses && !k->owner_known[i])
		i++;
	if (i == k->manifest->n_addresses)
		return false;
	takeover_keeper_add(k,
			    "%s is in use by %02x:%02x:%02x:%02x:%02x:%02x and stays off; end the "
			    "process here, then ip-takeover rollback",
			    takeover_address_ip(&k->manifest->addresses[i], text, sizeof(text)),
			    k->owner[i][0], k->owner[i][1], k->owner[i][2], k->owner[i][3],
			    k->owner[i][4], k->owner[i][5]);
	takeover_tasks_end_repair(k->manifest->addresses, k->manifest->n_addresses);
	takeover_halt_end(k);
	if (k->criu_fd < 0)
		takeover_source_unlock(k);
	takeover_keeper_leave_shut(k);
	k->state = TAKEOVER_ABANDONED;
	takeover_journal(k, "abandoned");
	return true;
}

/* The addresses are here again, or will not come. */
static void rolled_back(struct takeover_keeper *k)
{
	k->returning = false;
	restore_routes(k);
	/* criu does both itself, unless it was killed. */
	takeover_tasks_end_repair(k->manifest->addresses, k->manifest->n_addresses);
	takeover_halt_end(k);
	if (k->criu_fd < 0)
		takeover_source_unlock(k);
	takeover_keeper_release(k);
	/* The images are of no use any more: their connections go on here. */
	unlinkat(k->images_fd, TAKEOVER_MANIFEST_NAME, 0);
	k->state = TAKEOVER_ROLLED_BACK;
	takeover_journal(k, "rolled back");
}

void takeover_source_rollback(struct takeover_keeper *k)
{
	takeover_journal(k, "rollback");
	if (taken(k))
		return;
	k->returning = true;
	takeover_source_return(k);
	if (k->returning)
		takeover_journal(k, "returning");
}

/* Should the other host give it up again: it is to come back to nobody else. */
static void stand_in(struct takeover_keeper *k)
{
	long ms = 0;

	for (size_t i = 0; k->state == TAKEOVER_WITHDRAWN && i < k->manifest->n_addresses; i++)
		if (!k->undone[i] && k->vrrp[i].patience_ms > ms)
			ms = k->vrrp[i].patience_ms;
	takeover_stand_in_allow(ms);
}

void takeover_source_return(struct takeover_keeper *k)
{
	stand_in(k);
	if (k->returning && takeover_backend_put_back(k) != -EINPROGRESS)
		rolled_back(k);
}
