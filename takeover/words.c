// SPDX-License-Identifier: GPL-2.0-only
/* By a packet socket an address. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "segment.h"
#include "words.h"

#define FRAMES_MAX 16 /* at once; then the others have their turn */

/* Of this worker; the next one makes its own. 0: none */
static int fds[TAKEOVER_ADDRESSES_MAX];

static int fd_of(const struct takeover_keeper *k, size_t i)
{
	if (fds[i] <= 0)
		fds[i] = takeover_segment_open(k->manifest->addresses[i].device);
	return fds[i];
}

int takeover_words_prepare(struct takeover_keeper *k)
{
	struct takeover_manifest *m = k->manifest;

	if (getrandom(m->secret, sizeof(m->secret), 0) != sizeof(m->secret))
		return takeover_keeper_say(k, -errno, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < m->n_addresses; i++)
		memcpy(m->source[i], takeover_wire_mac(k->wires[i]), TAKEOVER_MAC_LEN);
	m->has_secret = true;
	return 0;
}

void takeover_words_listen(const struct takeover_keeper *k)
{
	for (size_t i = 0; i < k->manifest->n_addresses; i++)
		fd_of(k, i);
}

bool takeover_words_hear(const struct takeover_keeper *k, size_t i, struct takeover_word *word,
			 unsigned char *ret_from)
{
	unsigned char frame[256];

	if (fd_of(k, i) < 0)
		return false;
	for (int n = 0; n < FRAMES_MAX; n++) {
		ssize_t len = recv(fds[i], frame, sizeof(frame), 0);

		if (len < 0)
			return false;
		*word = (struct takeover_word){ .id = k->manifest->id,
						.epoch = k->manifest->epoch };
		if (takeover_word_parse(frame, len, word, k->manifest->secret) < 0)
			continue;
		memcpy(ret_from, frame + TAKEOVER_MAC_LEN, TAKEOVER_MAC_LEN);
		return true;
	}
	return false;
}

void takeover_words_say(const struct takeover_keeper *k, size_t i, enum takeover_word_state state,
			uint64_t nonce, const unsigned char *to)
{
	const struct takeover_word word = { state, k->manifest->id, k->manifest->epoch, nonce };
	unsigned char frame[TAKEOVER_WORD_LEN];

	takeover_word_build(frame, &word, k->manifest->secret, takeover_wire_mac(k->wires[i]), to);
	if (fd_of(k, i) >= 0)
		send(fds[i], frame, sizeof(frame), MSG_NOSIGNAL);
}
