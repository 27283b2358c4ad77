// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: old-kernel PROGRAM [ARGUMENT...]
 *
 * Run PROGRAM as if later kernels had not changed what CRIU 3.17 takes for granted:
 * - Linux 6.13 put an area [vvar_vclock] between the [vvar] and [vdso] of each process:
 *   "Unexpected rt vDSO area bounds", "Unsupported mapping found". PROGRAM gets none of
 *   them, as on a kernel booted with vdso=0.
 * - Linux 6.16 refuses SO_PASSCRED and SO_PASSSEC on a TCP socket: "Can't get 1:16 opt",
 *   "Can't get 1:34 opt". For PROGRAM they are off, by old-kernel.so, which is this same
 *   file.
 */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_INSTRUCTION 0x050f

__attribute__((visibility("default"))) int getsockopt(int fd, int level, int name,
						      void *restrict value, socklen_t *restrict len)
{
	int ret = syscall(SYS_getsockopt, fd, level, name, value, len);

	if (ret < 0 && errno == EOPNOTSUPP && level == SOL_SOCKET &&
	    (name == SO_PASSCRED || name == SO_PASSSEC)) {
		memset(value, 0, *len);
		ret = 0;
	}
	return ret;
}

static long peek(pid_t pid, unsigned long at)
{
	return ptrace(PTRACE_PEEKDATA, pid, at, NULL);
}

/* The stack of a new program: argc, argv, NULL, environment, NULL, auxiliary vector. */
static void hide_vdso(pid_t pid, unsigned long sp)
{
	for (sp += 8 * (peek(pid, sp) + 2); peek(pid, sp); sp += 8)
		;
	for (sp += 8; peek(pid, sp) != AT_NULL; sp += 16)
		if (peek(pid, sp) == AT_SYSINFO_EHDR)
			ptrace(PTRACE_POKEDATA, pid, sp, AT_IGNORE);
}

/* The instruction that @pid is about to execute has been made a system call. */
static int unmap(pid_t pid, const struct user_regs_struct *begin, unsigned long at,
		 unsigned long end)
{
	struct user_regs_struct regs = *begin;
	int status;

	regs.rax = SYS_munmap;
	regs.rdi = at;
	regs.rsi = end - at;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) < 0 ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return -errno;
	return regs.rax;
}

static int remove_vdso(pid_t pid)
{
	struct user_regs_struct begin;
	unsigned long at, end;
	char line[PATH_MAX];
	int ret = 0;
	long code;
	FILE *maps;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &begin) < 0)
		return -errno;
	snprintf(line, sizeof(line), "/proc/%d/maps", (int)pid);
	maps = fopen(line, "re");
	if (!maps)
		return -errno;
	hide_vdso(pid, begin.rsp);
	code = peek(pid, begin.rip);
	ptrace(PTRACE_POKETEXT, pid, begin.rip, SYSCALL_INSTRUCTION);
	while (ret == 0 && fgets(line, sizeof(line), maps))
		if ((strstr(line, "[vdso]") || strstr(line, "[vvar")) &&
		    sscanf(line, "%lx-%lx", &at, &end) == 2)
			ret = unmap(pid, &begin, at, end);
	fclose(maps);
	ptrace(PTRACE_POKETEXT, pid, begin.rip, code);
	if (ret == 0 && ptrace(PTRACE_SETREGS, pid, NULL, &begin) < 0)
		ret = -errno;
	return ret;
}

/* Stops as soon as it is PROGRAM. */
static void become(char **argv)
{
	char path[PATH_MAX] = "";

	if (readlink("/proc/self/exe", path, sizeof(path) - sizeof(".so")) > 0) {
		setenv("LD_PRELOAD", strcat(path, ".so"), 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[0], argv);
	}
	perror(argv[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int ret, status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: old-kernel PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	pid = fork();
	if (pid == 0)
		become(argv + 1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("old-kernel");
		return 127;
	}
	if (!WIFSTOPPED(status))
		return WEXITSTATUS(status);
	ret = remove_vdso(pid);
	if (ret < 0) {
		fprintf(stderr, "old-kernel: cannot unmap the vDSO of %s: %s\n", argv[1],
			strerror(-ret));
		kill(pid, SIGKILL);
		return 127;
	}
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (waitpid(pid, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
