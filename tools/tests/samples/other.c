// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "samples.h"

static int twice(int value)
{
	return value * 2 - rand();
}

int other(int value)
{
	return twice(value) + 1;
}
