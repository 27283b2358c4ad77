/* SPDX-License-Identifier: GPL-2.0-only */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed hash for short messages. */
#ifndef TAKEOVER_SIPHASH_H
#define TAKEOVER_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define TAKEOVER_SECRET_LEN 16

uint64_t takeover_siphash(const unsigned char key[TAKEOVER_SECRET_LEN], const void *data, size_t n);

#endif
