// SPDX-License-Identifier: GPL-2.0-only
/* What /proc says about tasks of our own. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tasks.h"
#include "unit.h"

/* A child that has chosen @name, and waits. */
static pid_t child(const char *name)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		close(ready[0]);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 0);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_any_name_runs(void **state)
{
	static const char *const names[] = { "plain", "a\nb", ") Z (", "\n) Z 0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		pid_t pid = child(names[i]);

		assert_int_equal(takeover_task_state(pid), TAKEOVER_TASK_RUNS);
		assert_true(takeover_task_descends(pid, getpid()));
		end(pid);
		assert_int_equal(takeover_task_state(pid), TAKEOVER_TASK_GONE);
		waitpid(pid, NULL, 0);
		assert_int_equal(takeover_task_state(pid), TAKEOVER_TASK_GONE);
	}
}

/* 0 traces what nobody traces. */
static void test_traced_without_those_gone(void **state)
{
	pid_t pids[] = { child("lives"), child("ended") };
	const pid_t nobody = 0, me = getpid(), either[] = { getpid(), 0 };

	(void)state;
	assert_true(takeover_tasks_traced(pids, 2, &nobody, 1));
	assert_true(takeover_tasks_traced(pids, 2, either, 2));
	assert_false(takeover_tasks_traced(pids, 2, &me, 1));
	assert_false(takeover_tasks_traced(pids, 0, &nobody, 1));
	end(pids[1]);
	waitpid(pids[1], NULL, 0);
	assert_true(takeover_tasks_traced(pids, 2, &nobody, 1));
	assert_false(takeover_tasks_traced(pids, 2, &me, 1));
	assert_false(takeover_tasks_traced(pids + 1, 1, &me, 1));
	end(pids[0]);
	waitpid(pids[0], NULL, 0);
}

/* Reaped: where the kernel does not tell, nothing is said of either. */
static void test_killed_or_ended(void **state)
{
	pid_t killed = child("killed"), ended = fork();
	int killed_fd, ended_fd;
	siginfo_t info;

	(void)state;
	if (ended == 0)
		_exit(9);
	killed_fd = syscall(SYS_pidfd_open, killed, 0);
	ended_fd = syscall(SYS_pidfd_open, ended, 0);
	assert_false(takeover_task_was_killed(killed, killed_fd));
	end(killed);
	assert_true(takeover_task_was_killed(killed, killed_fd));
	assert_int_equal(waitid(P_PID, ended, &info, WEXITED | WNOWAIT), 0);
	assert_false(takeover_task_was_killed(ended, ended_fd));
	waitpid(ended, NULL, 0);
	assert_false(takeover_task_was_killed(ended, ended_fd));
	waitpid(killed, NULL, 0);
	if (!takeover_task_was_killed(killed, killed_fd))
		print_message("# this kernel does not tell how a process has ended\n");
	close(killed_fd);
	close(ended_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_name_runs),
		cmocka_unit_test(test_traced_without_those_gone),
		cmocka_unit_test(test_killed_or_ended),
	};

	return unit_main("tasks", tests, NULL, NULL);
}
