// SPDX-License-Identifier: GPL-2.0
/* Functions to look for. */
#include <stdlib.h>

#include "samples.h"

asm(".globl alias_of_it\n"
	".type alias_of_it, @function\n"
	".set alias_of_it, only_here\n"
	".globl chosen\n"
	".type chosen, @gnu_indirect_function\n"
	".set chosen, choose");

/* The name of a function in the other file, too. */
static int twice(int value)
{
	return value * 2 + rand();
}

int only_here(int value)
{
	return value + rand();
}

int a_function_whose_name_is_longer_than_the_name_of_a_rescue_point_can_ever_be(int value)
{
	return value - rand();
}

static int answer(void)
{
	return 42;
}

int (*choose(void))(void)
{
	return answer;
}

int main(int argc, char **argv)
{
	(void)argv;
	return twice(argc) + only_here(argc) + alias_of_it(argc) +
	       from_library(argc) + other(argc) + chosen() + data_in_code[0] +
	       a_function_whose_name_is_longer_than_the_name_of_a_rescue_point_can_ever_be(argc);
}
