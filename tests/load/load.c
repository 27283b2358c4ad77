// SPDX-License-Identifier: GPL-2.0-only
/* What the verbs of takeover-load share. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

int64_t load_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * LOAD_SECOND + ts.tv_nsec;
}

double load_realtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double load_seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

int load_resolve(const char *address, const char *port, struct load_target *ret_target)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;

	if (getaddrinfo(address, port, &hints, &found))
		return -EINVAL;
	memset(ret_target, 0, sizeof(*ret_target));
	memcpy(&ret_target->addr, found->ai_addr, found->ai_addrlen);
	ret_target->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int load_connect(const struct load_target *target, int rcvbuf, int *ret_fd)
{
	int fd, err, on = 1;

	fd = socket(target->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A receive buffer set after the connect no longer bounds the window scale. */
	if (rcvbuf && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)))
		goto out;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		goto out;
	if (connect(fd, (const struct sockaddr *)&target->addr, target->len) &&
	    errno != EINPROGRESS)
		goto out;
	*ret_fd = fd;
	return 0;
out:
	err = -errno;
	close(fd);
	return err;
}

int load_raise_files(size_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	return limit.rlim_cur < n + 16 ? -EMFILE : 0;
}

int load_signals(int *ret_fd)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int load_parse_number(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
	long long number;
	char *end;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int load_parse_seconds(const char *text, int64_t *ret_ns)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e6)
		return -EINVAL;
	*ret_ns = (int64_t)(seconds * 1e9);
	return 0;
}

int load_touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int load_write_json(const char *path, const json_t *json)
{
	char temporary[4096];
	int len, err;

	len = snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(temporary))
		return -ENAMETOOLONG;
	if (json_dump_file(json, temporary, JSON_INDENT(1) | JSON_REAL_PRECISION(16)))
		goto out;
	if (rename(temporary, path))
		goto out;
	return 0;
out:
	err = errno ? -errno : -EIO;
	unlink(temporary);
	return err;
}
