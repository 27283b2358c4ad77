// SPDX-License-Identifier: GPL-2.0-only
/* The addresses of a takeover, each by its backend. */
#include <errno.h>
#include <poll.h>

#include "backend.h"

#define STEP_MS 1

static const struct takeover_backend *const backends[] = {
	[TAKEOVER_BACKEND_GARP] = &takeover_backend_garp,
	[TAKEOVER_BACKEND_KEEPALIVED] = &takeover_backend_keepalived,
	[TAKEOVER_BACKEND_EXEC] = &takeover_backend_exec,
};

typedef int op_fn(struct takeover_keeper *k, size_t i);

enum op { PREPARE, WITHDRAW, PUT_BACK, CLAIM, LET_GO, SETTLE };

static enum takeover_backend_kind kind_of(const struct takeover_keeper *k, size_t i)
{
	return takeover_config_backend(&k->config, &k->manifest->addresses[i])->kind;
}

bool takeover_backend_is(const struct takeover_keeper *k, size_t i, enum takeover_backend_kind kind)
{
	return kind_of(k, i) == kind;
}

bool takeover_backend_any(const struct takeover_keeper *k, enum takeover_backend_kind kind)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		if (kind_of(k, i) == kind)
			return true;
	return false;
}

static op_fn *op_of(const struct takeover_keeper *k, size_t i, enum op op)
{
	const struct takeover_backend *b = backends[kind_of(k, i)];

	switch (op) {
	case PREPARE:
		return b->prepare;
	case WITHDRAW:
		return b->withdraw;
	case PUT_BACK:
		return b->put_back;
	case CLAIM:
		return b->claim;
	case LET_GO:
		return b->let_go;
	default:
		return b->settle;
	}
}

/* Begin with all of them, since one may wait for another. Of an earlier call: @done, and the
 * first failure, in *@failed. */
static int go_on(struct takeover_keeper *k, enum op op, bool *done, int *failed)
{
	bool undo = op == PUT_BACK || op == LET_GO || op == SETTLE;
	int ret = 0;

	for (size_t i = 0; i < k->manifest->n_addresses; i++) {
		op_fn *fn = op_of(k, i, op);
		int one = fn && !done[i] ? fn(k, i) : 0;

		done[i] = one != -EINPROGRESS;
		if (one == -EINPROGRESS)
			ret = one;
		else if (one < 0 && *failed == 0)
			*failed = one;
		if (*failed < 0 && !undo)
			return *failed;
	}
	return ret ?: *failed;
}

static int wait_for(struct takeover_keeper *k, enum op op)
{
	bool done[TAKEOVER_ADDRESSES_MAX] = { false };
	int ret, failed = 0;

	while ((ret = go_on(k, op, done, &failed)) == -EINPROGRESS) {
		poll(NULL, 0, STEP_MS);
		if (k->role == TAKEOVER_SOURCE && op != PREPARE)
			takeover_keeper_read(k);
	}
	return ret;
}

int takeover_backend_prepare(struct takeover_keeper *k)
{
	return wait_for(k, PREPARE);
}

int takeover_backend_withdraw(struct takeover_keeper *k)
{
	return wait_for(k, WITHDRAW);
}

int takeover_backend_claim(struct takeover_keeper *k)
{
	return wait_for(k, CLAIM);
}

int takeover_backend_let_go(struct takeover_keeper *k)
{
	return wait_for(k, LET_GO);
}

int takeover_backend_put_back(struct takeover_keeper *k)
{
	int failed = 0;

	return go_on(k, PUT_BACK, k->undone, &failed);
}

int takeover_backend_settle(struct takeover_keeper *k)
{
	int failed = 0;

	return go_on(k, SETTLE, k->settled, &failed);
}
