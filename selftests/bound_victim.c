// SPDX-License-Identifier: GPL-2.0
/*
 * What bound.c puts a rescue point on, in two builds: the second has other
 * code where the first has the function.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef OTHER_BUILD
#define ADDITIONS	2048

/* Additions of numbers: none of their bytes can be another unnoticed. */
typeof(unsigned int (void)) sled;
asm(".text\n"
	".globl sled\n"
	".type sled, @function\n"
	"sled:\n"
	"xor %eax, %eax\n"
	".rept 2048\n"
	"add $0x01020304, %eax\n"
	".endr\n"
	"ret\n"
	".size sled, . - sled\n");
#else
/* So that the function is in the middle of an addition there. */
asm(".text\n"
	".skip 100\n");
#endif

static int written;

/* Two instructions that a test writes others over. */
typeof(long (int fault)) bound_victim, victim_body;
asm(".text\n"
	".globl bound_victim\n"
	".type bound_victim, @function\n"
	"bound_victim:\n"
	"push %rbx\n"
	"pop %rbx\n"
	"sub $8, %rsp\n"
	"call victim_body\n"
	"add $8, %rsp\n"
	"ret\n"
	".size bound_victim, . - bound_victim\n");

__attribute__((noipa)) long victim_body(int fault)
{
	written++;
	if (fault)
		asm volatile("movb 8, %%al" : : : "rax", "memory");
	return 1;
}

/* Answers each call on standard input. */
static int serve(void)
{
	char call;

	while (read(STDIN_FILENO, &call, 1) == 1) {
		call = bound_victim(call == 'f') == 1 ? '1' : 'r';
		if (write(STDOUT_FILENO, &call, 1) != 1)
			return 1;
	}
	return 0;
}

/* Exits with 0 when all is as the argument says. */
int main(int argc, char **argv)
{
#ifdef OTHER_BUILD
	if (sled() != ADDITIONS * 0x01020304u)
		return 4;
#endif
	if (!strcmp(argv[1], "serve"))
		return serve();
	if (!strcmp(argv[1], "rescued"))
		return bound_victim(1) == atol(argv[2]) && !written ? 0 : 2;
	return bound_victim(0) == 1 && written == 1 ? 0 : 3;
}
