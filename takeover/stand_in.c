// SPDX-License-Identifier: GPL-2.0-only
/* Speaking for an instance of keepalived until it speaks for itself. By raw sockets beside
 * keepalived's: the kernel makes the IP header, and this host's firewall counts. In a thread of
 * its own: the first backup wakes after 4 ms, and a worker that lists addresses may wait longer
 * for the kernel's rtnl lock, which keepalived takes just then. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "netlink.h"
#include "stand_in.h"

#define INSTANCES_MAX 16
#define HURRY_MS      300 /* should a packet be lost */
#define SOON_MS	      5
#define BETWEEN_MS    100
#define PACKETS_MAX   64  /* at once; then the others have their turn */
#define TTL	      255 /* RFC 5798 section 5.1.1.3: anything else is dropped */

/* Made by the keeper, and its workers have them all. */
static struct voice {
	struct takeover_advert advert;
	int fd;
	long since_ms, said_ms; /* 0: silent */
	atomic_long master_ms;	/* when another master was heard; 0: not, or it has stepped down */
} voices[INSTANCES_MAX];
static size_t n_voices;
static int epoll_fd = -1;

/* Of this worker; the next one starts its own thread. */
static bool started;
static int wake_fd = -1;
static atomic_long allowed_ms;
static atomic_long absent_ms; /* since when none of its own speaks; or 0 */
static atomic_bool speaking;

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The source is given here: a socket that is bound to it would hear no multicast (linux
 * net/ipv4/raw.c, raw_v4_match). */
static int set_up_ipv4(int fd, const struct takeover_advert *a, int ifindex)
{
	struct ip_mreqn group = { .imr_ifindex = ifindex }, source = group;

	memcpy(&group.imr_multiaddr, a->group, 4);
	memcpy(&source.imr_address, a->source, 4);
	if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &source, sizeof(source)) < 0)
		return -errno;
	return set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
		       ?: set(fd, IPPROTO_IP, IP_MULTICAST_TTL, TTL)
		       ?: set(fd, IPPROTO_IP, IP_TOS, IPTOS_CLASS_CS6);
}

static int set_up_ipv6(int fd, const struct takeover_advert *a, int ifindex)
{
	struct sockaddr_in6 source = { .sin6_family = AF_INET6, .sin6_scope_id = ifindex };
	struct ipv6_mreq group = { .ipv6mr_interface = ifindex };

	memcpy(&source.sin6_addr, a->source, 16);
	memcpy(&group.ipv6mr_multiaddr, a->group, 16);
	if (bind(fd, (void *)&source, sizeof(source)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex)
		       ?: set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)
		       ?: set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, TTL)
		       ?: set(fd, IPPROTO_IPV6, IPV6_TCLASS, IPTOS_CLASS_CS6)
		       ?: set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

static int set_up(struct voice *v)
{
	const struct takeover_advert *a = &v->advert;
	struct epoll_event event = { .events = EPOLLIN };
	int ifindex = if_nametoindex(a->device), ret;

	if (ifindex == 0)
		return -ENODEV;
	if (setsockopt(v->fd, SOL_SOCKET, SO_BINDTODEVICE, a->device, strlen(a->device)) < 0)
		return -errno;
	ret = a->family == AF_INET ? set_up_ipv4(v->fd, a, ifindex)
				   : set_up_ipv6(v->fd, a, ifindex);
	if (ret == 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &event) < 0)
		ret = -errno;
	return ret;
}

static bool is_known(const struct takeover_advert *a)
{
	for (size_t i = 0; i < n_voices; i++)
		if (voices[i].advert.vrid == a->vrid && voices[i].advert.family == a->family &&
		    strcmp(voices[i].advert.device, a->device) == 0)
			return true;
	return false;
}

static int add(const struct takeover_advert *a)
{
	struct voice *v = &voices[n_voices];
	int ret;

	if (is_known(a))
		return 0;
	if (n_voices == INSTANCES_MAX)
		return -ENOSPC;
	v->advert = *a;
	v->fd = socket(a->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       TAKEOVER_ADVERT_PROTOCOL);
	if (v->fd < 0)
		return -errno;
	ret = set_up(v);
	if (ret < 0)
		close(v->fd);
	else
		n_voices++;
	return ret;
}

int takeover_stand_in_add(const struct takeover_advert *adverts, size_t n)
{
	int ret = 0;

	if (n > 0 && epoll_fd < 0 && (epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return -errno;
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = add(&adverts[i]);
	return ret;
}

/* The message, and who sent it; 0: not one to look at. */
static size_t message_of(const struct takeover_advert *a, struct msghdr *h,
			 const unsigned char *packet, size_t n, const unsigned char **ret_message,
			 const unsigned char **ret_source)
{
	const struct sockaddr_in6 *from = h->msg_name;
	int hops = 0;

	if (a->family == AF_INET) {
		size_t header = n < 20 ? 0 : (packet[0] & 0xf) * 4;

		if (header < 20 || header > n || packet[8] != TTL)
			return 0;
		*ret_message = packet + header;
		*ret_source = packet + 12;
		return n - header;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
	*ret_message = packet;
	*ret_source = (const unsigned char *)&from->sin6_addr;
	return hops == TTL ? n : 0;
}

/* What the last of them means for us. */
static void hear(struct voice *v, long now)
{
	unsigned char packet[60 + TAKEOVER_ADVERT_MAX];
	size_t ip = takeover_family_len(v->advert.family);

	for (int i = 0; i < PACKETS_MAX; i++) {
		const unsigned char *message = packet, *source = packet;
		char control[CMSG_SPACE(sizeof(int))];
		struct sockaddr_in6 from;
		struct iovec iov = { packet, sizeof(packet) };
		struct msghdr h = { .msg_name = &from,
				    .msg_namelen = sizeof(from),
				    .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(v->fd, &h, 0);
		int priority;

		if (n < 0)
			break;
		n = message_of(&v->advert, &h, packet, n, &message, &source);
		priority = takeover_advert_priority(message, n, source, &v->advert);
		/* Not its own keepalived's. */
		if (priority < 0 || memcmp(source, v->advert.source, ip) == 0)
			continue;
		/* Another master would answer each of ours. */
		v->since_ms = priority == 0 ? now : 0;
		atomic_store(&v->master_ms, priority == 0 ? 0 : now);
		v->said_ms = 0;
	}
}

static void speak(const struct voice *v, unsigned int priority)
{
	struct takeover_advert said = v->advert, *a = &said;
	struct sockaddr_in group = { .sin_family = AF_INET };
	struct sockaddr_in6 group6 = { .sin6_family = AF_INET6,
				       .sin6_scope_id = if_nametoindex(a->device) };
	bool v4 = a->family == AF_INET;
	unsigned char message[TAKEOVER_ADVERT_MAX];
	size_t n;

	memcpy(&group.sin_addr, a->group, 4);
	memcpy(&group6.sin6_addr, a->group, 16);
	said.priority = priority;
	if (takeover_advert_build(message, sizeof(message), a, &n) == 0)
		sendto(v->fd, message, n, 0, v4 ? (void *)&group : (void *)&group6,
		       v4 ? sizeof(group) : sizeof(group6));
}

/* RFC 5798 section 6.1: after so long a master is down. */
static bool hears_master(struct voice *v, long now)
{
	long heard = atomic_load(&v->master_ms);

	return heard != 0 && now - heard < 4L * v->advert.interval_ms;
}

/* Since when it is to speak; 0: it is not. */
static long speaks_since(struct voice *v, long now)
{
	long absent = atomic_load(&absent_ms);

	if (v->since_ms != 0 && now - v->since_ms < atomic_load(&allowed_ms))
		return v->since_ms;
	v->since_ms = 0;
	return hears_master(v, now) ? 0 : absent;
}

static void speak_or_not(struct voice *v, long now, bool *speaks)
{
	long since;

	hear(v, now);
	since = speaks_since(v, now);
	if (since == 0)
		return;
	*speaks = true;
	if (now - v->said_ms < (now - since < HURRY_MS ? SOON_MS : BETWEEN_MS))
		return;
	speak(v, v->advert.priority);
	v->said_ms = now;
}

void takeover_stand_in_step_down(void)
{
	for (size_t i = 0; i < n_voices; i++)
		if (!hears_master(&voices[i], takeover_now_ms()))
			speak(&voices[i], 0);
}

bool takeover_stand_in_hears_master(void)
{
	size_t i = 0;

	while (i < n_voices && hears_master(&voices[i], takeover_now_ms()))
		i++;
	return n_voices > 0 && i == n_voices;
}

/* A master that dies says nothing more. */
static int patience(bool speaks)
{
	return speaks ? SOON_MS : atomic_load(&absent_ms) != 0 ? BETWEEN_MS : -1;
}

static void *run(void *unused)
{
	const struct sched_param lowest = { .sched_priority = 1 };
	struct epoll_event event;
	bool speaks = false;

	/* Before all that is not of real time, where that is permitted (CAP_SYS_NICE). */
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
	for (;;) {
		epoll_wait(epoll_fd, &event, 1, patience(speaks));
		speaks = false;
		for (size_t i = 0; i < n_voices; i++)
			speak_or_not(&voices[i], takeover_now_ms(), &speaks);
		atomic_store(&speaking, speaks);
	}
	return unused;
}

/* The signals are the worker's. */
static void start(void)
{
	/* Each write is an event, and need not be read. */
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	sigset_t all, before;
	pthread_t thread;

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) < 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, run, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_detach(thread);
}

void takeover_stand_in_allow(long ms)
{
	atomic_store(&allowed_ms, ms);
	if (n_voices > 0 && !started)
		start();
}

void takeover_stand_in_for_absent(bool speak)
{
	long since = speak ? takeover_now_ms() : 0;

	if (n_voices > 0 && !started)
		start();
	if ((atomic_load(&absent_ms) != 0) == speak)
		return;
	atomic_store(&absent_ms, since);
	if (started)
		eventfd_write(wake_fd, 1);
}

bool takeover_stand_in_speaks(void)
{
	return atomic_load(&speaking);
}
