// SPDX-License-Identifier: GPL-2.0
/*
 * What the first write to a cold page costs.
 *
 * Each page of the area is written once before the first call, which protects
 * it, and again in one call only, so that no other call can have made it hot.
 * That there is a fault for each is checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include "cold.h"

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static unsigned long long time_call(const struct call *call)
{
	unsigned long long start = __rdtsc();

	call_plainly(call);
	return __rdtsc() - start;
}

/**
 * cold_page_cost() - time calls that write to cold pages
 * @call: writes to @call->pages of them; the area has them for all @calls
 * @calls: how many such calls
 * @warm_up: how many calls that write nothing to begin with
 * @settle: how many of these before each call that writes
 *
 * Return: for a page, what the call takes longer than one that writes nothing.
 */
unsigned long long cold_page_cost(const struct call *call, long calls,
				  long warm_up, long settle)
{
	struct call none = *call, some = *call;
	unsigned long long with_none = 0, with_some = 0;
	long i, j, before;

	none.pages = 0;
	for (i = 0; i < warm_up; i++)
		call_plainly(&none);
	for (i = 0; i < calls; i++)
		with_none += time_call(&none);
	for (i = 0; i < calls; i++) {
		for (j = 0; j < settle; j++)
			call_plainly(&none);
		before = faults();
		with_some += time_call(&some);
		if (faults() - before < some.pages) {
			fprintf(stderr, "bench: some pages were not cold\n");
			exit(1);
		}
		some.area += some.pages * PAGE_SIZE;
	}
	return (with_some - with_none) / calls / some.pages;
}
