// SPDX-License-Identifier: GPL-2.0-only
/* A criu that a container runtime runs for us: its keeper is found, or made, by way of armed.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "criu.h"
#include "journal.h"
#include "manifest.h"
#include "netlink.h"

#define ARMED_S	   86400 /* it ends with us */
#define AT_WORK_MS 5000
#define AGAIN_MS   10

static int self(char *ret_path)
{
	ssize_t n = readlink("/proc/self/exe", ret_path, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	ret_path[n] = '\0';
	return 0;
}

static int arm(struct criu *criu, const char *name, const char *socket)
{
	struct takeover_armed armed = {
		.mover = getpid(),
		.until_s = takeover_armed_now() + ARMED_S,
	};

	snprintf(criu->armed, sizeof(criu->armed), "%s", name);
	snprintf(armed.socket, sizeof(armed.socket), "%s", socket);
	return takeover_arm(criu->armed, &armed);
}

static struct criu begin(const char *verb, const char *images)
{
	struct criu criu = {
		.verb = verb, .images = images, .pidfd = -1, .asked_fd = -1, .of_runtime = true
	};

	snprintf(criu.log, sizeof(criu.log), "%s.log", verb);
	return criu;
}

/* A keeper for a command that waits at its gate: the service comes to rest before the runtime
 * freezes it. */
static int prepare(struct criu *criu, pid_t root, struct takeover_reply *reply)
{
	char name[TAKEOVER_ARMED_NAME_LEN], path[PATH_MAX];
	int ret = self(path);

	setenv(TAKEOVER_RUNTIME_ENV, "1", 1);
	ret = ret
		      ?: takeover_keeper_start(path, "source", criu->pid, root, criu->images,
					       getpid(), NULL, reply);
	unsetenv(TAKEOVER_RUNTIME_ENV);
	if (ret == 0 && reply->ret != 0)
		ret = reply->ret < 0 ? reply->ret : -EADDRNOTAVAIL;
	return ret ?: arm(criu, takeover_armed_root(root, name, sizeof(name)), criu->socket);
}

int criu_start_dump_by(const char *const argv[], const char *images, pid_t root, struct criu *criu,
		       struct takeover_reply *reply)
{
	int gate[2], ret;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	*criu = begin("dump", images);
	ret = criu_spawn(argv, NULL, gate[0], criu);
	close(gate[0]);
	if (ret == 0) {
		ret = prepare(criu, root, reply);
		if (ret == 0 && write(gate[1], "", 1) != 1)
			ret = -errno;
	}
	/* It ends when there is nothing to be read. */
	close(gate[1]);
	return ret;
}

int criu_start_restore_by(const char *const argv[], const char *images, bool mute,
			  struct criu *criu)
{
	struct takeover_manifest *manifest;
	int fd = open(images, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;
	char error[200];

	*criu = begin("restore", images);
	criu->mute = mute;
	if (fd < 0)
		return -errno;
	ret = takeover_manifest_read(fd, &manifest, error, sizeof(error));
	close(fd);
	if (ret < 0)
		return ret;
	ret = arm(criu, manifest->id, "");
	free(manifest);
	if (ret == 0)
		ret = criu_spawn(argv, NULL, -1, criu);
	/* Not before the runtime's criu has started it. */
	criu->socket[0] = '\0';
	return ret;
}

/* Whether a runtime's criu lives that has found the record. */
static bool is_at_work(const char *name)
{
	char path[128], images[64] = "";
	int pid;

	return readlink(takeover_armed_images(name, path, sizeof(path)), images,
			sizeof(images) - 1) > 0 &&
	       sscanf(images, "/proc/%d/", &pid) == 1 && kill(pid, 0) == 0;
}

/* The command may end before its criu, as docker does when dockerd is killed; without a record that
 * would take its dump for a copy, and the runtime end the tasks behind it. The keeper removes what
 * is left here (takeover_keeper_disarm()). */
void criu_disarm(struct criu *criu)
{
	long deadline = takeover_now_ms() + AT_WORK_MS;

	while (criu->armed[0] && is_at_work(criu->armed) && takeover_now_ms() < deadline)
		poll(NULL, 0, AGAIN_MS);
	if (criu->armed[0] && !is_at_work(criu->armed))
		takeover_disarm(criu->armed);
	criu->armed[0] = '\0';
}

bool criu_find_keeper(struct criu *criu)
{
	json_t *all, *j;
	size_t i;

	if (criu->socket[0])
		return true;
	all = cli_journals();
	/* That of a try before this one has no socket any more. */
	json_array_foreach(all, i, j)
		if (strcmp(journal_field(j, "id"), criu->armed) == 0 &&
		    strcmp(journal_field(j, "role"), "destination") == 0 &&
		    access(journal_field(j, "socket"), F_OK) == 0 &&
		    !journal_has_state(j, TAKEOVER_ROLLED_BACK))
			snprintf(criu->socket, sizeof(criu->socket), "%s",
				 journal_field(j, "socket"));
	json_decref(all);
	return criu->socket[0];
}

bool criu_is_prepared(const struct criu *criu)
{
	json_t *all = cli_journals(), *j;
	bool prepared = false;
	size_t i;

	json_array_foreach(all, i, j)
		prepared |=
			criu->socket[0] && strcmp(journal_field(j, "socket"), criu->socket) == 0 &&
			strcmp(journal_field(j, "state"), takeover_state_name(TAKEOVER_STARTING)) !=
				0;
	json_decref(all);
	return prepared;
}

int criu_open_images(const struct criu *criu)
{
	char path[128];
	int fd = open(takeover_armed_images(criu->armed, path, sizeof(path)),
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* runc: time="..." level=error msg="..."; crun: the message, perhaps behind the time and "error".
 */
static void copy_message(char *line, char *buf, size_t len)
{
	char *msg = strstr(line, "msg=\""), *end;

	if (msg) {
		msg += strlen("msg=\"");
		end = strrchr(msg, '"');
		if (end)
			*end = '\0';
	}
	snprintf(buf, len, "%s", msg ?: line);
	/* Quotes within it are behind a backslash. */
	for (char *from = buf, *to = buf; msg; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
		if (*from == '\0')
			break;
	}
}

const char *criu_runtime_why(const struct criu *criu, char *buf, size_t len)
{
	char path[PATH_MAX + 64], line[1024];
	FILE *f;

	buf[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s-said.log", criu->images, criu->verb);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && !strstr(line, "level=warning"))
			copy_message(line, buf, len);
	}
	if (f)
		fclose(f);
	return buf;
}

void criu_end_orphan(struct criu *criu)
{
	char living[TAKEOVER_SOCKET_LEN];
	pid_t pid;

	if (!criu->of_runtime || criu->status == 0 || !criu_find_keeper(criu) ||
	    sscanf(criu->socket, TAKEOVER_RUN_DIR "/criu-%d-", &pid) != 1)
		return;
	/* The name has the time of its start, too. */
	if (strcmp(takeover_request_path(pid, living, sizeof(living)), criu->socket) == 0)
		kill(pid, SIGKILL);
}
