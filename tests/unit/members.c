// SPDX-License-Identifier: GPL-2.0-only
/* Several trees: who waits for whom, and the root that criu has not named yet. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "unit.h"

static struct takeover_keeper k;
static struct takeover_manifest manifest;
static pid_t criu[3];

static pid_t child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int begin(enum takeover_role role, const char *list)
{
	memset(&k, 0, sizeof(k));
	k.role = role;
	k.manifest = &manifest;
	k.state = TAKEOVER_PREPARED;
	k.root_fd = -1;
	return takeover_members_read(&k, list);
}

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(criu); i++)
		criu[i] = child();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(criu); i++)
		end(criu[i]);
	return 0;
}

static int ask(enum takeover_request_verb verb, pid_t pid, pid_t root)
{
	const struct takeover_request r = { 1, verb, pid, root };

	return takeover_members_request(&k, &r);
}

static void lists(void **state)
{
	static const char *const wrong[] = {
		",", "0", "-1", "+1", " 1", "1,,2", "1 2", "1,x", "4194305", "99999999999999999999"
	};
	static const char *const many = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16";
	char more[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(begin(TAKEOVER_SOURCE, wrong[i]), -EINVAL);
	assert_int_equal(begin(TAKEOVER_SOURCE, NULL), 0);
	assert_int_equal(begin(TAKEOVER_SOURCE, ""), 0);
	assert_int_equal(begin(TAKEOVER_SOURCE, "12"), 0);
	assert_int_equal(k.n_members, 0);
	assert_int_equal(begin(TAKEOVER_SOURCE, many), 0);
	assert_int_equal(k.n_members, TAKEOVER_MEMBERS_MAX);
	assert_int_equal(k.members[14].root_pid, 16);
	snprintf(more, sizeof(more), "%s,17", many);
	assert_int_equal(begin(TAKEOVER_SOURCE, more), -EINVAL);
}

static void on_the_source_nobody_goes_alone(void **state)
{
	(void)state;
	assert_int_equal(begin(TAKEOVER_SOURCE, "10,11,12"), 0);
	assert_false(takeover_members_here(&k));
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], 11), -ESRCH);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[0], 13), -ESRCH);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, 0, 11), -ESRCH);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[0], 11), -EINPROGRESS);
	/* Another for the same tree. */
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[1], 11), -ESRCH);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[1], 12), 0);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[0], 11), 0);
	assert_true(takeover_members_here(&k));
	k.news = false;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], 11), -EINPROGRESS);
	assert_true(k.news);
	k.news = false;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], 11), -EINPROGRESS);
	assert_false(k.news);
	assert_false(takeover_members_wait(&k));
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[1], 12), -EINPROGRESS);
	assert_true(takeover_members_wait(&k));
	k.state = TAKEOVER_WITHDRAWN;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], 11), -EINPROGRESS);
	k.state = TAKEOVER_COMMITTED;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], 11), 0);
	k.state = TAKEOVER_ROLLED_BACK;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[1], 12), -ECANCELED);
	assert_false(takeover_members_over(&k));
}

static void on_the_destination_nobody_goes_alone(void **state)
{
	(void)state;
	assert_int_equal(begin(TAKEOVER_DESTINATION, "10,11,12"), 0);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[0], 12), 0);
	assert_int_equal(ask(TAKEOVER_MEMBER_BEGINS, criu[1], 11), 0);
	assert_int_equal(k.members[0].root_pid, 0);
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], getpid()), -EINPROGRESS);
	assert_int_equal(k.members[1].root_pid, getpid());
	k.state = TAKEOVER_READY;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], getpid()), -EINPROGRESS);
	k.state = TAKEOVER_CLAIMED;
	assert_int_equal(ask(TAKEOVER_MEMBER_WAITS, criu[0], getpid()), 0);
	assert_int_equal(ask(TAKEOVER_MEMBER_LEFT_REPAIR, criu[0], getpid()), -EINPROGRESS);
	assert_false(takeover_members_left_repair(&k));
	assert_int_equal(ask(TAKEOVER_MEMBER_LEFT_REPAIR, criu[1], getpid()), -EINPROGRESS);
	assert_true(takeover_members_left_repair(&k));
	k.state = TAKEOVER_RELEASED;
	assert_int_equal(ask(TAKEOVER_MEMBER_LEFT_REPAIR, criu[0], getpid()), 0);
}

/* A child of criu, a copy of it, or somebody else. */
static void a_root_before_criu_names_it(void **state)
{
	struct takeover_half half = { .pid = criu[0] };
	int fd;

	(void)state;
	assert_int_equal(takeover_half_find(&half, 0), -1);
	assert_int_equal(takeover_half_find(&half, getppid()), -1);
	fd = takeover_half_find(&half, getpid());
	assert_true(fd >= 0);
	close(fd);
	takeover_half_begin(&half, getppid());
	assert_int_equal(takeover_half_find(&half, getppid()), -1);
	takeover_half_begin(&half, getpid());
	fd = takeover_half_find(&half, getppid());
	assert_true(fd >= 0);
	close(fd);
	half.pid = 0;
	assert_int_equal(takeover_half_find(&half, getpid()), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(on_the_source_nobody_goes_alone),
		cmocka_unit_test(on_the_destination_nobody_goes_alone),
		cmocka_unit_test(a_root_before_criu_names_it),
	};

	return unit_main("members", tests, set_up, tear_down);
}
