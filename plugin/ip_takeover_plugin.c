// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CRIU plugin. Thin: each callback is one request to the keeper. It also
 * registers our action script, so that `criu --libdir` alone is enough.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/nsfs.h>
#include <limits.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criu/criu-plugin.h>

#include "armed.h"
#include "request.h"
#include "stage.h"

#define LOG_ERROR 1
#define LOG_WARN  2

/* Exported by the criu binary; criu-log.h is not installed whole. */
extern void print_on_level(unsigned int level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static char self[PATH_MAX], images[64], netns[64];
static pid_t root; /* of the tree that is dumped or restored */
static bool rpc, paused;

static int stage(const char *name, int value)
{
	struct takeover_stage_context context = { .self = self,
						  .criu_pid = getpid(),
						  .root_pid = root,
						  .images = images,
						  .rpc = rpc,
						  .netns = netns[0] ? netns : NULL };
	char line[600];
	int ret;

	ret = takeover_stage(&context, name, value, line, sizeof(line));
	if (line[0])
		print_on_level(ret < 0 ? LOG_ERROR : LOG_WARN, "ip-takeover: %s\n", line);
	return ret;
}

/* Of CRIU's own command line; NULL at its end. */
static const char *next_word(FILE *f, char **word, size_t *size)
{
	return f && getdelim(word, size, '\0', f) > 0 ? *word : NULL;
}

/* What follows "-t" or "--tree", in the same word or the next; NULL: another option. */
static const char *tree(const char *option, FILE *f, char **word, size_t *size)
{
	if (strncmp(option, "--tree=", 7) == 0)
		return option + 7;
	if (strcmp(option, "-t") == 0 || strcmp(option, "--tree") == 0)
		return next_word(f, word, size) ?: "0";
	return strncmp(option, "-t", 2) == 0 ? option + 2 : NULL;
}

/* The root of the dumped tree, as a script learns it from CRTOOLS_INIT_PID: from "-t PID" or
 * "--tree PID"; 0 when it came by RPC. */
static pid_t dumped_root(void)
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	const char *option, *pid = NULL;
	char *word = NULL;
	size_t size = 0;
	pid_t ret;

	while (!pid && (option = next_word(f, &word, &size)))
		pid = tree(option, f, &word, &size);
	ret = pid ? atoi(pid) : 0;
	free(word);
	if (f)
		fclose(f);
	return ret;
}

/* Before 3.19 CRIU takes scripts or RPC, and add_script() with RPC is a BUG();
 * rpc_query_external_files() came with 3.19, too (criu/action-scripts.c). */
static bool may_add_script(void)
{
	return dlsym(RTLD_DEFAULT, "rpc_query_external_files") || !rpc;
}

/* A namespace that the tree is restored into comes as a descriptor (--inherit-fd; runc's and crun's
 * extRootNetNS): the one of a network namespace that is not CRIU's own. Of several none is
 * it for sure. */
static void find_netns(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct stat own, st, found = { 0 };
	struct dirent *de;

	netns[0] = '\0';
	if (!dir || stat("/proc/self/ns/net", &own) < 0)
		goto out;
	while ((de = readdir(dir))) {
		int fd = atoi(de->d_name);

		if (de->d_name[0] == '.' || fstat(fd, &st) < 0 || st.st_dev != own.st_dev ||
		    st.st_ino == own.st_ino || st.st_ino == found.st_ino ||
		    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
			continue;
		if (found.st_ino) {
			netns[0] = '\0';
			break;
		}
		found = st;
		snprintf(netns, sizeof(netns), "/proc/%d/fd/%d", (int)getpid(), fd);
	}
out:
	if (dir)
		closedir(dir);
}

/* The hook beside us: build/criu-action in the build tree, libexec when installed. */
static void register_action_script(void)
{
	static const char *const ways[] = { "../criu-action",
					    "../../libexec/criu-ip-takeover/criu-action" };
	int (*add_script)(char *) = dlsym(RTLD_DEFAULT, "add_script");
	char path[PATH_MAX + 64];

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(path, sizeof(path), "%.*s/%s", (int)(strrchr(self, '/') - self), self,
			 ways[i]);
		if (access(path, X_OK) < 0)
			continue;
		if (add_script && may_add_script() && add_script(path) == 0)
			return;
	}
	print_on_level(LOG_WARN, "ip-takeover: cannot register criu-action; pass it with "
				 "--action-script\n");
}

static int ip_takeover_plugin_init(int at)
{
	Dl_info info;
	int ret;

	if (at == CR_PLUGIN_STAGE__PRE_DUMP)
		return 0;
	if (!dladdr((void *)ip_takeover_plugin_init, &info) || !realpath(info.dli_fname, self)) {
		print_on_level(LOG_ERROR, "ip-takeover: cannot find my own file: %s\n",
			       strerror(errno));
		return -1;
	}
	snprintf(images, sizeof(images), "/proc/%d/fd/%d", (int)getpid(), criu_get_image_dir());
	root = at == CR_PLUGIN_STAGE__DUMP ? dumped_root() : 0;
	rpc = takeover_in_rpc_mode(getpid());
	if (at == CR_PLUGIN_STAGE__RESTORE)
		find_netns();
	/* Whose tree it is comes with pause(DUMP) then. */
	if (at == CR_PLUGIN_STAGE__DUMP && rpc)
		ret = 0;
	else
		ret = stage(at == CR_PLUGIN_STAGE__DUMP ? "init(DUMP)" : "init(RESTORE)", 0);
	if (ret == 0)
		register_action_script();
	return ret < 0 ? ret : 0;
}

/* While the tasks are going to die, CRIU keeps their TCP connections with TCP_REPAIR on;
 * when they live on it has closed them (criu/sk-tcp.c, cpt_unlock_tcp_connections). */
static bool keeps_connections(void)
{
	DIR *dir = opendir("/proc/self/fd");
	bool repair = false;
	struct dirent *de;

	if (!dir)
		return false;
	while (!repair && (de = readdir(dir))) {
		int value = 0, fd = atoi(de->d_name);
		socklen_t len = sizeof(value);

		repair = de->d_name[0] != '.' &&
			 getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &value, &len) == 0 && value == 1;
	}
	closedir(dir);
	return repair;
}

static void ip_takeover_plugin_exit(int at, int ret)
{
	if (at == CR_PLUGIN_STAGE__RESTORE)
		stage("exit(RESTORE)", ret);
	if (at != CR_PLUGIN_STAGE__DUMP)
		return;
	if (ret != 0)
		stage("exit(DUMP)", TAKEOVER_EXIT_FAILED);
	else if (stage("exit(DUMP)", keeps_connections() ? TAKEOVER_EXIT_TASKS_DIE
							 : TAKEOVER_EXIT_NO_CONNECTION) < 0)
		/* CRIU would not know, and kill the tasks (criu/cr-dump.c, cr_dump_finish).
		 * When it ends here they live on. */
		_exit(1);
}

static int ip_takeover_plugin_resume_devices_late(int pid)
{
	/* CRIU begins with the root (criu/cr-restore.c). */
	if (root == 0)
		root = pid;
	/* CRIU does not listen, and would let the tasks run that the keeper has ended. */
	if (stage("resume-late", 0) == -ECANCELED)
		_exit(1);
	/* No opinion: other plugins may have their own work for this task. */
	return -ENOTSUP;
}

/* By a runtime the tree is not known before; CRIU begins with its root, which still runs, unless
 * the runtime has it in a freezer (criu/seize.c, collect_pstree). */
static int ip_takeover_plugin_pause_devices(int pid)
{
	int ret;

	if (!rpc || paused)
		return -ENOTSUP;
	paused = true;
	root = pid;
	ret = stage("pause(DUMP)", 0);
	return ret < 0 ? -1 : -ENOTSUP;
}

/* Of CRIU 4.0 and later, which the header that we are built with need not know. */
#define PAUSE_DEVICES 10

/* cr_plugin_desc_t of criu-plugin.h, with room for that. Filled by hand: max_hooks above CRIU's
 * own is refused as "Corrupted plugin", and CRIU 3.17 knows ten hooks (criu/plugin.c,
 * verify_plugin). */
__attribute__((visibility("default"))) struct {
	const char *name;
	int (*init)(int stage);
	void (*exit)(int stage, int ret);
	unsigned int version, max_hooks;
	void *hooks[PAUSE_DEVICES + 1];
} descriptor __asm__("CR_PLUGIN_DESC") = {
	.name = "ip_takeover_plugin",
	.init = ip_takeover_plugin_init,
	.exit = ip_takeover_plugin_exit,
	.version = CRIU_PLUGIN_VERSION,
	.max_hooks = PAUSE_DEVICES,
	.hooks = {
		[CR_PLUGIN_HOOK__RESUME_DEVICES_LATE] = (void *)ip_takeover_plugin_resume_devices_late,
		[PAUSE_DEVICES] = (void *)ip_takeover_plugin_pause_devices,
	},
};

/* cr_plugin_ctl is a list, and one more for each hook (criu/include/plugin.h). */
static __attribute__((constructor)) void see_how_many_hooks(void)
{
	const ElfW(Sym) *symbol = NULL;
	void *ctl = dlsym(RTLD_DEFAULT, "cr_plugin_ctl");
	Dl_info info;

	if (ctl && dladdr1(ctl, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
	    symbol->st_size > (PAUSE_DEVICES + 1) * 2 * sizeof(void *))
		descriptor.max_hooks = PAUSE_DEVICES + 1;
}
