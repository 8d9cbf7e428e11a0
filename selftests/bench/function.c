// SPDX-License-Identifier: GPL-2.0
/*
 * The functions that rescue points and probes are put on.
 *
 * The first instruction decides what a probe costs: the kernel emulates push,
 * and has to single-step mov.  So there are two of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "function.h"

#define FUNCTION(name, first, write, last)				\
	asm(".pushsection .text\n"					\
	    ".globl " name "\n.type " name ", @function\n"		\
	    name ":\n" first						\
	    "	test	%rsi, %rsi\n"					\
	    "	jz	2f\n"						\
	    "1:" write							\
	    "	dec	%rsi\n"						\
	    "	jnz	1b\n"						\
	    "2:	test	%rdx, %rdx\n"					\
	    "	jz	3f\n"						\
	    "	movb	$0, 8\n"					\
	    "3:" last							\
	    "	mov	$1, %eax\n"					\
	    "	ret\n"							\
	    ".size " name ", . - " name "\n.popsection")

#define WRITE_AREA	"	incb	(%rdi)\n	add	$4096, %rdi\n"
#define WRITE_FRAME	"	sub	$4096, %rsp\n	incb	(%rsp)\n"

FUNCTION("stepped", "	mov	%rdi, %rax\n", WRITE_AREA, "");
FUNCTION("emulated", "	push	%rbx\n", WRITE_AREA, "	pop	%rbx\n");
/* Writes to pages of its own frame, which is dead before it is entered. */
FUNCTION("below", "	mov	%rsp, %rax\n", WRITE_FRAME,
	 "	mov	%rax, %rsp\n");
FUNCTION("emulated_below", "	push	%rbx\n	mov	%rsp, %rax\n",
	 WRITE_FRAME, "	mov	%rax, %rsp\n	pop	%rbx\n");

function_t *find_function(const char *name)
{
	if (!strcmp(name, "stepped"))
		return stepped;
	if (!strcmp(name, "emulated"))
		return emulated;
	if (!strcmp(name, "below"))
		return below;
	if (!strcmp(name, "emulated_below"))
		return emulated_below;
	return NULL;
}

void make_area(struct call *call)
{
	size_t size = call->area_pages * PAGE_SIZE;

	call->area = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Small pages: the figures are those of programs that are not new. */
	if (call->area == MAP_FAILED ||
	    madvise(call->area, size, MADV_NOHUGEPAGE) ||
	    madvise(call->area, size, MADV_POPULATE_WRITE)) {
		perror("bench: no memory");
		exit(1);
	}
}

void call_plainly(const struct call *call)
{
	long ret = call->function(call->area, call->pages, call->crash);

	if (ret != 1 && !call->crash) {
		fprintf(stderr, "bench: the function returned %ld\n", ret);
		exit(1);
	}
}

/**
 * around() - do something inside calls of this function
 * @depth: of how many
 * @what: called with @data
 * @data: for @what
 *
 * Return: 1
 */
__attribute__((noipa))
long around(long depth, void (*what)(const void *), const void *data)
{
	if (depth > 1)
		around(depth - 1, what, data);
	else
		what(data);
	/* Or the compiler makes a loop of it. */
	asm volatile("" : : "r" (depth));
	return 1;
}
