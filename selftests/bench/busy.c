// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that work and call the function in turn, all at the same time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "busy.h"

static pthread_barrier_t begin, end;
static struct {
	struct call call;
	long calls;
	long work;
} busy;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void work(long instructions)
{
	long rounds = instructions / 2;

	if (rounds)
		asm volatile("1:	dec	%0\n	jnz	1b" : "+r" (rounds));
}

static void *run(void *arg)
{
	struct call call = busy.call;
	long i;

	make_area(&call);
	for (;;) {
		pthread_barrier_wait(&begin);
		for (i = 0; i < busy.calls; i++) {
			work(busy.work);
			call_plainly(&call);
		}
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/**
 * start_busy_threads() - make threads that will call the function
 * @call: what each calls, in an area of its own
 * @count: how many; none with 0
 * @calls: how often each calls it at a time
 * @work: how many instructions each needs before each call
 *
 * Each has called it that often when it returns.
 */
void start_busy_threads(const struct call *call, long count, long calls,
			long work)
{
	pthread_t thread;
	long i;

	if (!count)
		return;
	busy.call = *call;
	busy.calls = calls;
	busy.work = work;
	if (pthread_barrier_init(&begin, NULL, count + 1) ||
	    pthread_barrier_init(&end, NULL, count + 1))
		fail("bench: pthread_barrier_init");
	for (i = 0; i < count; i++)
		if (pthread_create(&thread, NULL, run, NULL))
			fail("bench: pthread_create");
	call_in_busy_threads();
}

/**
 * call_in_busy_threads() - have all of the threads call the function
 */
void call_in_busy_threads(void)
{
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&end);
}
