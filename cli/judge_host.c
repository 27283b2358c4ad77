// SPDX-License-Identifier: GPL-2.0-only
/* Judgement: whether what runs there can run here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "run.h"
#include "scratch.h"

static char output[RUN_OUTPUT_MAX];

static void judge_versions(const struct facts *f, struct checks *c)
{
	int order = strverscmp(TAKEOVER_VERSION, f->version);

	if (order < 0)
		check_say(c, CHECK_NO, "ip-takeover", "install the source's version here, too",
			  TAKEOVER_VERSION " is older than the source's %s", f->version);
	else if (order > 0)
		check_say(c, CHECK_WARNING, "ip-takeover", "install the same version on both hosts",
			  TAKEOVER_VERSION " is newer than the source's %s", f->version);
	else
		check_say(c, CHECK_OK, "ip-takeover", NULL, TAKEOVER_VERSION ", as on the source");
	if (!c->criu[0])
		return; /* check_criu() has said so */
	/* It reads the images of older ones, not of newer ones. */
	if (c->criu_version < f->criu)
		check_say(c, CHECK_NO, "criu version", "install the source's version here, too",
			  "%u.%u is older than the source's %u.%u", c->criu_version / 100,
			  c->criu_version % 100, f->criu / 100, f->criu % 100);
	else
		check_say(c, CHECK_OK, "criu version", NULL, "%u.%u, on the source %u.%u",
			  c->criu_version / 100, c->criu_version % 100, f->criu / 100,
			  f->criu % 100);
}

/* 6.12 is 6012; 0: not known. */
static unsigned int kernel_number(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%4u.%3u", &major, &minor) != 2)
		return 0;
	return major * 1000 + minor;
}

void judge_host(const struct facts *f, struct checks *c)
{
	struct utsname host;

	judge_versions(f, c);
	uname(&host);
	if (strcmp(host.machine, f->machine) != 0)
		check_say(c, CHECK_NO, "architecture", "move it to a host of the same architecture",
			  "%s, the source is %s", host.machine, f->machine);
	else
		check_say(c, CHECK_OK, "architecture", NULL, "%s", host.machine);
	if (kernel_number(host.release) < kernel_number(f->kernel))
		check_say(c, CHECK_WARNING, "kernel",
			  "run the same kernel on both hosts, or go to the newer one only",
			  "%s is older than the source's %s: the service may use what it lacks",
			  host.release, f->kernel);
	else
		check_say(c, CHECK_OK, "kernel", NULL, "%s, on the source %s", host.release,
			  f->kernel);
}

static int check_image(const struct facts *f, const struct checks *c, const char *scratch,
		       int *ret_status)
{
	char path[sizeof(SCRATCH) + 16];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/cpuinfo.img", scratch);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = write(fd, f->cpu, f->n_cpu) == (ssize_t)f->n_cpu ? 0 : -EIO;
	close(fd);
	if (ret == 0)
		ret = cli_run((const char *[]){ c->criu, "cpuinfo", "check", "--no-default-config",
						"--images-dir", scratch, NULL },
			      NULL, CHECK_PATIENCE_MS, output, sizeof(output), ret_status);
	return ret;
}

void judge_cpu(const struct facts *f, struct checks *c)
{
	const char *text = output, *error;
	char scratch[] = SCRATCH;
	int status = 0, ret;
	sigset_t before;

	if (!c->criu[0]) {
		check_needs_criu(c, "cpu");
		return;
	}
	if (f->n_cpu == 0) {
		check_say(c, CHECK_WARNING, "cpu", "see that both hosts have the same processor",
			  "not compared: the source's criu does not describe its processor");
		return;
	}
	output[0] = '\0';
	ret = scratch_begin(scratch, &before);
	if (ret == 0)
		ret = check_image(f, c, scratch, &status);
	scratch_end(scratch, &before);
	if (ret == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		check_say(c, CHECK_OK, "cpu", NULL, "has all that the source's has");
		return;
	}
	error = check_next_error(&text);
	check_say(c, CHECK_NO, "cpu", "move it to a host with the same processor, or a newer one",
		  "criu cpuinfo check: %.*s", error ? (int)strcspn(error, "\n") : 80,
		  error	    ? error
		  : ret < 0 ? check_why(ret)
			    : "lacks what the source's has");
}
