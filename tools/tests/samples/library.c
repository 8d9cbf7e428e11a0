// SPDX-License-Identifier: GPL-2.0
/* A library with an old and a new version of a function. */
#include "samples.h"

asm(".symver versioned_old, versioned@OLD_1\n"
	".symver versioned_new, versioned@@NEW_2");

int from_library(int value)
{
	return value + 7;
}

int versioned_old(int value)
{
	return value + 8;
}

int versioned_new(int value)
{
	return value + 9;
}
