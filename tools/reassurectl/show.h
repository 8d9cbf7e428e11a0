/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_SHOW_H
#define REASSURECTL_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

struct json_object;
struct kernel_answer;

struct show_options {
	bool json;
	/* Of the command line. */
	char **names;
	size_t nr_names;
};

/*
 * EXIT_OK, or an exit code after it has been said what is wrong.  The names come
 * first in @argv afterwards.
 */
int show_options(int argc, char **argv, struct show_options *options);

/* For tests.  @off is of the module's status. */
bool show_print(FILE *to, const struct kernel_answer *answer, __u32 off);
/* To be put by the caller. */
struct json_object *show_json(const struct kernel_answer *answer, __u32 off);

#endif
