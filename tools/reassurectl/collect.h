/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_COLLECT_H
#define REASSURECTL_COLLECT_H

#include <stdbool.h>
#include <linux/types.h>

#include "reports.h"

struct event;
struct json_object;

/* What is done with each event. */
struct collecting {
	struct reports reports;
	struct report_limits limits;
	/* Where the journal listens. */
	const char *journal;
	/* How many events there are to be; 0 for no limit. */
	__u64 count;
	__u64 collected;
	/* Those since the last report that could not be kept. */
	__u64 not_kept;
	/* The directory is not there any more. */
	bool gone;
	/* It was told to end. */
	bool ending;
};

/*
 * What is kept of @object, which is put: names of functions and files are cut,
 * and frames left out, so that it is no larger than a report may be and the quota
 * has room for many.  To be freed; NULL without memory.
 */
char *collect_text(struct json_object *object, size_t *size);

/* Both for kernel_monitor(); false when there is to be no more. */
bool collect_event(const struct event *event, void *data);
bool collect_lost(__u64 lost, void *data);

#endif
