// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces: told apart, found again, entered and left. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "unit.h"

/* A process in a namespace of its own. */
static pid_t start(void)
{
	int fds[2];
	pid_t pid;
	char ok;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	if (read(fds[0], &ok, 1) != 1) {
		print_message("skipped: no network namespace for a child\n");
		waitpid(pid, NULL, 0);
		close(fds[0]);
		skip();
	}
	close(fds[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const char *path_of(pid_t pid)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return path;
}

static void found_entered_and_left(void **state)
{
	struct takeover_netns before, there, other;
	pid_t pid = start();
	char path[64];
	int back = -1;

	(void)state;
	before = takeover_netns_own();
	assert_true(takeover_netns_is_own(&before));
	assert_true(takeover_netns_has(getpid()));
	assert_false(takeover_netns_has(pid));
	assert_int_equal(takeover_netns_enter_path(path_of(pid), &back), 0);
	there = takeover_netns_own();
	assert_true(takeover_netns_has(pid));
	assert_int_not_equal(there.inode, before.inode);
	assert_int_equal(takeover_netns_leave(back), 0);
	assert_true(takeover_netns_is_own(&before));
	assert_false(takeover_netns_is_own(&there));
	assert_int_equal(takeover_netns_find(&there, path, sizeof(path)), 0);
	assert_string_equal(path, path_of(pid));
	assert_int_equal(takeover_netns_enter(&there, &back), 0);
	assert_true(takeover_netns_is_own(&there));
	assert_int_equal(takeover_netns_leave(back), 0);
	/* Another one that has its number. */
	other = there;
	other.cookie++;
	if (there.cookie != 0)
		assert_int_equal(takeover_netns_enter(&other, &back), -ENOENT);
	assert_true(takeover_netns_is_own(&before));
	end(pid);
	assert_int_equal(takeover_netns_enter(&there, &back), -ENOENT);
	assert_true(takeover_netns_is_own(&before));
}

static void nothing_else_is_entered(void **state)
{
	int back = 5;

	(void)state;
	assert_int_equal(takeover_netns_enter_path("/run/netns/none such", &back), -ENOENT);
	assert_int_equal(takeover_netns_enter_path("/etc/passwd", &back), -EINVAL);
	assert_int_equal(takeover_netns_enter_path("/proc/self/ns/uts", &back), -EINVAL);
	assert_int_equal(back, 5);
}

/* Without a right to any other. */
static void who_is_there_stays(void **state)
{
	struct takeover_netns own = takeover_netns_own();
	int back = 5;

	(void)state;
	assert_int_equal(takeover_netns_enter_path("/proc/self/ns/net", &back), 0);
	assert_int_equal(back, -1);
	assert_int_equal(takeover_netns_enter(&own, &back), 0);
	assert_int_equal(back, -1);
	assert_int_equal(takeover_netns_leave(back), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_entered_and_left),
		cmocka_unit_test(nothing_else_is_entered),
		cmocka_unit_test(who_is_there_stays),
	};

	return unit_main("netns", tests, NULL, NULL);
}
