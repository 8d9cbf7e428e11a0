// SPDX-License-Identifier: GPL-2.0
/*
 * What else a process may have of which a checkpoint may have to take note.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "burden.h"
#include "function.h"

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Private ones of a page each; neighbours differ, so that none are merged. */
void add_mappings(long count)
{
	char *page;
	long i;

	page = mmap(NULL, count * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (count && page == MAP_FAILED)
		fail("bench: mmap");
	for (i = 0; i < count; i++, page += PAGE_SIZE) {
		*page = 1;
		if (i % 2 && mprotect(page, PAGE_SIZE, PROT_READ))
			fail("bench: mprotect");
	}
}

void open_files(long count)
{
	struct rlimit limit = { count + 64, count + 64 };

	if (count && setrlimit(RLIMIT_NOFILE, &limit))
		fail("bench: setrlimit");
	while (count--)
		if (open("/proc/self/exe", O_RDONLY) < 0)
			fail("bench: open");
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* They sleep when it returns. */
void start_threads(long count)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (!count)
		return;
	if (pthread_attr_init(&attr) ||
	    pthread_attr_setstacksize(&attr, 64 << 10))
		fail("bench: pthread_attr_init");
	while (count--)
		if (pthread_create(&thread, &attr, sleep_for_ever, NULL))
			fail("bench: pthread_create");
	usleep(300000);
}
