// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stddef.h>

#include "names.h"

const char *const counter_names[REASSURE_COUNTERS] = {
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

const char *const refusal_names[REASSURE_REFUSALS] = {
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

const char *const handled_names[REASSURE_HANDLED_MAX + 1] = {
	[REASSURE_HANDLED_RESCUE] = "rescue",
	[REASSURE_HANDLED_LEAVE] = "leave",
};

const char *const shared_names[REASSURE_SHARED_MAX + 1] = {
	[REASSURE_SHARED_REFUSE] = "refuse",
	[REASSURE_SHARED_LEAVE] = "leave",
	[REASSURE_SHARED_RESTORE] = "restore",
};

const char *const exhausted_names[REASSURE_EXHAUSTED_MAX + 1] = {
	[REASSURE_EXHAUSTED_DIE] = "die",
	[REASSURE_EXHAUSTED_SKIP] = "skip",
};

const char *const threads_names[REASSURE_THREADS_MAX + 1] = {
	[REASSURE_THREADS_STOP] = "stop",
	[REASSURE_THREADS_RUN] = "run",
};

const char *const mode_names[REASSURE_MODE_MAX + 1] = {
	[REASSURE_MODE_RESCUE] = "rescue",
	[REASSURE_MODE_OBSERVE] = "observe",
};

const char *const off_names[REASSURE_OFF_MAX + 1] = {
	[REASSURE_OFF_NOT] = "no",
	[REASSURE_OFF_PARAMETER] = "parameter",
	[REASSURE_OFF_ADMINISTRATOR] = "administrator",
	[REASSURE_OFF_DIFFERENCE] = "difference",
	[REASSURE_OFF_ROLLBACK] = "rollback",
};

const char *const file_state_names[REASSURE_FILE_MAX + 1] = {
	[REASSURE_FILE_CURRENT] = "current",
	[REASSURE_FILE_REPLACED] = "replaced",
	[REASSURE_FILE_REWRITTEN] = "rewritten",
};

const char *const outcome_names[REASSURE_OUTCOME_MAX + 1] = {
	[REASSURE_OUTCOME_RESCUED] = "rescued",
	[REASSURE_OUTCOME_REFUSED] = "refused",
	[REASSURE_OUTCOME_OUTSIDE] = "outside",
};

const struct signal_name signal_names[] = {
	{ "SEGV", SIGSEGV }, { "BUS", SIGBUS },	  { "FPE", SIGFPE },
	{ "ILL", SIGILL },   { "ABRT", SIGABRT }, { "TRAP", SIGTRAP },
	{ "SYS", SIGSYS },   { NULL, 0 },
};
