/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_MATCHING_H
#define REASSURECTL_MATCHING_H

#include <stdbool.h>
#include <stddef.h>

/* How well a symbol fits the name that was asked for; more is better. */
enum match {
	MATCH_NONE,
	/* A C++ name without its parameters. */
	MATCH_WITHOUT_PARAMETERS,
	/* A C++ name with its parameters. */
	MATCH_DEMANGLED,
	/* The symbol itself, with or without its version. */
	MATCH_SYMBOL,
};

enum match match_symbol(const char *symbol, const char *wanted);

/* The C++ name of a symbol or NULL; to be freed. */
char *demangle(const char *symbol);

#define NEAREST 5

/* The names most like the one that was asked for, the likest first. */
struct nearest {
	const char *wanted;
	char *names[NEAREST];
	size_t distances[NEAREST];
	int count;
};

void nearest_consider(struct nearest *nearest, const char *symbol);
void nearest_free(struct nearest *nearest);

#endif
