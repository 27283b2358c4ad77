/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A writable layer of overlayfs, or another directory that belongs to a container, as one tar file:
 * owners, hard links, whiteouts and extended attributes, by which overlayfs knows a directory that
 * hides the one below (linux Documentation/filesystems/overlayfs.rst).
 */
#ifndef LAYER_H
#define LAYER_H

#include <stddef.h>
#include <stdint.h>

/* About how many bytes layer_pack() would write, at most. */
uint64_t layer_bytes(const char *dir);

/* What is in @dir goes to the new file @name in @dirfd; nothing when it is empty. 0, or -errno and
 * one line. */
int layer_pack(const char *dir, int dirfd, const char *name, char *error, size_t len);

/* Back into @dir, which is there and empty, or as a runtime makes it; and the file is removed.
 * Nothing when there is no such file. */
int layer_unpack(int dirfd, const char *name, const char *dir, char *error, size_t len);

#endif
