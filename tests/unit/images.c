// SPDX-License-Identifier: GPL-2.0-only
/* A service's memory goes ahead, then files as criu would write them; all arrive as they are. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "images_memory.h"
#include "images_pagemap.h"
#include "images_receive.h"
#include "images_send.h"
#include "unit.h"

#define MIB   (1024 * 1024UL)
#define LIMIT (1024 * MIB)

static size_t page;

struct lab {
	int from, to; /* directories */
	struct channel *channel;
	struct images_sender *sender;
	pid_t receiver;
	unsigned char *memory; /* of the service: shared by this test and it, but not for it */
	size_t len;
	pid_t service;
	int told[2], tells[2];
};

static int make_dir(const char *path)
{
	int fd;

	assert_int_equal(mkdir(path, 0700), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* What the destination does. */
static int receive_all(int fd, int dirfd)
{
	struct images_receiver *r;
	struct channel_message m;
	struct channel *c;
	uint64_t busy = 0;
	int ret = channel_open(fd, fd, &c) ?: images_receive_open(dirfd, LIMIT, &r);

	while (ret == 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint64_t begin;

		while ((ret = channel_receive(c, &m)) == 0)
			poll(&pfd, 1, -1);
		begin = now_us();
		if (ret == 1)
			ret = images_receive_take(r, &m);
		if (m.type >= IMAGES_FILE)
			busy += now_us() - begin;
	}
	if (ret < 0)
		fprintf(stderr, "%s\n", images_receive_error(r));
	else if (getenv("IMAGES_BENCH"))
		printf("received: %lu bytes in %lu us of writing\n",
		       (unsigned long)images_receive_bytes(r), (unsigned long)busy);
	fflush(NULL);
	images_receive_close(r);
	channel_close(c);
	return ret == 1 ? 0 : 1;
}

static void set_up(struct lab *lab, uint64_t limit)
{
	int fds[2];

	page = sysconf(_SC_PAGESIZE);
	memset(lab, 0, sizeof(*lab));
	unit_need_run();
	lab->from = make_dir("/run/from");
	lab->to = make_dir("/run/to");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	lab->receiver = fork();
	if (lab->receiver == 0) {
		close(fds[0]);
		_exit(receive_all(fds[1], lab->to));
	}
	close(fds[1]);
	assert_int_equal(channel_open(fds[0], fds[0], &lab->channel), 0);
	assert_int_equal(images_send_open(lab->channel, lab->from, limit, &lab->sender), 0);
}

/* The same on each run, other in each page: never zeros. */
static void scribble(unsigned char *at, size_t len, uint64_t seed)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(at + i, &seed, 8);
	}
}

/* A process with memory that is like lab->memory; tell() it to make it so again. */
static void start_service(struct lab *lab, size_t len)
{
	int fd;

	lab->len = len;
	/* Of a file: this mapping itself is not sent. */
	fd = open("/run/memory", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, len) == 0);
	lab->memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_ptr_not_equal(lab->memory, MAP_FAILED);
	scribble(lab->memory, len, 1);
	assert_int_equal(pipe2(lab->told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(lab->tells, O_CLOEXEC), 0);
	lab->service = fork();
	if (lab->service == 0) {
		unsigned char *own =
			mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(lab->told[1]);
		do {
			memcpy(own, lab->memory, len);
			if (write(lab->tells[1], "", 1) != 1)
				_exit(1);
		} while (read(lab->told[0], &c, 1) == 1);
		_exit(0);
	}
	assert_int_equal(read(lab->tells[0], &(char){ 0 }, 1), 1);
}

static void tell(struct lab *lab)
{
	assert_int_equal(write(lab->told[1], "", 1), 1);
	assert_int_equal(read(lab->tells[0], &(char){ 0 }, 1), 1);
}

static void write_file(struct lab *lab, const char *name, const void *data, size_t len)
{
	int fd = openat(lab->from, name, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		assert_true(n > 0);
		data = (const char *)data + n;
		len -= n;
	}
	close(fd);
}

/* The receiver's directory is as the sender's. */
static void end(struct lab *lab)
{
	int status;

	assert_int_equal(waitpid(lab->receiver, &status, 0), lab->receiver);
	assert_int_equal(status, 0);
	images_send_close(lab->sender);
	channel_close(lab->channel);
	unit_run("diff -r --exclude='*.log' /run/from /run/to");
	unit_run("test -z \"$(find /run/to -name '*.log')\"");
	close(lab->from);
	close(lab->to);
	if (!lab->service)
		return;
	close(lab->told[0]);
	close(lab->told[1]);
	close(lab->tells[0]);
	close(lab->tells[1]);
	munmap(lab->memory, lab->len);
	assert_int_equal(waitpid(lab->service, &status, 0), lab->service);
	assert_int_equal(status, 0);
}

static void finish(struct lab *lab)
{
	assert_int_equal(images_send_rest(lab->sender), 0);
	end(lab);
}

static void memory_is_referred_to(void **state)
{
	struct images_stats stats;
	struct lab lab;

	(void)state;
	set_up(&lab, LIMIT);
	start_service(&lab, 8 * MIB);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	stats = images_send_stats(lab.sender);
	assert_true(stats.stored >= 8 * MIB);
	/* The same as others; zeros. */
	memcpy(lab.memory + 6 * MIB + 3 * page, lab.memory, MIB);
	memset(lab.memory + 7 * MIB, 0, MIB / 2);
	tell(&lab);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	assert_true(images_send_stats(lab.sender).stored - stats.stored < MIB / 8);
	stats = images_send_stats(lab.sender);
	/* Pages change: these are sent, and no others. */
	for (size_t i = 0; i < 100; i++)
		scribble(lab.memory + i * 7 * page, page, 1000 + i);
	tell(&lab);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	assert_in_range(images_send_stats(lab.sender).stored - stats.stored, 100 * page,
			200 * page);
	/* Once more, after the last pass. */
	for (size_t i = 0; i < 10; i++)
		scribble(lab.memory + i * 3 * page, page, 2000 + i);

	assert_int_equal(images_send_follow(lab.sender), 0);
	write_file(&lab, "pages-1.img", lab.memory, 5 * MIB + 100);
	assert_int_equal(images_send_follow(lab.sender), 0);
	write_file(&lab, "pages-1.img", lab.memory + 5 * MIB + 100, 3 * MIB - 100);
	assert_int_equal(images_send_follow(lab.sender), 0);
	assert_int_equal(images_send_follow(lab.sender), 0);
	stats = images_send_stats(lab.sender);
	assert_int_equal(stats.raw, 10 * page);
	assert_int_equal(stats.zeros, MIB / 2);
	assert_int_equal(stats.referred, lab.len - stats.raw - stats.zeros);
	assert_false(stats.full);
	finish(&lab);
}

static void all_kinds_of_files(void **state)
{
	static const char log[] = "(00.000) Dumping\n";
	unsigned char *data = malloc(5 * MIB);
	struct lab lab;

	(void)state;
	set_up(&lab, LIMIT);
	start_service(&lab, 2 * MIB);
	assert_int_equal(images_send_memory(lab.sender, (pid_t[]){ lab.service, 999999999 }, 2), 0);
	scribble(data, 5 * MIB, 7);
	write_file(&lab, "dump.log", log, sizeof(log));
	write_file(&lab, "pages-1.img", lab.memory, MIB);
	assert_int_equal(images_send_follow(lab.sender), 0);
	write_file(&lab, "pages-1.img", lab.memory + MIB, MIB);
	/* Empty; as large as no page is; zeros to the end. */
	write_file(&lab, "pages-2.img", NULL, 0);
	write_file(&lab, "pages-3.img", data, page / 2);
	assert_int_equal(images_send_follow(lab.sender), 0);
	write_file(&lab, "pages-4.img", data, MIB);
	memset(data, 0, MIB);
	write_file(&lab, "pages-4.img", data, MIB);
	write_file(&lab, "pages-6.img", lab.memory, lab.len);
	write_file(&lab, "core-1.img", data, 5 * MIB);
	write_file(&lab, "inventory.img", data + 3 * MIB, 77);
	write_file(&lab, "empty.img", NULL, 0);
	write_file(&lab, "stats-dump", data + 4 * MIB, MIB - 1);
	assert_int_equal(symlinkat("..", lab.from, "parent"), 0);
	assert_int_equal(images_send_follow(lab.sender), 0);
	unit_run("rm /run/from/parent");
	finish(&lab);
	free(data);
}

/* Each other page is new, and no two that follow each other were so in memory. */
static void pages_in_any_order(void **state)
{
	unsigned char *data = malloc(4 * MIB);
	struct lab lab;

	(void)state;
	set_up(&lab, LIMIT);
	start_service(&lab, 4 * MIB);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	for (size_t i = 0; i < 4 * MIB / page; i++) {
		if (i % 2 == 0)
			memcpy(data + i * page, lab.memory + i * 37 * page % lab.len, page);
		else if (i % 3 == 0)
			memset(data + i * page, 0, page);
		else
			scribble(data + i * page, page, 100000 + i);
	}
	write_file(&lab, "pages-1.img", data, 4 * MIB);
	finish(&lab);
	free(data);
}

/* No more goes ahead than is allowed; all arrives. */
static void the_store_has_a_limit(void **state)
{
	struct images_stats stats;
	struct lab lab;

	(void)state;
	set_up(&lab, MIB);
	start_service(&lab, 4 * MIB);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	write_file(&lab, "pages-1.img", lab.memory, lab.len);
	assert_int_equal(images_send_follow(lab.sender), 0);
	stats = images_send_stats(lab.sender);
	assert_true(stats.full);
	assert_int_equal(stats.stored, MIB);
	assert_in_range(stats.raw, 3 * MIB, lab.len);
	finish(&lab);
}

static void directories_of_other_trees(void **state)
{
	static const char *const names[] = { "pages-1.img", "2/pages-1.img", "2/pages-2.img",
					     "2/core-1.img", "3/pages-1.img" };
	struct images_stats stats;
	struct lab lab;

	(void)state;
	set_up(&lab, LIMIT);
	start_service(&lab, MIB);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	unit_run("mkdir /run/from/2 /run/from/3");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		write_file(&lab, names[i], lab.memory, lab.len);
	write_file(&lab, "2/dump.log", "x", 1);
	assert_int_equal(images_send_follow(lab.sender), 0);
	assert_int_equal(images_send_rest(lab.sender), 0);
	stats = images_send_stats(lab.sender);
	assert_int_equal(stats.files, ARRAY_SIZE(names));
	assert_int_equal(stats.referred + stats.zeros + stats.raw, 5 * lab.len);
	assert_in_range(stats.raw, lab.len, 2 * lab.len);
	unit_run("rm /run/from/2/dump.log");
	end(&lab);
}

static void without_memory_sent_ahead(void **state)
{
	struct lab lab;

	(void)state;
	set_up(&lab, 0);
	start_service(&lab, 4 * MIB);
	write_file(&lab, "pages-1.img", lab.memory, lab.len);
	finish(&lab);
}

static void a_file_that_cannot_be_sent(void **state)
{
	int status;
	struct lab lab;

	(void)state;
	set_up(&lab, MIB);
	write_file(&lab, "a b.img", "x", 1);
	assert_int_equal(images_send_rest(lab.sender), -EINVAL);
	assert_non_null(strstr(images_send_error(lab.sender), "name"));
	images_send_close(lab.sender);
	channel_close(lab.channel);
	waitpid(lab.receiver, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 1);
	unit_run("test -z \"$(ls -A /run/to)\"");
}

static int count(void *arg, const unsigned char *pages, uint32_t n)
{
	(void)pages;
	*(uint64_t *)arg += n;
	return 0;
}

/* What criu would not dump is not read: a file's pages, what was never touched. */
static void only_memory_of_its_own(void **state)
{
	struct images_range scan[IMAGES_RANGES_MAX], slow[IMAGES_RANGES_MAX];
	uint64_t bytes, pages = 0, next, next_slow;
	int n, fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned char *at, *untouched;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	volatile unsigned char sum = 0;

	(void)state;
	page = sysconf(_SC_PAGESIZE);
	untouched = mmap(NULL, 1UL << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			 -1, 0);
	assert_ptr_not_equal(untouched, MAP_FAILED);
	assert_int_equal(images_memory_read(getpid(), count, &pages, &bytes), 0);
	assert_int_equal(bytes, pages * page);
	assert_in_range(bytes, page, 512 * MIB);
	munmap(untouched, 1UL << 36);

	/* Page 1 and those from 3 to 5 of 8 of a file are written to, all are read. */
	at = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	for (size_t i = 0; i < 8; i++)
		sum += at[i * page];
	at[page] = at[3 * page] = at[4 * page] = at[5 * page] = sum;
	n = images_pagemap_read(fd, (uintptr_t)at, (uintptr_t)(at + 8 * page), false, slow,
				&next_slow);
	assert_int_equal(n, 2);
	assert_int_equal(slow[0].start, (uintptr_t)at + page);
	assert_int_equal(slow[0].end, (uintptr_t)at + 2 * page);
	assert_int_equal(slow[1].start, (uintptr_t)at + 3 * page);
	assert_int_equal(slow[1].end, (uintptr_t)at + 6 * page);
	assert_int_equal(next_slow, (uintptr_t)at + 8 * page);
	n = images_pagemap_scan(fd, (uintptr_t)at, (uintptr_t)(at + 8 * page), false, scan, &next);
	if (n != -ENOTTY && n != -EINVAL) {
		assert_int_equal(n, 2);
		assert_memory_equal(scan, slow, 2 * sizeof(*scan));
		assert_int_equal(next, next_slow);
	}
	munmap(at, 8 * page);

	/* More ranges than one call gives. */
	at = mmap(NULL, 2000 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(at, 2000 * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 2000; i += 2)
		at[i * page] = 1;
	for (int way = 0; way < 2; way++) {
		int all = 0;

		next = (uintptr_t)at;
		while (next < (uintptr_t)(at + 2000 * page)) {
			n = way ? images_pagemap_read(fd, next, (uintptr_t)(at + 2000 * page),
						      false, scan, &next)
				: images_pagemap(fd, next, (uintptr_t)(at + 2000 * page), false,
						 scan, &next);
			assert_true(n > 0);
			all += n;
		}
		assert_int_equal(all, 1000);
	}
	munmap(at, 2000 * page);
	close(fd);
	close(file);
}

/* Of what tasks share: what is no file, or a deleted one in memory. */
static void memory_that_is_shared(void **state)
{
	uint64_t bytes, before, pages = 0;
	unsigned char *at;
	int fd;

	(void)state;
	page = sysconf(_SC_PAGESIZE);
	assert_int_equal(images_memory_read(getpid(), count, &pages, &before), 0);
	at = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	scribble(at, 4 * MIB, 5);
	assert_int_equal(images_memory_read(getpid(), count, &pages, &bytes), 0);
	assert_in_range(bytes - before, 4 * MIB, 7 * MIB);
	munmap(at, 4 * MIB);
	fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 64 * MIB), 0);
	at = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	scribble(at, 3 * MIB, 5);
	assert_int_equal(images_memory_read(getpid(), count, &pages, &bytes), 0);
	assert_in_range(bytes - before, 3 * MIB, 16 * MIB);
	munmap(at, 64 * MIB);
	close(fd);
}

/* IMAGES_BENCH=MiB: what it costs. */
static void bench(void **state)
{
	const char *mib = getenv("IMAGES_BENCH");
	struct images_stats stats;
	struct lab lab;

	(void)state;
	if (!mib)
		return;
	set_up(&lab, LIMIT);
	start_service(&lab, atoi(mib) * MIB);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	stats = images_send_stats(lab.sender);
	printf("ahead: %lu bytes in %lu us\n", stats.stored, stats.ahead_ns / 1000);
	assert_int_equal(images_send_memory(lab.sender, &lab.service, 1), 0);
	printf("again: in %lu us\n",
	       (images_send_stats(lab.sender).ahead_ns - stats.ahead_ns) / 1000);
	write_file(&lab, "pages-1.img", lab.memory, lab.len);
	assert_int_equal(images_send_follow(lab.sender), 0);
	stats = images_send_stats(lab.sender);
	printf("follow: %lu bytes referred to, %lu raw in %lu us\n", stats.referred, stats.raw,
	       stats.follow_ns / 1000);
	finish(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_referred_to),
		cmocka_unit_test(all_kinds_of_files),
		cmocka_unit_test(pages_in_any_order),
		cmocka_unit_test(the_store_has_a_limit),
		cmocka_unit_test(directories_of_other_trees),
		cmocka_unit_test(without_memory_sent_ahead),
		cmocka_unit_test(a_file_that_cannot_be_sent),
		cmocka_unit_test(only_memory_of_its_own),
		cmocka_unit_test(memory_that_is_shared),
		cmocka_unit_test(bench),
	};

	return unit_main("images", tests, NULL, NULL);
}
