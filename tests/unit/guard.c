// SPDX-License-Identifier: GPL-2.0-only
/* The guard and the hold on a real netfilter, between two ends of a veth. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guard.h"
#include "hold.h"
#include "unit.h"

static struct takeover_address address[2];

/* A namespace with a peer namespace behind a veth: "ip netns" without the names. */
static void setup(void)
{
	unit_need_netns();
	unit_run("ip link add eth0 type veth peer name peer0 && ip link set eth0 up && "
		 "ip link set peer0 up && ip addr add 192.0.2.100/24 dev eth0 && "
		 "ip -6 addr add 2001:db8::100/64 dev eth0 nodad");
	assert_int_equal(takeover_address_parse("192.0.2.100/24", &address[0]), 0);
	assert_int_equal(takeover_address_parse("2001:db8::100/64", &address[1]), 0);
}

static int set_guard(size_t n, const struct takeover_hold *in, const struct takeover_hold *out,
		     struct takeover_guard **ret_guard)
{
	struct takeover_guard_plan plan = {
		.name = "unit",
		.addresses = address,
		.n = n,
		.queue = in ? takeover_hold_queue(in) : 1,
		.queue_out = out ? takeover_hold_queue(out) : 2,
		.muted = in && out,
	};

	return takeover_guard_set(&plan, ret_guard);
}

static int udp_socket(int family)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(7000) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(7000) };
	struct timeval patience = { .tv_usec = 200000 };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(&sin.sin_addr, address[0].ip, 4);
	memcpy(&sin6.sin6_addr, address[1].ip, 16);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(family == AF_INET ? bind(fd, (void *)&sin, sizeof(sin))
					   : bind(fd, (void *)&sin6, sizeof(sin6)),
			 0);
	return fd;
}

/* A datagram from the address to itself passes prerouting like any other. */
static void send_to_self(int fd, const char *text)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	assert_int_equal(getsockname(fd, (void *)&name, &len), 0);
	assert_int_equal(sendto(fd, text, strlen(text), 0, (void *)&name, len), strlen(text));
}

static void holds_in_order_and_releases(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct takeover_guard *guard;
	struct takeover_hold *hold, *hold_out;
	char buf[16];

	(void)state;
	setup();
	assert_int_equal(takeover_hold_open(1024, false, &hold), 0);
	assert_int_equal(takeover_hold_open(1024, false, &hold_out), 0);
	assert_int_equal(set_guard(2, hold, hold_out, &guard), 0);
	assert_int_not_equal(takeover_guard_mode(guard), TAKEOVER_GUARD_DROP);
	for (size_t f = 0; f < 2; f++) {
		int fd = udp_socket(families[f]);
		unsigned int n = 0;

		send_to_self(fd, "one");
		send_to_self(fd, "two");
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), -1);
		assert_int_equal(errno, EAGAIN);
		/* Muted, it holds what leaves: only once let out do they come in. */
		assert_int_equal(takeover_hold_read(hold_out, NULL, NULL, &n), 0);
		assert_int_equal(n, 2);
		assert_int_equal(takeover_hold_release(hold_out), 0);
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), -1);
		assert_int_equal(takeover_hold_read(hold, NULL, NULL, &n), 0);
		assert_int_equal(n, 2);
		assert_int_equal(takeover_hold_release(hold), 0);
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), 3);
		assert_memory_equal(buf, "one", 3);
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), 3);
		assert_memory_equal(buf, "two", 3);
		close(fd);
	}
	assert_int_equal(takeover_guard_unmute(guard), 0);
	assert_int_equal(takeover_guard_open(guard), 0);
	{
		int fd = udp_socket(AF_INET);

		send_to_self(fd, "three");
		assert_int_equal(recv(fd, buf, sizeof(buf), 0), 5);
		close(fd);
	}
	assert_int_equal(takeover_guard_remove("unit"), 0);
	assert_int_equal(takeover_guard_remove("unit"), 0);
	takeover_guard_free(guard);
	takeover_hold_close(hold);
	takeover_hold_close(hold_out);
}

static void one_guard_of_a_name(void **state)
{
	struct takeover_guard *guard, *second = NULL;

	(void)state;
	setup();
	assert_int_equal(set_guard(1, NULL, NULL, &guard), 0);
	assert_int_equal(set_guard(1, NULL, NULL, &second), -EEXIST);
	assert_null(second);
	assert_int_equal(takeover_guard_remove("unit"), 0);
	takeover_guard_free(guard);
}

static void drops_when_the_owner_of_the_queue_dies(void **state)
{
	struct takeover_guard *guard;
	struct takeover_hold *hold;
	char buf[16];
	int fd;

	(void)state;
	setup();
	assert_int_equal(takeover_hold_open(1024, false, &hold), 0);
	assert_int_equal(set_guard(1, hold, NULL, &guard), 0);
	fd = udp_socket(AF_INET);
	/* Set like this it holds only new connections, until told otherwise. */
	send_to_self(fd, "zero");
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 4);
	assert_int_equal(takeover_guard_hold(guard), 0);
	send_to_self(fd, "one");
	takeover_hold_close(hold);
	send_to_self(fd, "two");
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), -1);
	close(fd);
	assert_int_equal(takeover_guard_remove("unit"), 0);
	takeover_guard_free(guard);
}

static void a_silenced_address_says_nothing(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct takeover_guard *guard;
	struct takeover_hold *out;
	unsigned int n;
	int fd;

	(void)state;
	setup();
	assert_int_equal(takeover_hold_open(1024, false, &out), 0);
	assert_int_equal(set_guard(2, NULL, out, &guard), 0);
	fd = udp_socket(AF_INET);
	inet_pton(AF_INET, "192.0.2.3", &sin.sin_addr);
	assert_int_equal(sendto(fd, "x", 1, 0, (void *)&sin, sizeof(sin)), 1);
	assert_int_equal(takeover_hold_read(out, NULL, NULL, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(takeover_guard_silence(guard), 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (void *)&sin, sizeof(sin)), 1);
	assert_int_equal(takeover_hold_read(out, NULL, NULL, &n), 0);
	assert_int_equal(n, 1);
	close(fd);
	assert_int_equal(takeover_guard_remove("unit"), 0);
	takeover_guard_free(guard);
	takeover_hold_close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_in_order_and_releases),
		cmocka_unit_test(one_guard_of_a_name),
		cmocka_unit_test(drops_when_the_owner_of_the_queue_dies),
		cmocka_unit_test(a_silenced_address_says_nothing),
	};

	return unit_main("guard", tests, NULL, NULL);
}
