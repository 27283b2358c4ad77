/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the verbs of takeover-load share: time, a connection's start, the
 * ways a run ends, the files it leaves.
 */
#ifndef TAKEOVER_LOAD_H
#define TAKEOVER_LOAD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOAD_SECOND INT64_C(1000000000)
#define LOAD_MS INT64_C(1000000)

struct load_target {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* CLOCK_MONOTONIC in nanoseconds, CLOCK_REALTIME in seconds. */
int64_t load_now(void);
double load_realtime(void);
double load_seconds(int64_t ns);

/* ADDRESS is numeric, v4 or v6 (with %device if link-local). */
int load_resolve(const char *address, const char *port, struct load_target *ret_target);
/* Starts a connect; its end is the socket's EPOLLOUT. */
int load_connect(const struct load_target *target, int rcvbuf, int *ret_fd);
/* Room for n sockets, as far as the hard limit allows. */
int load_raise_files(size_t n);
/* SIGTERM and SIGINT from now on are read from the descriptor. */
int load_signals(int *ret_fd);

int load_parse_number(const char *text, int64_t min, int64_t max, int64_t *ret_number);
int load_parse_seconds(const char *text, int64_t *ret_ns);

/* Both appear at once and whole, or not at all. */
int load_touch(const char *path);
int load_write_json(const char *path, const json_t *json);

/* The verbs. They return the program's exit code. */
int redis_main(int argc, char **argv);
int download_main(int argc, char **argv);

#endif
