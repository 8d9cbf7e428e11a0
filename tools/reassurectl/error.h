/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_ERROR_H
#define REASSURECTL_ERROR_H

#include <stdbool.h>

#ifndef __printf
#define __printf(format_at, first) \
	__attribute__( \
		(format(printf, format_at, first)))
#endif

/* Room for an explanation, with a list of candidates. */
#define ERROR_SIZE 4096

/* Writes an explanation into ERROR_SIZE bytes; returns false. */
__printf(2, 3)
bool wrong(char *error, const char *format, ...);
/* Adds to it. */
__printf(2, 3)
void append(char *error, const char *format, ...);

#endif
