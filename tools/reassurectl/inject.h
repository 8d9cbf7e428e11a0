/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_INJECT_H
#define REASSURECTL_INJECT_H

#include <stdbool.h>
#include <linux/types.h>

/* Which calls are to fault. */
struct inject_options {
	const char *name;
	/* 0 when none is any more. */
	int signal;
	/* So many; or 0. */
	__u32 count;
	/* Else of so many the last. */
	__u32 every;
};

/* False with an explanation that names the argument in @error. */
bool parse_inject(struct inject_options *options, int argc, char **argv,
		  char *error);

#endif
