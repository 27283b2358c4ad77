/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hold: the NFQUEUE behind the guard. Packets wait in the kernel, in order,
 * until they are released (on through the stack), or read out and dropped here
 * because the relay has sent them to the new owner.
 */
#ifndef TAKEOVER_HOLD_H
#define TAKEOVER_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct takeover_hold;

/* The queues of which each hold binds a free one. */
#define TAKEOVER_HOLD_FIRST  0x7400
#define TAKEOVER_HOLD_QUEUES 64

/* One held packet; @payload (the IP packet) is NULL unless the hold was opened
 * with @copy, and valid only during the call. */
typedef void takeover_hold_fn(void *data, uint32_t id, const void *payload, size_t len);

/* Bind a free queue of this network namespace for at most @max_packets. With
 * @copy each packet's bytes come along. -EBUSY when no number is free,
 * -EPERM without CAP_NET_ADMIN. Closing
 * (or dying) makes the kernel drop what is held: never an RST
 * (linux net/netfilter/nfnetlink_queue.c). Free with takeover_hold_close(). */
int takeover_hold_open(uint32_t max_packets, bool copy, struct takeover_hold **ret_hold);

/* The queue's number, for the guard; and its descriptor, readable when packets wait. */
uint16_t takeover_hold_queue(const struct takeover_hold *hold);
int takeover_hold_fd(const struct takeover_hold *hold);

/* Read what there is, without waiting; @fn (may be NULL) sees each packet.
 * *@ret_n: how many. -ENOBUFS when the kernel had to drop some. */
int takeover_hold_read(struct takeover_hold *hold, takeover_hold_fn *fn, void *data,
		       unsigned int *ret_n);

/* Let everything held so far go on through the stack, in order, by one verdict. */
int takeover_hold_release(struct takeover_hold *hold);

/* Let packet @id alone go on, or drop it alone. */
int takeover_hold_pass(struct takeover_hold *hold, uint32_t id, bool accept);

void takeover_hold_close(struct takeover_hold *hold);

#endif
