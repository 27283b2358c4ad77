// SPDX-License-Identifier: GPL-2.0-only
/* What keepalived says of itself: whose an address is, and which file takes it away. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "vrrp.h"

/* As keepalived 2.3.4 writes it, shortened. */
static const char data[] = "------< Global definitions >------\n"
			   " Router ID = alpha\n"
			   "------< VRRP Topology >------\n"
			   " VRRP Instance = VI_1\n"
			   "   VRRP Version = 2\n"
			   "   Sync group = G\n"
			   "   State = BACKUP\n"
			   "   Master router = 192.0.2.2\n"
			   "   Wantstate = BACKUP\n"
			   "   Master down timer = 3007812 usecs\n"
			   "   Interface = vrrp.51, vmac on eth0, xmit base i/f\n"
			   "   Using src_ip = 192.0.2.1\n"
			   "   Multicast address 224.0.0.18\n"
			   "   Virtual Router ID = 51\n"
			   "   Priority = 254\n"
			   "   Effective priority = 1\n"
			   "   Advert interval = 1 sec\n"
			   "   Preempt = disabled\n"
			   "   Authentication type = none\n"
			   "   Virtual IP (1):\n"
			   "     192.0.2.100/24 dev eth0 scope global\n"
			   "   Virtual IP Excluded :\n"
			   "     2001:db8::100/64 dev eth0 scope global preferred_lft forever\n"
			   "   fd_in 17, fd_out 18\n"
			   " VRRP Instance = VI_2\n"
			   "   VRRP Version = 3\n"
			   "   Sync group = G\n"
			   "   State = FAULT\n"
			   "   Interface = eth1\n"
			   "   Using src_ip = 198.51.100.1 (from configuration)\n"
			   "   Virtual Router ID = 52\n"
			   "   Effective priority = 100\n"
			   "   VRRPv3 uses VRRPv2 checksum = enabled\n"
			   "   Master down timer = 601562 usecs\n"
			   "   Priority = 100\n"
			   "   Advert interval = 200 milli-sec\n"
			   "   Preempt = disabled\n"
			   "   Virtual IP (1):\n"
			   "     192.0.2.101/24 dev eth0 scope global\n"
			   " VRRP Instance = VI_3\n"
			   "   State = MASTER\n"
			   "   Authentication type = SIMPLE_PASSWORD\n"
			   "   Password = ********\n"
			   "   Preempt = enabled\n"
			   "   Virtual IP (1):\n"
			   "     192.0.2.102/24 dev eth0 scope global set\n"
			   " VRRP Instance = VI_4\n"
			   "   State = MASTER\n"
			   "   Virtual IP (1):\n"
			   "     192.0.2.103/24 dev eth0 scope global set\n"
			   "------< VRRP Sync groups >------\n"
			   " VRRP Sync Group = G, BACKUP\n"
			   "   VRRP member instances :\n"
			   "     VI_1\n"
			   "     VI_2\n"
			   "   Tracked files :\n"
			   "     takeover, weight 0\n"
			   "------< VRRP Track files >------\n"
			   " Track file = takeover\n"
			   "   File = /run/ip-takeover.d/G\n"
			   "   Status = 0\n"
			   "   Weight = 0\n"
			   "   Tracking instances :\n"
			   "     VI_1, weight 0\n"
			   "     VI_2, weight 0\n"
			   " Track file = health\n"
			   "   File = /run/health\n"
			   "   Weight = -10\n"
			   "   Tracking instances :\n"
			   "     VI_1, weight -10\n"
			   "     VI_4, weight -10\n"
			   " Track file = one\n"
			   "   File = /run/one\n"
			   "   Tracking instances :\n"
			   "     VI_3, weight 0\n"
			   " Track file = two\n"
			   "   File = /run/two\n"
			   "   Tracking instances :\n"
			   "     VI_3, weight 0\n"
			   "------< Interfaces >------\n";

static char error[300];

static int find(const char *ip, const char *instance, const char *file, struct takeover_vrrp *vrrp)
{
	struct takeover_address a;

	assert_int_equal(takeover_address_parse(ip, &a), 0);
	error[0] = '\0';
	return takeover_vrrp_parse(data, strlen(data), &a, instance, file, vrrp, error,
				   sizeof(error));
}

static void the_instance_of_an_address(void **state)
{
	struct takeover_vrrp vrrp;

	(void)state;
	assert_int_equal(find("192.0.2.100", "", "", &vrrp), 0);
	assert_string_equal(vrrp.instance, "VI_1");
	assert_string_equal(vrrp.group, "G");
	assert_int_equal(vrrp.state, TAKEOVER_VRRP_BACKUP);
	assert_int_equal(vrrp.down_ms, 3007);
	assert_int_equal(vrrp.priority, 254);
	assert_int_equal(vrrp.skew_ms, 7);
	assert_false(vrrp.preempts);
	assert_string_equal(vrrp.track_file, "/run/ip-takeover.d/G");
	assert_int_equal(vrrp.n_ips, 3);
	assert_int_equal(find("2001:db8::100", "VI_1", "/run/ip-takeover.d/G", &vrrp), 0);
	assert_string_equal(vrrp.instance, "VI_1");
	assert_int_equal(find("192.0.2.101", "", "", &vrrp), 0);
	assert_int_equal(vrrp.state, TAKEOVER_VRRP_FAULT);
	assert_int_equal(find("192.0.2.102", "", "/run/two", &vrrp), 0);
	assert_int_equal(vrrp.state, TAKEOVER_VRRP_MASTER);
	assert_true(vrrp.preempts);
	assert_string_equal(vrrp.track_file, "/run/two");
	assert_int_equal(vrrp.n_ips, 1);
}

static void what_it_advertises(void **state)
{
	static const unsigned char mine[4] = { 192, 0, 2, 1 }, group[4] = { 224, 0, 0, 18 },
				   ip[4] = { 192, 0, 2, 100 };
	const struct takeover_advert *a;
	struct takeover_vrrp vrrp;

	(void)state;
	assert_int_equal(find("192.0.2.101", "", "", &vrrp), 0);
	assert_int_equal(vrrp.n_adverts, 2); /* its group */
	a = &vrrp.adverts[0];
	assert_int_equal(a->family, AF_INET);
	assert_string_equal(a->device, "eth0");
	assert_int_equal(a->version, 2);
	assert_int_equal(a->vrid, 51);
	assert_int_equal(a->priority, 1);
	assert_int_equal(a->interval_ms, 1000);
	assert_false(a->plain_checksum);
	assert_memory_equal(a->source, mine, 4);
	assert_memory_equal(a->group, group, 4);
	assert_int_equal(a->n_ips, 1); /* not what is excluded */
	assert_memory_equal(a->ips[0], ip, 4);
	a = &vrrp.adverts[1];
	assert_string_equal(a->device, "eth1");
	assert_int_equal(a->version, 3);
	assert_int_equal(a->vrid, 52);
	assert_int_equal(a->interval_ms, 200);
	assert_true(a->plain_checksum);
	assert_memory_equal(a->group, group, 4);
	/* A password. */
	assert_int_equal(find("192.0.2.102", "", "/run/two", &vrrp), 0);
	assert_int_equal(vrrp.n_adverts, 0);
}

static void what_does_not_do(void **state)
{
	static const struct {
		const char *ip, *instance, *file;
		int ret;
		const char *why, *owner;
	} all[] = {
		{ "192.0.2.7", "", "", -ENOENT, "no VRRP instance of keepalived has it", "" },
		{ "192.0.2.100", "VI_2", "", -EINVAL, "VI_1 has it, not the configured", "VI_1" },
		{ "192.0.2.100", "", "/run/health", -EINVAL, "does not track the configured",
		  "VI_1" },
		{ "192.0.2.102", "", "", -EINVAL, "several files of weight 0", "VI_3" },
		{ "192.0.2.103", "", "", -EINVAL, "tracks no file with weight 0", "VI_4" },
	};
	struct takeover_vrrp vrrp = { .n_ips = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(find(all[i].ip, all[i].instance, all[i].file, &vrrp), all[i].ret);
		assert_non_null(strstr(error, all[i].why));
		if (all[i].ret == -ENOENT)
			assert_int_equal(vrrp.n_ips, 77);
		else
			assert_string_equal(vrrp.instance, all[i].owner);
	}
}

static void cut_anywhere(void **state)
{
	struct takeover_vrrp vrrp;
	struct takeover_address a;

	(void)state;
	assert_int_equal(takeover_address_parse("192.0.2.101", &a), 0);
	for (size_t n = 0; n < sizeof(data); n++) {
		char *text = malloc(n + 1);

		memcpy(text, data, n);
		takeover_vrrp_parse(text, n, &a, "", "", &vrrp, error, sizeof(error));
		free(text);
	}
}

static void track_files(void **state)
{
	char path[] = "/tmp/unit-vrrp.XXXXXX", text[8] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "123456\n", 7), 7);
	assert_true(takeover_vrrp_is_faulted(path));
	assert_int_equal(takeover_vrrp_fault(path, true), 0);
	assert_int_equal(pread(fd, text, 7, 0), 7); /* it says so already: not touched */
	assert_int_equal(takeover_vrrp_fault(path, false), 0);
	assert_false(takeover_vrrp_is_faulted(path));
	assert_int_equal(pread(fd, text, 7, 0), 2);
	assert_memory_equal(text, "0\n", 2);
	close(fd);
	unlink(path);
	assert_int_equal(takeover_vrrp_fault(path, true), 0);
	assert_true(takeover_vrrp_is_faulted(path));
	unlink(path);
	assert_int_equal(takeover_vrrp_fault("/nowhere/at/all", true), -ENOENT);
	assert_false(takeover_vrrp_is_track_file("run/x"));
	assert_false(takeover_vrrp_is_track_file("/run/../etc/passwd"));
	assert_false(takeover_vrrp_is_track_file("/run/\n"));
	assert_true(takeover_vrrp_is_track_file("/run/ip-takeover.d/VI_1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_instance_of_an_address),
		cmocka_unit_test(what_it_advertises),
		cmocka_unit_test(what_does_not_do),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(track_files),
	};

	return unit_main("vrrp", tests, NULL, NULL);
}
