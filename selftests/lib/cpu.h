/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CPU_H
#define _CPU_H

#include <sched.h>
#include <stdbool.h>
#include <sys/rseq.h>
#include <unistd.h>

#include "reassure_test.h"

/* Where the kernel tells this thread which CPU it runs on. */
static inline volatile struct rseq *rseq_area(void)
{
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* Whether a thread can move, and is told. */
static inline bool cpu_changes_are_told(void)
{
	return __rseq_size && sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

static inline void go_to_cpu(unsigned int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	CHECK(!sched_setaffinity(0, sizeof(cpus), &cpus));
}

#endif
