// SPDX-License-Identifier: GPL-2.0
/* Ending when one is told to, with what is shown whole. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "interruption.h"

/* Who was told to end waits so long for who reads what it has begun to write. */
#define LAST_SECONDS 1

static bool interrupted;
/* SIGINT and SIGTERM, and SIGALRM after them; blocked but while waiting. */
static sigset_t ending;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&interrupted, true, __ATOMIC_RELAXED);
	alarm(LAST_SECONDS);
}

/* To interrupt a write is not enough: it may be about to begin, or go on. */
static void on_alarm(int sig)
{
	(void)sig;
	close(STDOUT_FILENO);
}

static bool is_interrupted(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED);
}

void interruption_catch(void)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};
	struct sigaction last = { .sa_handler = on_alarm };

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGALRM);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &last, NULL);
	/* Whoever began us may have it ignored; children are waited for. */
	signal(SIGCHLD, SIG_DFL);
}

void interruption_begin_output(void)
{
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

bool interruption_end_output(void)
{
	/* Who reads it waits for it. */
	bool written = !fflush(stdout);

	sigprocmask(SIG_BLOCK, &ending, NULL);
	return written && !is_interrupted();
}

int interruption_wait(int fd, const struct timespec *timeout)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	sigset_t none;
	int ready;

	sigemptyset(&none);
	while (!is_interrupted()) {
		ready = ppoll(&poll, 1, timeout, &none);
		if (ready >= 0 || errno != EINTR)
			return ready;
	}
	return -1;
}

bool interruption_await(int fd)
{
	return interruption_wait(fd, NULL) > 0;
}
