// SPDX-License-Identifier: GPL-2.0-only
/* The way to the keeper, and what a CRIU stage makes of its answer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "request.h"
#include "stage.h"
#include "unit.h"

#define CRIU 12345

static int listen_here(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	mkdir(TAKEOVER_RUN_DIR, 0700);
	takeover_request_path(CRIU, sun.sun_path, sizeof(sun.sun_path));
	assert_int_equal(bind(fd, (void *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* A child that hangs up on @deaf requests, then gives one answer of @len bytes. */
static pid_t keeper(int listen_fd, int deaf, const struct takeover_reply *reply, size_t len)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;; deaf--) {
		struct takeover_request request;
		int fd = accept(listen_fd, NULL, NULL);

		if (recv(fd, &request, sizeof(request), 0) != sizeof(request))
			_exit(1);
		if (deaf == 0) {
			send(fd, reply, len, MSG_NOSIGNAL);
			_exit(request.verb != TAKEOVER_DUMP_EXIT || request.value != 1 ||
			      request.root_pid != 7);
		}
		close(fd);
	}
}

static void end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int ask(struct takeover_reply *reply)
{
	char path[TAKEOVER_SOCKET_LEN];

	return takeover_request(takeover_request_path(CRIU, path, sizeof(path)), TAKEOVER_DUMP_EXIT,
				1, 7, reply);
}

static void nobody_there(void **state)
{
	struct takeover_reply reply;

	(void)state;
	unit_need_run();
	assert_int_equal(ask(&reply), -ENOENT);
	close(listen_here());
	assert_int_equal(ask(&reply), -ECONNREFUSED);
}

static void an_answer(void **state)
{
	const struct takeover_reply said = { -EBUSY, "busy" };
	struct takeover_reply reply;
	int fd;
	pid_t pid;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 0, &said, sizeof(said));
	assert_int_equal(ask(&reply), 0);
	assert_int_equal(reply.ret, -EBUSY);
	assert_string_equal(reply.message, "busy");
	end(pid);
	close(fd);
}

static void a_worker_that_dies_is_asked_again(void **state)
{
	const struct takeover_reply said = { 0, "" };
	struct takeover_reply reply;
	int fd;
	pid_t pid;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 2, &said, sizeof(said));
	assert_int_equal(ask(&reply), 0);
	assert_int_equal(reply.ret, 0);
	end(pid);
	close(fd);
}

static void every_end_of_a_dump_is_known(void **state)
{
	struct takeover_request request = { .version = TAKEOVER_REQUEST_VERSION,
					    .verb = TAKEOVER_DUMP_EXIT };
	struct takeover_request read;
	char error[100];

	(void)state;
	for (request.value = -1; request.value <= TAKEOVER_EXIT_NO_CONNECTION + 1; request.value++)
		assert_int_equal(takeover_request_check(&request, sizeof(request), &read, error,
							sizeof(error)),
				 request.value >= TAKEOVER_EXIT_FAILED &&
						 request.value <= TAKEOVER_EXIT_NO_CONNECTION
					 ? 0
					 : -EINVAL);
}

static void an_answer_of_another_kind(void **state)
{
	const struct takeover_reply said = { 0, "" };
	struct takeover_reply reply = { 5, "as it was" };
	int fd;
	pid_t pid;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 0, &said, 3);
	assert_int_equal(ask(&reply), -EPROTO);
	assert_int_equal(reply.ret, 5);
	end(pid);
	close(fd);
}

static void workers_that_all_die(void **state)
{
	const struct takeover_reply said = { 0, "" };
	struct takeover_reply reply = { 5, "as it was" };
	int fd, ret;
	pid_t pid;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 100, &said, sizeof(said));
	ret = ask(&reply);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ret, -ECONNREFUSED);
	assert_int_equal(reply.ret, 5);
	close(fd);
}

static void an_endless_message_ends(void **state)
{
	struct takeover_reply said = { 0, "" }, reply;
	int fd;
	pid_t pid;

	(void)state;
	unit_need_run();
	memset(said.message, 'x', sizeof(said.message));
	fd = listen_here();
	pid = keeper(fd, 0, &said, sizeof(said));
	assert_int_equal(ask(&reply), 0);
	assert_int_equal(strnlen(reply.message, sizeof(reply.message)), sizeof(reply.message) - 1);
	end(pid);
	close(fd);
}

static void ignore(int sig)
{
	(void)sig;
}

/* criu has handlers for SIGCHLD and SIGALRM; with SO_RCVTIMEO, SA_RESTART does not
 * restart recv (signal(7)). */
static void a_signal_does_not_end_the_wait(void **state)
{
	const struct itimerval soon = { .it_value.tv_usec = 50000 }, never = { 0 };
	const struct sigaction sa = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	const struct takeover_reply said = { 0, "late" };
	struct takeover_reply reply;
	int fd, ret;
	pid_t pid, resume;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 0, &said, sizeof(said));
	kill(pid, SIGSTOP);
	resume = fork();
	if (resume == 0) {
		usleep(200000);
		_exit(kill(pid, SIGCONT));
	}
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ret = ask(&reply);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	end(resume);
	if (ret < 0)
		kill(pid, SIGKILL);
	else
		end(pid);
	close(fd);
	assert_int_equal(ret, 0);
	assert_string_equal(reply.message, "late");
}

/* What the keeper's command is called with, in a directory of its own. */
static void put_command(const char *line)
{
	FILE *f;

	mkdir("/run/x", 0755);
	/* Another file: the shell may be reading the last one yet. */
	unlink("/run/x/ip-takeover");
	f = fopen("/run/x/ip-takeover", "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/bash\n%s\n", line);
	fchmod(fileno(f), 0755);
	fclose(f);
}

static int start(struct takeover_reply *reply)
{
	return takeover_keeper_start("/run/x/criu-action", "source", CRIU, 7, "/images", 0, NULL,
				     reply);
}

static void a_keeper_is_started(void **state)
{
	struct takeover_reply reply = { 5, "as it was" };

	(void)state;
	unit_need_run();
	assert_int_equal(start(&reply), -ENOENT);
	put_command("exit 0");
	assert_int_equal(start(&reply), -EPIPE);
	put_command("printf xxx >&$6");
	assert_int_equal(start(&reply), -EPIPE);
	assert_int_equal(reply.ret, 5);
	put_command("echo \"$1 $2 $3 $4 $5\" >/run/x/args; head -c 512 /dev/zero >&$6");
	assert_int_equal(start(&reply), 0);
	assert_int_equal(reply.ret, 0);
	assert_string_equal(reply.message, "");
	unit_run("grep -qx 'keeper source 12345 7 /images' /run/x/args");
}

/* A keeper outlives criu: whoever reads criu's output must not wait for the keeper. */
static void a_keeper_gets_no_other_descriptor(void **state)
{
	struct takeover_reply reply;
	int out[2], spare;
	char c;

	(void)state;
	unit_need_run();
	put_command("head -c 512 /dev/zero >&$6; sleep 5");
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	spare = fcntl(out[1], F_DUPFD, 50);
	close(out[1]);
	assert_int_equal(start(&reply), 0);
	close(spare);
	assert_int_equal(fcntl(out[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(out[0], &c, 1), 0);
	close(out[0]);
}

static int stage(const char *name, char *line, size_t len)
{
	const struct takeover_stage_context context = {
		.self = "/nonexistent/criu-action",
		.criu_pid = CRIU,
		.root_pid = 7,
		.images = "/nonexistent",
	};

	return takeover_stage(&context, name, 1, line, len);
}

static void stages_without_a_takeover(void **state)
{
	char line[600];

	(void)state;
	unit_need_run();
	assert_int_equal(stage("network-lock", line, sizeof(line)), 0);
	assert_int_equal(stage("post-dump", line, sizeof(line)), 0);
	assert_int_equal(stage("exit(RESTORE)", line, sizeof(line)), 0);
	assert_string_equal(line, "");
	/* These start a keeper, and say so when they cannot. */
	assert_int_equal(stage("pre-dump", line, sizeof(line)), -ENOENT);
	assert_non_null(strstr(line, "pre-dump: cannot start ip-takeover"));
	assert_int_equal(stage("init(RESTORE)", line, sizeof(line)), -ENOENT);
}

static void a_dead_keeper_fails_the_stage(void **state)
{
	char line[600];

	(void)state;
	unit_need_run();
	close(listen_here());
	assert_int_equal(stage("post-dump", line, sizeof(line)), -ECONNREFUSED);
	assert_non_null(strstr(line, "post-dump: no answer from the keeper"));
	assert_non_null(strstr(line, "ip-takeover status"));
}

static void the_keepers_word_is_the_stages(void **state)
{
	const struct takeover_reply said = { -EADDRINUSE, "192.0.2.100 is in use" };
	char line[600];
	int fd;
	pid_t pid;

	(void)state;
	unit_need_run();
	fd = listen_here();
	pid = keeper(fd, 0, &said, sizeof(said));
	assert_int_equal(stage("exit(DUMP)", line, sizeof(line)), -EADDRINUSE);
	assert_string_equal(line, "exit(DUMP): 192.0.2.100 is in use");
	end(pid);
	close(fd);
}

static void each_field_is_checked(void **state)
{
	static const struct {
		struct takeover_request request;
		int ret;
		const char *said;
	} cases[] = {
		{ { 1, TAKEOVER_DUMP_PREPARED, 0, 0 }, 0, "" },
		{ { 1, TAKEOVER_DUMP_EXIT, TAKEOVER_EXIT_FAILED, 1 }, 0, "" },
		{ { 1, TAKEOVER_DUMP_EXIT, TAKEOVER_EXIT_NO_CONNECTION, INT32_MAX }, 0, "" },
		{ { 1, TAKEOVER_RESTORE_EXIT, -1, 7 }, 0, "" },
		{ { 1, TAKEOVER_RESTORE_EXIT, INT32_MIN, 7 }, 0, "" },
		{ { 1, TAKEOVER_YIELD, 1, 0 }, 0, "" },
		{ { 1, TAKEOVER_MEMBER_WAITS, INT32_MAX, 1 }, 0, "" },
		{ { 1, TAKEOVER_MEMBER_WAITS, -1, 1 },
		  -EINVAL,
		  "value: expected 0 to 2147483647, not -1" },
		{ { 0, TAKEOVER_ROLLBACK, 0, 0 },
		  -EPROTO,
		  "version: expected 1, not 0, of another" },
		{ { 2, TAKEOVER_ROLLBACK, 0, 0 }, -EPROTO, "version: expected 1, not 2" },
		{ { UINT32_MAX, 0, 0, 0 }, -EPROTO, "version: expected 1, not 4294967295" },
		{ { 0x01000000, 0, 0, 0 }, -EPROTO, "version: expected 1, not 16777216" },
		{ { 1, TAKEOVER_VERBS, 0, 0 }, -EPROTO, "verb: expected 0 to 17, not 18" },
		{ { 1, UINT32_MAX, 0, 0 }, -EPROTO, "verb: expected 0 to 17, not 4294967295" },
		{ { 1, TAKEOVER_DUMP_PREPARED, 1, 0 }, -EINVAL, "value: expected 0, not 1" },
		{ { 1, TAKEOVER_DUMP_WITHDRAW, -1, 0 }, -EINVAL, "value: expected 0, not -1" },
		{ { 1, TAKEOVER_DUMP_EXIT, 3, 0 }, -EINVAL, "value: expected 0 to 2, not 3" },
		{ { 1, TAKEOVER_DUMP_EXIT, -1, 0 }, -EINVAL, "value: expected 0 to 2, not -1" },
		{ { 1, TAKEOVER_RESTORE_PREPARED, 1, 0 }, -EINVAL, "value: expected 0, not 1" },
		{ { 1, TAKEOVER_RESTORE_CLAIM, 1, 0 }, -EINVAL, "value: expected 0, not 1" },
		{ { 1, TAKEOVER_RESTORE_RELEASE, 1, 0 }, -EINVAL, "value: expected 0, not 1" },
		{ { 1, TAKEOVER_ROLLBACK, 1, 0 }, -EINVAL, "value: expected 0, not 1" },
		{ { 1, TAKEOVER_YIELD, 2, 0 }, -EINVAL, "value: expected 0 to 1, not 2" },
		{ { 1, TAKEOVER_YIELD, INT32_MIN, 0 },
		  -EINVAL,
		  "value: expected 0 to 1, not -2147" },
		{ { 1, TAKEOVER_YIELD, 0, -1 }, -EINVAL, "root_pid: expected a PID or 0, not -1" },
		{ { 1, TAKEOVER_DUMP_EXIT, 0, INT32_MIN },
		  -EINVAL,
		  "root_pid: expected a PID or 0" },
	};
	char error[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct takeover_request request = { .version = 77 };
		int ret;

		error[0] = '\0';
		ret = takeover_request_check(&cases[i].request, sizeof(request), &request, error,
					     sizeof(error));
		if (ret != cases[i].ret || (ret < 0 && strncmp(error, "request: ", 9) != 0) ||
		    strncmp(error + (ret < 0 ? 9 : 0), cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("case %zu says %d \"%s\", not \"%s\"", i, ret, error,
				 cases[i].said);
		if (ret == 0)
			assert_memory_equal(&request, &cases[i].request, sizeof(request));
		else
			assert_int_equal(request.version, 77);
	}
}

static void each_length_but_one_is_refused(void **state)
{
	static const size_t size = sizeof(struct takeover_request);
	const size_t lengths[] = { 0, 1, size - 1, size + 1, 2 * size, 65536 };
	struct takeover_request request = { .version = 77 };
	char error[200], said[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		/* No byte more than there is, so that ASAN sees a read beyond it. */
		unsigned char *datagram = calloc(1, lengths[i] ? lengths[i] : 1);

		assert_non_null(datagram);
		datagram[0] = 1;
		assert_int_equal(takeover_request_check(datagram, lengths[i], &request, error,
							sizeof(error)),
				 -EPROTO);
		free(datagram);
		snprintf(said, sizeof(said), "request: length: expected %zu bytes, not %zu", size,
			 lengths[i]);
		assert_int_equal(strncmp(error, said, strlen(said)), 0);
		assert_int_equal(request.version, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_is_checked),
		cmocka_unit_test(each_length_but_one_is_refused),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(an_answer),
		cmocka_unit_test(a_worker_that_dies_is_asked_again),
		cmocka_unit_test(every_end_of_a_dump_is_known),
		cmocka_unit_test(an_answer_of_another_kind),
		cmocka_unit_test(workers_that_all_die),
		cmocka_unit_test(an_endless_message_ends),
		cmocka_unit_test(a_signal_does_not_end_the_wait),
		cmocka_unit_test(a_keeper_is_started),
		cmocka_unit_test(a_keeper_gets_no_other_descriptor),
		cmocka_unit_test(stages_without_a_takeover),
		cmocka_unit_test(a_dead_keeper_fails_the_stage),
		cmocka_unit_test(the_keepers_word_is_the_stages),
	};

	return unit_main("request", tests, NULL, NULL);
}
