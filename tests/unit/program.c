// SPDX-License-Identifier: GPL-2.0-only
/* Programs of the user's: real ones, and what becomes of them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "netlink.h"
#include "unit.h"

static char dir[32], path[64], error[400];

static void write_program(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(chmod(path, 0755), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/unit-program.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/p", dir);
	return chmod(dir, 0755);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* 0 and the status, or -errno. */
static int run(struct takeover_program *p, const char *text, const char *verb, int timeout_ms,
	       int *ret_status)
{
	char *env[] = { "A=1", NULL };
	int ret;

	write_program(text);
	assert_int_equal(takeover_program_start(p, path, verb, env, timeout_ms), 0);
	while ((ret = takeover_program_go_on(p, ret_status)) == -EINPROGRESS)
		poll(NULL, 0, 1);
	assert_false(takeover_program_runs(p));
	return ret;
}

static void what_it_says_last(void **state)
{
	static const struct {
		const char *text, *last;
		int status;
	} cases[] = {
		{ "#!/bin/sh\nexit 0\n", "", 0 },
		{ "#!/bin/sh\necho one; echo two >&2; exit 3\n", "two", 3 },
		{ "#!/bin/sh\nprintf 'one\\n\\n\\n'; exit 1\n", "one", 1 },
		{ "#!/bin/sh\nprintf 'a\\033[31m\\tb'\n", "a?[31m?b", 0 },
		{ "#!/bin/sh\necho $#:$1\n", "1:claim; x $(y)", 0 },
		{ "#!/bin/sh\nexec env -0 -u PWD -u OLDPWD -u SHLVL -u _\n", "A=1?", 0 },
		{ "#!/bin/sh\npwd; cat\n", "/", 0 },
		{ "#!/bin/sh\nexec ls /proc/self/fd\n", "3", 0 },
		{ "#!/bin/sh\nulimit -c 0; kill -SEGV $$\n", "", 128 + SIGSEGV },
		{ "#!/bin/sh\nsh -c 'kill -PIPE $$'; echo $?\n", "141", 0 },
		{ "#!/nowhere\n", "cannot be run: No such file or directory", 126 },
	};

	int inherited = fcntl(2, F_DUPFD, 20);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct takeover_program p = { 0 };
		int status = -1;

		assert_int_equal(run(&p, cases[i].text, "claim; x $(y)", 5000, &status), 0);
		assert_string_equal(p.last, cases[i].last);
		assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
				 cases[i].status);
	}
	signal(SIGPIPE, SIG_DFL);
	close(inherited);
}

static void a_megabyte(void **state)
{
	struct takeover_program p = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(run(&p, "#!/bin/sh\nhead -c 1000000 /dev/zero; echo; echo end\n", "x",
			     5000, &status),
			 0);
	assert_int_equal(status, 0);
	assert_string_equal(p.last, "end");
}

static void one_long_line(void **state)
{
	struct takeover_program p = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(run(&p, "#!/bin/sh\nhead -c 1000000 /dev/zero\n", "x", 5000, &status), 0);
	assert_int_equal(strlen(p.last), TAKEOVER_PROGRAM_LINE - 1);
}

/* The PID that the program has written into the file "child". */
static pid_t child(void)
{
	char file[80];
	int pid = 0;
	FILE *f;

	snprintf(file, sizeof(file), "%s/child", dir);
	f = fopen(file, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static bool dies(pid_t pid)
{
	char file[32], state = '?';
	FILE *f;

	for (long end = takeover_now_ms() + 2000; takeover_now_ms() < end; poll(NULL, 0, 1)) {
		snprintf(file, sizeof(file), "/proc/%d/stat", (int)pid);
		f = fopen(file, "re");
		if (!f)
			return true;
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		fclose(f);
		if (state == 'Z')
			return true;
	}
	return false;
}

static void too_slow(void **state)
{
	struct takeover_program p = { 0 };
	long begin = takeover_now_ms();
	char text[200];
	int status = 0;

	(void)state;
	snprintf(text, sizeof(text),
		 "#!/bin/sh\ntrap '' TERM\nsleep 60 &\necho $! >%s/child\nwait\n", dir);
	assert_int_equal(run(&p, text, "x", 300, &status), -ETIMEDOUT);
	assert_true(takeover_now_ms() - begin < 2000);
	assert_true(dies(child()));
}

static void a_child_with_its_output(void **state)
{
	struct takeover_program p = { 0 };
	long begin = takeover_now_ms();
	char text[200];
	int status = -1;

	(void)state;
	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 60 &\necho $! >%s/child\necho done\n", dir);
	assert_int_equal(run(&p, text, "x", 5000, &status), 0);
	assert_int_equal(status, 0);
	assert_string_equal(p.last, "done");
	assert_true(takeover_now_ms() - begin < 2000);
	assert_true(dies(child()));
}

static void another_in_place_of_it(void **state)
{
	struct takeover_program p = { 0 };
	char *env[] = { NULL };
	char text[200];
	int status = -1;
	pid_t first;

	(void)state;
	write_program("#!/bin/sh\nsleep 60\n");
	assert_int_equal(takeover_program_start(&p, path, "x", env, 60000), 0);
	first = p.pid;
	snprintf(text, sizeof(text), "#!/bin/sh\nexit 7\n");
	assert_int_equal(run(&p, text, "x", 5000, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_true(dies(first));
	takeover_program_end(&p);
}

/* What a worker that dies leaves to the next. */
static void its_parent_dies(void **state)
{
	char text[200], *env[] = { NULL };
	int fds[2];
	pid_t pid, its = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 60\n");
	write_program(text);
	pid = fork();
	if (pid == 0) {
		struct takeover_program p = { 0 };

		takeover_program_start(&p, path, "x", env, 60000);
		_exit(write(fds[1], &p.pid, sizeof(p.pid)) != sizeof(p.pid));
	}
	assert_int_equal(read(fds[0], &its, sizeof(its)), sizeof(its));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(dies(its));
	close(fds[0]);
	close(fds[1]);
}

static void unfit_ones_are_named(void **state)
{
	char file[80];

	(void)state;
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -ENOENT);
	assert_non_null(strstr(error, "No such file"));
	write_program("#!/bin/sh\n");
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), 0);
	assert_int_equal(takeover_program_check("p", error, sizeof(error)), -EINVAL);
	assert_int_equal(takeover_program_check(dir, error, sizeof(error)), -EACCES);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EACCES);
	assert_non_null(strstr(error, "chmod +x"));
	assert_int_equal(chmod(path, 0757), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "chmod go-w"));
	assert_int_equal(chmod(path, 0775), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EPERM);
	assert_int_equal(chmod(path, 0755), 0);
	/* By the file itself, and where that lies. */
	snprintf(file, sizeof(file), "%s/link", dir);
	assert_int_equal(symlink(path, file), 0);
	assert_int_equal(takeover_program_check(file, error, sizeof(error)), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "may be written by everybody"));
	assert_int_equal(chmod(dir, 0755), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EPERM);
	assert_non_null(strstr(error, "chown root"));
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chown(dir, 65534, 0), 0);
	assert_int_equal(takeover_program_check(path, error, sizeof(error)), -EPERM);
}

static void the_contract(void **state)
{
	static const struct {
		const char *text, *said;
		int ret;
	} cases[] = {
		{ "#!/bin/sh\n[ $1 = claim ] || exit 0\n", "", 0 },
		{ "#!/bin/sh\n[ $1 = claim ] || exit 1\n", "that this host does not have it",
		  -EREMOTEIO },
		{ "#!/bin/sh\n[ $1 = claim ] || exit 2\n",
		  "status 192.0.2.100 failed (exit status 2)", -EREMOTEIO },
		{ "#!/bin/sh\necho no; exit 1\n", "claim 192.0.2.100 failed (exit status 1): no;",
		  -EREMOTEIO },
		{ "#!/bin/sh\nkill -TERM $$\n", "was killed by signal 15", -EREMOTEIO },
		{ "#!/bin/sh\nsleep 60\n", "took longer than 1 s (seconds) and was killed",
		  -ETIMEDOUT },
		{ "#!/bin/sh\n[ \"$IP_TAKEOVER_ADDRESS $IP_TAKEOVER_PREFIXLEN $IP_TAKEOVER_FAMILY "
		  "$IP_TAKEOVER_DEVICE $IP_TAKEOVER_ROLE $IP_TAKEOVER_PEER_MAC $IP_TAKEOVER_ID\" = "
		  "'192.0.2.100 32 inet eth0 destination 02:00:00:00:00:01 me' ]\n",
		  "", 0 },
	};
	struct takeover_backend_settings settings = { .seconds = 1 };
	struct takeover_address address = { 0 };
	const struct takeover_exec_job job = {
		.settings = &settings,
		.address = &address,
		.id = "me",
		.peer = (const unsigned char *)"\2\0\0\0\0\1",
	};

	(void)state;
	strcpy(settings.program, path);
	assert_int_equal(takeover_address_parse("192.0.2.100/32", &address), 0);
	strcpy(address.device, "eth0");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_program(cases[i].text);
		error[0] = '\0';
		assert_int_equal(takeover_exec_run(&job, TAKEOVER_EXEC_CLAIM, error, sizeof(error)),
				 cases[i].ret);
		assert_non_null(strstr(error, cases[i].said));
		if (cases[i].ret < 0)
			assert_non_null(strstr(error, path));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_says_last, setup, teardown),
		cmocka_unit_test_setup_teardown(a_megabyte, setup, teardown),
		cmocka_unit_test_setup_teardown(one_long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(too_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_with_its_output, setup, teardown),
		cmocka_unit_test_setup_teardown(another_in_place_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(its_parent_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(unfit_ones_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(the_contract, setup, teardown),
	};

	return unit_main("program", tests, NULL, NULL);
}
