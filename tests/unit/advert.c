// SPDX-License-Identifier: GPL-2.0-only
/* VRRP's advertisements, byte for byte as keepalived 2.3.4 sends them. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "advert.h"
#include "unit.h"

/* Of 192.0.2.2, to 224.0.0.18. */
static const unsigned char version2[] = { 0x21, 0x33, 0xfb, 0x01, 0x00, 0x01, 0x00,
					  0x00, 0xc0, 0x00, 0x02, 0x64, 0,    0,
					  0,	0,    0,    0,	  0,	0 };

static struct takeover_advert advert(unsigned int version, const char *source, const char *group)
{
	struct takeover_advert a = {
		.family = strchr(source, ':') ? AF_INET6 : AF_INET,
		.version = version,
		.vrid = 51,
		.priority = 251,
		.interval_ms = 1000,
		.n_ips = 1,
	};

	assert_int_equal(inet_pton(a.family, source, a.source), 1);
	assert_int_equal(inet_pton(a.family, group, a.group), 1);
	inet_pton(a.family, a.family == AF_INET ? "192.0.2.100" : "2001:db8::100", a.ips[0]);
	return a;
}

/* The ones' complement sum over both parts, the field included: all ones. */
static unsigned int sum(unsigned int sum, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void version_2(void **state)
{
	struct takeover_advert a = advert(2, "192.0.2.2", "224.0.0.18");
	unsigned char buf[TAKEOVER_ADVERT_MAX], want[sizeof(version2)];
	size_t n = 0;

	(void)state;
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &a, &n), 0);
	assert_int_equal(n, sizeof(version2));
	memcpy(want, version2, n);
	memcpy(want + 6, buf + 6, 2);
	assert_memory_equal(buf, want, n);
	assert_int_equal(sum(0, buf, n), 0xffff);
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), 251);
	/* Whoever says it. */
	assert_int_equal(takeover_advert_priority(buf, n, a.group, &a), 251);
	assert_int_equal(takeover_advert_build(buf, sizeof(version2) - 1, &a, &n), -EMSGSIZE);
}

static void version_3(void **state)
{
	struct takeover_advert a = advert(3, "192.0.2.2", "224.0.0.18");
	unsigned char buf[TAKEOVER_ADVERT_MAX], other[4] = { 192, 0, 2, 3 };
	size_t n = 0;

	(void)state;
	a.interval_ms = 10500;
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &a, &n), 0);
	assert_int_equal(n, 12);
	assert_int_equal(buf[0], 0x31);
	assert_int_equal(buf[4] << 8 | buf[5], 1050);
	assert_int_equal(sum(sum(sum(112 + n, a.source, 4), a.group, 4), buf, n), 0xffff);
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), 251);
	assert_int_equal(takeover_advert_priority(buf, n, other, &a), -EINVAL);
	a.plain_checksum = true;
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), -EINVAL);
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &a, &n), 0);
	assert_int_equal(sum(0, buf, n), 0xffff);
}

static void version_3_ipv6(void **state)
{
	struct takeover_advert a = advert(3, "fe80::2", "ff02::12");
	unsigned char buf[TAKEOVER_ADVERT_MAX];
	size_t n = 0;

	(void)state;
	a.n_ips = TAKEOVER_ADVERT_IPS_MAX;
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &a, &n), 0);
	assert_int_equal(n, 8 + 16 * TAKEOVER_ADVERT_IPS_MAX);
	assert_memory_equal(buf + 8, a.ips[0], 16);
	assert_int_equal(sum(sum(sum(112 + n, a.source, 16), a.group, 16), buf, n), 0xffff);
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), 251);
}

static void steps_down(void **state)
{
	struct takeover_advert a = advert(2, "192.0.2.2", "224.0.0.18"), last = a;
	unsigned char buf[TAKEOVER_ADVERT_MAX];
	size_t n;

	(void)state;
	last.priority = 0;
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &last, &n), 0);
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), 0);
}

static void what_nobody_says(void **state)
{
	const struct takeover_advert good = advert(2, "192.0.2.2", "224.0.0.18");
	struct takeover_advert bad[9];
	unsigned char buf[TAKEOVER_ADVERT_MAX];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].version = 4;
	bad[1].vrid = 0;
	bad[2].vrid = 256;
	bad[3].priority = 256;
	bad[4].n_ips = 0;
	bad[5].n_ips = TAKEOVER_ADVERT_IPS_MAX + 1;
	bad[6].interval_ms = 999;
	bad[7].interval_ms = 256000;
	bad[8].family = AF_INET6;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(takeover_advert_build(buf, sizeof(buf), &bad[i], &n), -EINVAL);
	assert_int_equal(n, 77);
}

static void what_is_not_heard(void **state)
{
	struct takeover_advert a = advert(2, "192.0.2.2", "224.0.0.18"), other;
	unsigned char buf[TAKEOVER_ADVERT_MAX];
	unsigned int s;
	size_t n = 0;

	(void)state;
	assert_int_equal(takeover_advert_build(buf, sizeof(buf), &a, &n), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(takeover_advert_priority(buf, i, a.source, &a), -EINVAL);
	for (size_t i = 0; i < n; i++) {
		buf[i] ^= 0x10;
		assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), -EINVAL);
		buf[i] ^= 0x10;
	}
	other = a;
	other.vrid = 52;
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &other), -EINVAL);
	other = a;
	other.version = 3;
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &other), -EINVAL);
	/* Another priority, and the sum of it. */
	buf[2] -= 251;
	buf[6] = buf[7] = 0;
	s = ~sum(0, buf, n);
	buf[6] = s >> 8;
	buf[7] = s;
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), 0);
	/* A password. */
	buf[4] = 1;
	buf[6]--;
	assert_int_equal(sum(0, buf, n), 0xffff);
	assert_int_equal(takeover_advert_priority(buf, n, a.source, &a), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2),	    cmocka_unit_test(version_3),
		cmocka_unit_test(version_3_ipv6),   cmocka_unit_test(steps_down),
		cmocka_unit_test(what_nobody_says), cmocka_unit_test(what_is_not_heard),
	};

	return unit_main("advert", tests, NULL, NULL);
}
