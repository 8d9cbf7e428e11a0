/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_REPORT_H
#define REASSURECTL_REPORT_H

#include <stdbool.h>
#include <linux/types.h>

#include "reports.h"

#define REPORT_BYTES_DEFAULT (64ull << 20)
#define REPORT_FILES_DEFAULT 4096

struct report_options {
	const char *action;
	const char *directory;
	struct report_limits limits;
	/* 0 for no limit. */
	__u64 count;
	bool json;
	bool all;
	char **ids;
	int nr_ids;
};

/* EXIT_OK, or an exit code after it has been said what is wrong. */
int report_options(int argc, char **argv, struct report_options *options);

#endif
