// SPDX-License-Identifier: GPL-2.0
/* What keeps calls from being protected, and what can be done about it. */
#include "names.h"
#include "netlink.h"
#include "state.h"

const char *const off_reasons[REASSURE_OFF_MAX + 1] = {
	[REASSURE_OFF_PARAMETER] = "loaded with enabled=0; reassurectl on",
	[REASSURE_OFF_ADMINISTRATOR] = "by reassurectl off; reassurectl on",
	[REASSURE_OFF_DIFFERENCE] =
		"by itself, for a rollback left memory different, a defect; see the kernel log",
	[REASSURE_OFF_ROLLBACK] =
		"by itself, for a rollback failed half-way, a defect; see the kernel log",
};

const char *const file_state_notes[REASSURE_FILE_MAX + 1] = {
	[REASSURE_FILE_REPLACED] =
		"the path leads to another file, or to none; see refresh",
	[REASSURE_FILE_REWRITTEN] = "the file was written to; see refresh",
};

static void add(struct state *state, const char *name, const char *text)
{
	state->reasons[state->count++] = (struct state_reason){ name, text };
}

void state_of(const struct kernel_answer *answer, __u32 off,
	      struct state *state)
{
	__u32 file = answer->file_state;

	state->count = 0;
	if (off)
		add(state, "off", off_reasons[off]);
	if (!answer->enabled)
		add(state, "disabled", "calls are let alone; see enable");
	if (file_state_notes[file])
		add(state, file_state_names[file], file_state_notes[file]);
	if (answer->mode == REASSURE_MODE_OBSERVE)
		add(state, "observing",
		    "no fault is rescued; see set --mode rescue");
	state->name = state->count ? state->reasons[0].name : "active";
}
