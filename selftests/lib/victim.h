/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_TEST_VICTIM_H
#define _REASSURE_TEST_VICTIM_H

#include "reassure_test.h"

/* Nothing else is in its page. */
struct page {
	_Alignas(PAGE_SIZE) volatile long value;
};

static struct page written;

/* Does something inside, and faults or returns. */
static long __noipa victim(void (*inside)(void), bool faults)
{
	written.value++;
	if (inside)
		inside();
	if (faults)
		touch_read(BAD_ADDRESS);
	return 1;
}

static inline void expect_rescue(void (*inside)(void))
{
	long before = written.value;

	CHECK(victim(inside, true) == RESCUED);
	CHECK(written.value == before);
}

#endif
