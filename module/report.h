/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _REASSURE_REPORT_H
#define _REASSURE_REPORT_H

#include <linux/signal_types.h>
#include <linux/types.h>

#include "counters.h"

struct sk_buff;

/**
 * struct report - what is told of a fault of current when it is over
 * @info: its signal; NULL when a deadline was over
 * @injected: it was asked for, see injection.c; there is no signal in the queue
 * @noted: report_note() was called
 * @begun: when that was done, in nanoseconds of CLOCK_MONOTONIC
 * @ip: the instruction pointer at the fault
 * @sp: the stack pointer then
 * @outcome: what became of it
 * @name: of the rescue point; empty for REASSURE_OUTCOME_OUTSIDE
 * @refusal: why it was not rescued, for REASSURE_OUTCOME_REFUSED
 * @pages: how many were put back
 * @event: what was noted of the fault, for who listens, or NULL
 */
struct report {
	const kernel_siginfo_t *info;
	bool injected;
	bool noted;
	u64 begun;
	unsigned long ip;
	unsigned long sp;
	enum reassure_outcome outcome;
	char name[REASSURE_NAME_MAX + 1];
	enum reassure_refusal refusal;
	unsigned long pages;
	struct sk_buff *event;
};

/* Why there was no rescue. */
static inline const char *report_reason(const struct report *report)
{
	return report->outcome == REASSURE_OUTCOME_OUTSIDE ?
	       "outside" : reassure_refusal_names[report->refusal];
}

void report_begin(struct report *report, const kernel_siginfo_t *info);
void report_note(struct report *report);
void report_refusal(struct report *report, const char *name,
		    enum reassure_refusal refusal);
void report_rescue(struct report *report, const char *name,
		   unsigned long pages);
void report_end(struct report *report);
void report_cancel(struct report *report);

#endif
