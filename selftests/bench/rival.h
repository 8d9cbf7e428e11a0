/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _BENCH_RIVAL_H
#define _BENCH_RIVAL_H

#include "function.h"

/* The most pages that a function may write to. */
#define PAGES_MAX	256

/**
 * struct rival - a way to checkpoint a call
 * @name: for the command line
 * @prepare: what it does once, or NULL
 * @call: one call with a checkpoint around it
 */
struct rival {
	const char *name;
	void (*prepare)(const struct call *call);
	void (*call)(const struct call *call);
};

const struct rival *find_rival(const char *name);

#endif
