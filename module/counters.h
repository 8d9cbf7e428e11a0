/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_COUNTERS_H
#define _REASSURE_COUNTERS_H

#include <linux/atomic.h>

#include "../uapi/reassure.h"

/**
 * struct counters - what happened, of one rescue point or of all
 * @events: by enum reassure_counter
 * @refused: by enum reassure_refusal
 *
 * Read and written without a lock; each value is right by itself.
 */
struct counters {
	atomic64_t events[REASSURE_COUNTERS];
	atomic64_t refused[REASSURE_REFUSALS];
};

/* The sum over all rescue points, those included that were deleted. */
extern struct counters reassure_counters;

/* The names that sysfs uses, in the order of the enums. */
extern const char *const reassure_counter_names[REASSURE_COUNTERS];
extern const char *const reassure_refusal_names[REASSURE_REFUSALS];

static inline void count_events(struct counters *counters,
				enum reassure_counter which, u64 n)
{
	atomic64_add(n, &counters->events[which]);
	atomic64_add(n, &reassure_counters.events[which]);
}

static inline void count_refusal(struct counters *counters,
				 enum reassure_refusal why)
{
	atomic64_inc(&counters->refused[why]);
	atomic64_inc(&reassure_counters.refused[why]);
}

void counters_add(struct counters *to, const struct counters *from);

#endif
