// SPDX-License-Identifier: GPL-2.0-only
/* Several who let all bind to any address, at a time; and one that is killed. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nonlocal.h"
#include "unit.h"

static char value(const char *family)
{
	char path[64], value = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/ip_nonlocal_bind", family);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &value, 1) != 1)
		value = 0;
	close(fd);
	return value;
}

static void assert_both(char expected)
{
	assert_int_equal(value("ipv4"), expected);
	assert_int_equal(value("ipv6"), expected);
}

/* One that needs it, until it is killed or told to end. */
static pid_t start(int *ret_end)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		nonlocal_allow();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		if (read(end[0], &c, 1) == 0)
			nonlocal_end();
		_exit(0);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*ret_end = end[1];
	return pid;
}

static void there_and_back(void **state)
{
	(void)state;
	assert_both('0');
	nonlocal_allow();
	nonlocal_allow();
	assert_both('1');
	assert_false(nonlocal_is_left());
	nonlocal_end();
	assert_both('0');
	nonlocal_end();
	assert_int_equal(access("/run/ip-takeover/" NONLOCAL_NAME, F_OK), -1);
}

static void the_last_one_changes_it_back(void **state)
{
	pid_t pid;
	int end;

	(void)state;
	pid = start(&end);
	nonlocal_allow();
	close(end);
	waitpid(pid, NULL, 0);
	assert_both('1');
	nonlocal_end();
	assert_both('0');
}

static void one_that_was_killed(void **state)
{
	pid_t pid;
	int end;

	(void)state;
	pid = start(&end);
	assert_false(nonlocal_is_left());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(end);
	assert_both('1');
	assert_true(nonlocal_is_left());
	nonlocal_clean();
	assert_both('0');
	assert_false(nonlocal_is_left());
	/* Or the next one. */
	pid = start(&end);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(end);
	nonlocal_allow();
	nonlocal_end();
	assert_both('0');
}

static void one_that_was_so_before(void **state)
{
	int fd = open("/proc/sys/net/ipv4/ip_nonlocal_bind", O_WRONLY);

	(void)state;
	assert_int_equal(write(fd, "1", 1), 1);
	nonlocal_allow();
	assert_both('1');
	nonlocal_end();
	assert_int_equal(value("ipv4"), '1');
	assert_int_equal(value("ipv6"), '0');
	assert_int_equal(pwrite(fd, "0", 1, 0), 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_last_one_changes_it_back),
		cmocka_unit_test(one_that_was_killed),
		cmocka_unit_test(one_that_was_so_before),
	};

	/* A host of our own. */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
		puts("skipped: no namespaces for us");
		return 0;
	}
	return unit_main("nonlocal", tests, NULL, NULL);
}
