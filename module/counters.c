// SPDX-License-Identifier: GPL-2.0
#include "counters.h"

struct counters reassure_counters;

const char *const reassure_counter_names[REASSURE_COUNTERS] = {
	[REASSURE_COUNTER_CHECKPOINTS] = "checkpoints",
	[REASSURE_COUNTER_COMMITS] = "commits",
	[REASSURE_COUNTER_ABANDONED] = "abandoned",
	[REASSURE_COUNTER_RESCUES] = "rescues",
	[REASSURE_COUNTER_PAGES_SAVED] = "pages_saved",
	[REASSURE_COUNTER_PAGES_RESTORED] = "pages_restored",
	[REASSURE_COUNTER_ROLLBACK_NS] = "rollback_ns",
	[REASSURE_COUNTER_DIFFERENCES] = "differences",
	[REASSURE_COUNTER_SKIPPED] = "skipped",
	[REASSURE_COUNTER_DEADLINES] = "deadlines",
	[REASSURE_COUNTER_GIVEN_UP] = "given_up",
	[REASSURE_COUNTER_INJECTED] = "injected",
};

const char *const reassure_refusal_names[REASSURE_REFUSALS] = {
	[REASSURE_REFUSED_BUDGET] = "budget",
	[REASSURE_REFUSED_THREADS] = "threads",
	[REASSURE_REFUSED_SIGNAL] = "signal",
	[REASSURE_REFUSED_HANDLED] = "handled",
	[REASSURE_REFUSED_HARDWARE] = "hardware",
	[REASSURE_REFUSED_TRACED] = "traced",
	[REASSURE_REFUSED_LEFT] = "left",
	[REASSURE_REFUSED_PROBE] = "probe",
	[REASSURE_REFUSED_MAPPING] = "mapping",
	[REASSURE_REFUSED_USERFAULTFD] = "userfaultfd",
	[REASSURE_REFUSED_HUGETLB] = "hugetlb",
	[REASSURE_REFUSED_PINNED] = "pinned",
	[REASSURE_REFUSED_FOREIGN] = "foreign",
	[REASSURE_REFUSED_MEMORY] = "memory",
	[REASSURE_REFUSED_UNREADABLE] = "unreadable",
	[REASSURE_REFUSED_LIMIT] = "limit",
	[REASSURE_REFUSED_SHARED] = "shared",
	[REASSURE_REFUSED_DESCRIPTOR] = "descriptor",
	[REASSURE_REFUSED_STATE] = "state",
	[REASSURE_REFUSED_STALE] = "stale",
	[REASSURE_REFUSED_SETUID] = "setuid",
	[REASSURE_REFUSED_WATCHDOG] = "watchdog",
	[REASSURE_REFUSED_ESCALATED] = "escalated",
	[REASSURE_REFUSED_OBSERVED] = "observed",
};

/* The sum over all is as before. */
void counters_add(struct counters *to, const struct counters *from)
{
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++)
		atomic64_add(atomic64_read(&from->events[i]), &to->events[i]);
	for (i = 0; i < REASSURE_REFUSALS; i++)
		atomic64_add(atomic64_read(&from->refused[i]), &to->refused[i]);
}
