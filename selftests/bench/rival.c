// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoints that a program can make of itself, in user space.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rival.h"

static char images[PAGES_MAX][PAGE_SIZE];

/* Resident from the start. */
static void touch_images(const struct call *call)
{
	memset(images, 1, sizeof(images));
}

/* The pages are known beforehand: the least that any copying can cost. */
static void call_with_copies(const struct call *call)
{
	long i;

	for (i = 0; i < call->pages; i++)
		memcpy(images[i], call->area + i * PAGE_SIZE, PAGE_SIZE);
	call_plainly(call);
}

/* The checkpoint is a child that stops, ready to take over. */
static void call_with_fork(const struct call *call)
{
	pid_t child = fork();

	if (!child) {
		raise(SIGSTOP);
		_exit(0);
	}
	call_plainly(call);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static char *logged[PAGES_MAX];
static long logged_pages;

static void log_write(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((unsigned long)info->si_addr & -PAGE_SIZE);

	memcpy(images[logged_pages], page, PAGE_SIZE);
	logged[logged_pages++] = page;
	mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static void protect_area(const struct call *call)
{
	struct sigaction action = {
		.sa_sigaction = log_write,
		.sa_flags = SA_SIGINFO,
	};

	touch_images(call);
	sigaction(SIGSEGV, &action, NULL);
	mprotect(call->area, call->area_pages * PAGE_SIZE, PROT_READ);
}

/* Covers the area alone; all is protected once, then what was written. */
static void call_with_undo_log(const struct call *call)
{
	call_plainly(call);
	while (logged_pages)
		mprotect(logged[--logged_pages], PAGE_SIZE, PROT_READ);
}

static const struct rival rivals[] = {
	{ "plain", NULL, call_plainly },
	{ "copies", touch_images, call_with_copies },
	{ "fork", NULL, call_with_fork },
	{ "undo", protect_area, call_with_undo_log },
};

const struct rival *find_rival(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(rivals) / sizeof(*rivals); i++)
		if (!strcmp(rivals[i].name, name))
			return &rivals[i];
	return NULL;
}
