/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_NAMES_H
#define REASSURECTL_NAMES_H

#include <reassure.h>

/* The names of counters and refusals as in sysfs, in the order of the enums. */
extern const char *const counter_names[REASSURE_COUNTERS];
extern const char *const refusal_names[REASSURE_REFUSALS];
extern const char *const handled_names[REASSURE_HANDLED_MAX + 1];
extern const char *const shared_names[REASSURE_SHARED_MAX + 1];
extern const char *const exhausted_names[REASSURE_EXHAUSTED_MAX + 1];
extern const char *const threads_names[REASSURE_THREADS_MAX + 1];
extern const char *const mode_names[REASSURE_MODE_MAX + 1];
extern const char *const outcome_names[REASSURE_OUTCOME_MAX + 1];
extern const char *const off_names[REASSURE_OFF_MAX + 1];
extern const char *const file_state_names[REASSURE_FILE_MAX + 1];

struct signal_name {
	const char *name;
	int number;
};

/* The signals that a rescue point can have, ended by a NULL name. */
extern const struct signal_name signal_names[];

#endif
