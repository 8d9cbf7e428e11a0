/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_SAMPLE_H
#define REASSURECTL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <reassure.h>

struct kernel_answer;

/* What rescue points are compared by. */
enum sampled {
	SAMPLED_CALLS,
	SAMPLED_RESCUES,
	/* For all reasons together. */
	SAMPLED_REFUSED,
	SAMPLED_SKIPPED,
	SAMPLED_PAGES_SAVED,
	SAMPLED_ROLLBACK_NS,
	SAMPLED,
};

struct sampled_point {
	char name[REASSURE_NAME_MAX + 1];
	__u64 values[SAMPLED];
};

/* The rescue points at one moment, or what they have counted between two. */
struct sample {
	struct sampled_point *points;
	size_t count;
	/* Of CLOCK_MONOTONIC, or between the two. */
	__u64 time_ns;
	/* Whether the module is switched off, and why. */
	__u32 off;
	bool no_memory;
};

/* Asks the module; false after it has been said what is wrong. */
bool sample_read(struct sample *sample);
/*
 * Makes of @sample what was counted since @before; a rescue point that there was
 * not then has counted all since.  False without memory.
 */
bool sample_since(struct sample *difference, const struct sample *sample,
		  const struct sample *before);
void sample_free(struct sample *sample);

/* For tests.  @data: struct sample. */
void sample_add(const struct kernel_answer *answer, void *data);

#endif
