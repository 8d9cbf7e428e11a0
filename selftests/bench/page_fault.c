// SPDX-License-Identifier: GPL-2.0
/*
 * What a page fault costs, in cycles of the time stamp counter: the first
 * write to an anonymous page.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <x86intrin.h>

#define PAGE_SIZE	4096L
#define PAGES		256
#define ROUNDS		200
#define WARM_UP		20

int main(void)
{
	unsigned long long cycles = 0, start;
	volatile char *area;
	long i, round;

	area = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED) {
		perror("bench: mmap");
		return 1;
	}
	madvise((void *)area, PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	for (round = -WARM_UP; round < ROUNDS; round++) {
		madvise((void *)area, PAGES * PAGE_SIZE, MADV_DONTNEED);
		start = __rdtsc();
		for (i = 0; i < PAGES; i++)
			area[i * PAGE_SIZE] = 1;
		if (round >= 0)
			cycles += __rdtsc() - start;
	}
	printf("%llu\n", cycles / (ROUNDS * PAGES));
	return 0;
}
