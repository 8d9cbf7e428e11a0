// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes that call the function when they are told to, and are
 * idle otherwise.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crowd.h"

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static _Noreturn void run_member(struct call *call, long calls, long warm_up,
				 int orders, int answers)
{
	char order = 0;
	long i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_area(call);
	for (i = 0; i < warm_up; i++)
		call_plainly(call);
	do {
		if (write(answers, &order, 1) != 1 ||
		    read(orders, &order, 1) != 1)
			_exit(1);
		for (i = 0; i < calls; i++)
			call_plainly(call);
	} while (1);
}

static void await(int answers)
{
	char answer;

	if (read(answers, &answer, 1) != 1) {
		fprintf(stderr, "bench: one of the crowd has died\n");
		exit(1);
	}
}

/* A process, and the pipe that it reads orders from. */
struct member {
	pid_t pid;
	int orders;
};

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

/**
 * run_crowd() - have @count processes call the function
 * @call: what each calls, in an area of its own
 * @count: how many
 * @calls: how often each calls it for a line of the standard input
 * @warm_up: how often before it is ready
 *
 * Says "ready", and "done" for each line; ends with the standard input.
 */
void run_crowd(struct call *call, long count, long calls, long warm_up)
{
	struct member *members = calloc(count, sizeof(*members));
	int orders[2], answers[2];
	long i;
	int c;

	if (!members || pipe(answers))
		fail("bench: pipe");
	for (i = 0; i < count; i++) {
		if (pipe(orders))
			fail("bench: pipe");
		members[i].orders = orders[1];
		members[i].pid = fork();
		if (members[i].pid < 0)
			fail("bench: fork");
		if (!members[i].pid)
			run_member(call, calls, warm_up, orders[0], answers[1]);
		close(orders[0]);
		await(answers[0]);
	}
	close(answers[1]);
	say("ready");
	while ((c = getchar()) != EOF) {
		if (c != '\n')
			continue;
		for (i = 0; i < count; i++) {
			if (write(members[i].orders, "", 1) != 1)
				fail("bench: write");
			await(answers[0]);
		}
		say("done");
	}
	for (i = 0; i < count; i++) {
		kill(members[i].pid, SIGKILL);
		waitpid(members[i].pid, NULL, 0);
	}
	free(members);
}
