// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>

static jmp_buf buffer;

int main(void)
{
	if (!setjmp(buffer))
		longjmp(buffer, 1);
	return 0;
}
