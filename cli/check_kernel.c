// SPDX-License-Identifier: GPL-2.0-only
/* Checks of what the kernel offers: guard, hold, sock_diag, TCP_REPAIR, pidfd_getfd. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "guard.h"
#include "hold.h"
#include "sockets.h"

#define PATIENCE_S 10

struct trial {
	enum {
		TRIAL_NAMESPACE,
		TRIAL_HOLD,
		TRIAL_GUARD,
		TRIAL_DONE,
	} step;
	int ret;
	enum takeover_guard_mode mode;
};

/* A real guard with a bound queue, for addresses of the documentation. */
static struct trial try_guard(bool v6)
{
	struct takeover_hold *in = NULL, *out = NULL;
	struct trial trial = { TRIAL_NAMESPACE, 0, TAKEOVER_GUARD_DROP };
	struct takeover_guard *guard = NULL;
	struct takeover_address addresses[2];
	struct takeover_guard_plan plan = {
		.name = "check", .addresses = addresses, .n = v6 ? 2 : 1, .muted = true
	};

	takeover_address_parse("192.0.2.255", &addresses[0]);
	takeover_address_parse("2001:db8::ffff", &addresses[1]);
	if (unshare(CLONE_NEWNET) < 0) {
		trial.ret = -errno;
		return trial;
	}
	trial.step = TRIAL_HOLD;
	trial.ret = takeover_hold_open(16, true, &in) ?: takeover_hold_open(16, false, &out);
	if (trial.ret == 0) {
		trial.step = TRIAL_GUARD;
		plan.queue = takeover_hold_queue(in);
		plan.queue_out = takeover_hold_queue(out);
		trial.ret = takeover_guard_set(&plan, &guard);
	}
	if (trial.ret == 0) {
		trial.step = TRIAL_DONE;
		trial.mode = takeover_guard_mode(guard);
	}
	takeover_guard_free(guard);
	takeover_hold_close(in);
	takeover_hold_close(out);
	return trial;
}

/* In a network namespace that ends with the child, however that ends. In the host's own the
 * removal would drop what a takeover holds there (linux net/netfilter/nf_queue.c,
 * nf_queue_nf_hook_drop). */
static int try_guard_aside(bool v6, struct trial *ret_trial)
{
	struct trial trial;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		alarm(PATIENCE_S);
		trial = try_guard(v6);
		n = write(fds[1], &trial, sizeof(trial));
		_exit(n != sizeof(trial));
	}
	n = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (pid > 0) {
		do
			n = read(fds[0], &trial, sizeof(trial));
		while (n < 0 && errno == EINTR);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	if (n != sizeof(trial))
		return n < 0 ? (int)n : -ETIMEDOUT;
	*ret_trial = trial;
	return 0;
}

void check_guard(struct checks *c)
{
	struct trial trial = { 0 };
	bool v6 = false;
	int ret;

	if (!c->root) {
		check_needs_root(c, "guard");
		return;
	}
	for (size_t i = 0; i < c->config.n_addresses; i++)
		v6 = v6 || c->config.addresses[i].family == AF_INET6;
	ret = try_guard_aside(v6, &trial);
	if (ret < 0 || trial.step == TRIAL_NAMESPACE)
		check_say(c, CHECK_WARNING, "guard",
			  "a kernel with CONFIG_NET_NS, and CAP_SYS_ADMIN",
			  "not tried, for that needs a network namespace: %s",
			  strerror(ret < 0 ? -ret : -trial.ret));
	else if (trial.step == TRIAL_HOLD)
		check_say(c, CHECK_NO, "guard", "a kernel with CONFIG_NETFILTER_NETLINK_QUEUE",
			  "cannot bind a packet queue: %s", strerror(-trial.ret));
	else if (trial.step == TRIAL_GUARD)
		check_say(c, CHECK_NO, "guard",
			  "a kernel with nftables, families ip, arp and (for IPv6) ip6",
			  "nftables refuses its rules: %s", strerror(-trial.ret));
	else if (trial.mode == TAKEOVER_GUARD_DROP)
		check_say(c, CHECK_WARNING, "guard",
			  "a kernel with CONFIG_NFT_QUEUE, or CONFIG_NFT_COMPAT and "
			  "CONFIG_NETFILTER_XT_TARGET_NFQUEUE",
			  "packets are dropped, not held: peers wait for their own timers");
	else
		check_say(c, CHECK_OK, "guard", NULL, "nftables, packets are held by %s",
			  takeover_guard_mode_name(trial.mode));
}

void check_sockets(struct checks *c)
{
	struct takeover_sockets found = { 0 };
	int ret = takeover_sockets_list(&found);

	free(found.all);
	if (ret < 0)
		check_say(c, CHECK_NO, "sock_diag",
			  "a kernel with CONFIG_INET_DIAG, CONFIG_INET_TCP_DIAG, "
			  "CONFIG_INET_UDP_DIAG",
			  "cannot list sockets: %s", strerror(-ret));
	else
		check_say(c, CHECK_OK, "sock_diag", NULL, "sockets can be listed");
}

/* A socket that was never connected: nothing is sent. */
void check_repair(struct checks *c)
{
	int on = 1, ret = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	if (ret < 0 && !c->root)
		check_needs_root(c, "TCP_REPAIR");
	else if (ret < 0)
		check_say(c, CHECK_NO, "TCP_REPAIR",
			  "CAP_NET_ADMIN in the user namespace of this network namespace",
			  "refused: %s", strerror(-ret));
	else
		check_say(c, CHECK_OK, "TCP_REPAIR", NULL, "allowed");
}

void check_pidfd(struct checks *c)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	int fd = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);

	if (pidfd < 0)
		check_say(c, CHECK_NO, "pidfd", "Linux 5.6 or newer",
			  "pidfd_open: %s: criu cannot be watched", strerror(errno));
	else if (fd < 0)
		check_say(c, CHECK_WARNING, "pidfd", "Linux 5.6 or newer",
			  "pidfd_getfd: %s: sockets stay in repair mode when criu is killed",
			  strerror(errno));
	else
		check_say(c, CHECK_OK, "pidfd", NULL, "pidfd_open and pidfd_getfd");
	if (fd >= 0)
		close(fd);
	if (pidfd >= 0)
		close(pidfd);
}
