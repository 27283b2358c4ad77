// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"

static volatile sig_atomic_t passed, interrupted, connection = -1;

static void on_signal(int number)
{
	if (number == SIGALRM)
		passed = 1;
	else
		interrupted = 1;
	if (connection >= 0)
		shutdown(connection, SHUT_RDWR);
}

void deadline_set(unsigned int seconds, int socket)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

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
	return passed || interrupted;
}

bool deadline_interrupted(void)
{
	return interrupted;
}

void deadline_at_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, before;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		/* nohup(1) wants it to go on. */
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}
