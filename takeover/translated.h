/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A takeover of a service that is behind this host's translation (inner.h). The keeper stays in the
 * host's network namespace, where the service address is. The connections' translations (nat.h) go
 * along with the images. What the sockets send is forwarded, which the guard of the service
 * address does not see: a guard of their own mutes them, on the source from the freeze on, on the
 * destination until the release.
 */
#ifndef TAKEOVER_TRANSLATED_H
#define TAKEOVER_TRANSLATED_H

#include "keeper.h"

/* Beside the manifest: a list as of takeover_nat_format(). */
#define TAKEOVER_NAT_NAME "ip-takeover-nat.json"

/* Whether this one is: its environment says so on the source, the manifest on the destination. */
bool takeover_translated_is(struct takeover_keeper *keeper);

/* Open the view of the namespace at @path. 0, or -errno with keeper->message set. */
int takeover_translated_open(struct takeover_keeper *keeper, const char *path);

/* On the source, when nothing more comes through: the translations, into the image directory. On
 * the destination, behind the guard, before the sockets are there: the sockets' own guard, and
 * the translations. As above; nothing, where it is none. */
int takeover_translated_save(struct takeover_keeper *keeper);
int takeover_translated_load(struct takeover_keeper *keeper);

/* Nothing leaves the sockets any more; as above. Or it does again:
 * 0, also when it did; or -errno. */
int takeover_translated_mute(struct takeover_keeper *keeper);
int takeover_translated_release(struct takeover_keeper *keeper);

/* On the destination: forget it all again. */
void takeover_translated_undo(struct takeover_keeper *keeper);

#endif
