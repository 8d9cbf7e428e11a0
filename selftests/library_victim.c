// SPDX-License-Identifier: GPL-2.0
/*
 * What library.c puts rescue points on: a shared library, and a program that
 * is not position-independent.
 */
#include <stdlib.h>

int library_written = 1;
void (*library_inside)(void);
static char *library_block;

__attribute__((noipa)) long library_victim(int fault)
{
	library_written = 2;
	library_block = malloc(100000);
	if (library_inside)
		library_inside();
	if (fault)
		asm volatile("movb 8, %%al" : : : "rax", "memory");
	free(library_block);
	library_block = NULL;
	return 1;
}

#ifdef PROGRAM
/* Exits with 0 when each fault is rescued; argument: the value returned. */
int main(int argc, char **argv)
{
	long rescued = argc > 1 ? atol(argv[1]) : 0;
	int i;

	for (i = 0; i < 3; i++) {
		if (library_victim(1) != rescued || library_written != 1 ||
		    library_block)
			return 2;
		if (library_victim(0) != 1 || library_written != 2)
			return 3;
		library_written = 1;
	}
	return 0;
}
#endif
