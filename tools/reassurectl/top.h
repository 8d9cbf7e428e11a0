/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_TOP_H
#define REASSURECTL_TOP_H

#include <stdbool.h>
#include <linux/types.h>

struct sample;

enum top_sort {
	TOP_SORT_CALLS,
	TOP_SORT_COST,
	TOP_SORT_RESCUES,
};

struct top_options {
	bool json;
	__u64 interval_ns;
	/* 0 for no limit. */
	__u64 count;
	enum top_sort sort;
};

/* EXIT_OK, or an exit code after it has been said what is wrong. */
int top_options(int argc, char **argv, struct top_options *options);

/* For tests: @read is sample_read(). */
int top_run(const struct top_options *options,
	    bool (*read)(struct sample *sample));
void top_sort(struct sample *difference, enum top_sort sort);

#endif
