/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_RUNNING_H
#define REASSURECTL_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "parse.h"

struct kernel_answer;

/* The landings in one file, as they are in use. */
struct running_landings {
	char *path;
	size_t count;
	bool current;
};

/* A rescue point that is in use, in the words of the command line. */
struct running_point {
	struct add_options options;
	/* What the strings of @options are in. */
	char *name, *path, *function;
	__u64 offset;
	bool current;
	size_t nr_exits;
	struct running_landings landings[REASSURE_LANDING_FILES_MAX];
	size_t nr_landings;
};

struct running {
	struct running_point *points;
	size_t count;
	bool no_memory;
};

/* Asks the module; false after it has printed what is wrong. */
bool running_read(struct running *running);
void running_add(const struct kernel_answer *answer, void *running);
void running_free(struct running *running);

#endif
