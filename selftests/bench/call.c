// SPDX-License-Identifier: GPL-2.0
/*
 * What one call of a function costs that writes one byte on each of some
 * pages: by itself, when a probe or a rescue point is on it, and with a
 * checkpoint made in user space.  Meant for a machine that counts a
 * nanosecond an instruction, where the time stamp counter counts instructions.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "call.h"

#define PAGE_SIZE	4096L
#define PAGES_MAX	256

/*
 * The functions; the name says how their first instruction runs: mov has to
 * be single-stepped by the kernel, push is emulated.  Each returns 1; a
 * rescue point on it returns something else.
 */
#define FUNCTION(name, first, last)					\
	asm(".pushsection .text\n"					\
	    ".globl " name "\n.type " name ", @function\n"		\
	    name ":\n" first						\
	    "	test	%rsi, %rsi\n"					\
	    "	jz	2f\n"						\
	    "1:	incb	(%rdi)\n"					\
	    "	add	$4096, %rdi\n"					\
	    "	dec	%rsi\n"						\
	    "	jnz	1b\n"						\
	    "2:	test	%rdx, %rdx\n"					\
	    "	jz	3f\n"						\
	    "	movb	$0, 8\n"					\
	    "3:	mov	$1, %eax\n" last "	ret\n"			\
	    ".size " name ", . - " name "\n.popsection")

FUNCTION("stepped", "	mov	%rdi, %rax\n", "");
FUNCTION("emulated", "	push	%rbx\n", "	pop	%rbx\n");

static long (*function)(char *area, long pages, long crash) = stepped;
static char *area;
static long pages = 1;
static long crash;

static void call_plainly(void)
{
	long ret = function(area, pages, crash);

	if (ret != 1 && !crash) {
		fprintf(stderr, "bench: the function returned %ld\n", ret);
		exit(1);
	}
}

/* The checkpoint is a child that stops, ready to take over. */
static void call_with_fork(void)
{
	pid_t child = fork();

	if (!child) {
		raise(SIGSTOP);
		_exit(0);
	}
	call_plainly();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static char undo_log[PAGES_MAX][PAGE_SIZE];
static char *undo_address[PAGES_MAX];
static long undo_count;

static void log_write(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((unsigned long)info->si_addr & -PAGE_SIZE);

	memcpy(undo_log[undo_count], page, PAGE_SIZE);
	undo_address[undo_count++] = page;
	mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static long rss_pages;

static void call_with_undo_log(void)
{
	undo_count = 0;
	mprotect(area, rss_pages * PAGE_SIZE, PROT_READ);
	call_plainly();
	mprotect(area, rss_pages * PAGE_SIZE, PROT_READ | PROT_WRITE);
}

static char copies[PAGES_MAX][PAGE_SIZE];

static void call_with_copies(void)
{
	long i;

	for (i = 0; i < pages; i++)
		memcpy(copies[i], area + i * PAGE_SIZE, PAGE_SIZE);
	call_plainly();
}

static const struct mode {
	const char *name;
	void (*call)(void);
} modes[] = {
	{ "plain", call_plainly },
	{ "copies", call_with_copies },
	{ "fork", call_with_fork },
	{ "undo", call_with_undo_log },
};

static const struct mode *find_mode(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	return NULL;
}

static _Noreturn void print_usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: bench [--mode plain|copies|fork|undo] [--pages N] [--rss MB] [--calls N]\n"
		"            [--warm-up N] [--function stepped|emulated] [--crash]\n"
		"Prints how many cycles of the time stamp counter a call takes.\n");
	exit(status);
}

static long parse_number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0) {
		fprintf(stderr, "bench: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "pages", required_argument, NULL, 'p' },
		{ "rss", required_argument, NULL, 'r' },
		{ "calls", required_argument, NULL, 'c' },
		{ "warm-up", required_argument, NULL, 'w' },
		{ "function", required_argument, NULL, 'f' },
		{ "crash", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct sigaction action = {
		.sa_sigaction = log_write,
		.sa_flags = SA_SIGINFO,
	};
	const struct mode *mode = &modes[0];
	long rss = 8, calls = 100, warm_up = 200, i;
	unsigned long long start;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			mode = find_mode(optarg);
			if (!mode)
				print_usage(2);
			break;
		case 'p':
			pages = parse_number(optarg);
			break;
		case 'r':
			rss = parse_number(optarg);
			break;
		case 'c':
			calls = parse_number(optarg);
			break;
		case 'w':
			warm_up = parse_number(optarg);
			break;
		case 'f':
			function = strcmp(optarg, "emulated") ? stepped : emulated;
			break;
		case 'x':
			crash = 1;
			break;
		default:
			print_usage(option == 'h' ? 0 : 2);
		}
	}
	rss_pages = rss * (1 << 20) / PAGE_SIZE;
	if (optind < argc || pages > PAGES_MAX || pages > rss_pages || !calls)
		print_usage(2);

	area = mmap(NULL, rss_pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		perror("bench: mmap");
		return 1;
	}
	/* Small pages: the figures are those of programs that are not new. */
	madvise(area, rss_pages * PAGE_SIZE, MADV_NOHUGEPAGE);
	for (i = 0; i < rss_pages; i++)
		area[i * PAGE_SIZE] = 1;
	/* Resident only where it is used. */
	if (mode->call == call_with_copies)
		memset(copies, 1, sizeof(copies));
	if (mode->call == call_with_undo_log) {
		memset(undo_log, 1, sizeof(undo_log));
		sigaction(SIGSEGV, &action, NULL);
	}

	for (i = 0; i < warm_up; i++)
		mode->call();
	start = __rdtsc();
	for (i = 0; i < calls; i++)
		mode->call();
	printf("%llu\n", (__rdtsc() - start) / calls);
	return 0;
}
