// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"

static volatile sig_atomic_t passed, connection = -1;

static void on_alarm(int number)
{
	(void)number;
	passed = 1;
	if (connection >= 0)
		shutdown(connection, SHUT_RDWR);
}

void deadline_set(unsigned int seconds, int socket)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	alarm(0);
	passed = 0;
	connection = socket;
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

void deadline_forget(void)
{
	alarm(0);
	connection = -1;
}

bool deadline_passed(void)
{
	return passed;
}
