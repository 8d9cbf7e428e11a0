/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_STATE_H
#define REASSURECTL_STATE_H

#include <stddef.h>
#include <linux/types.h>

#include <reassure.h>

struct kernel_answer;

/* Why the module is switched off, and what then. */
extern const char *const off_reasons[REASSURE_OFF_MAX + 1];
/* NULL where there is nothing to be said. */
extern const char *const file_state_notes[REASSURE_FILE_MAX + 1];

struct state_reason {
	const char *name;
	const char *text;
};

/* Whether a rescue point protects, and what is in the way, the gravest first. */
struct state {
	/* "active", or the name of the first reason. */
	const char *name;
	struct state_reason reasons[4];
	size_t count;
};

/* @off: of the module's status. */
void state_of(const struct kernel_answer *answer, __u32 off,
	      struct state *state);

#endif
