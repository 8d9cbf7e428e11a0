/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_STACK_H
#define REASSURECTL_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct event;
struct event_mapping;

/* So many frames are looked for. */
#define STACK_FRAMES_MAX 128

/* One function of those that had called each other at the fault. */
struct frame {
	/* Where it was, or where it will be returned to. */
	__u64 address;
	/* Where that is, or NULL. */
	const struct event_mapping *mapping;
	/* As offset in the file of @mapping. */
	__u64 offset;
	/* Where no symbol is known these are NULL. */
	char *function;
	__u64 function_offset;
	char *source;
	int line;
};

/*
 * Finds the frames of a fault, the innermost first, with the unwind information
 * of the files, as far as these are the ones that the program had.  *@failed says
 * that these could not be read in a safe way, or in time; the place of the fault
 * is all that is known then.
 *
 * Return: how many, at most STACK_FRAMES_MAX; to be freed by stack_free().
 */
size_t stack_unwind(const struct event *event, struct frame *frames,
		    bool *failed);
/* Only the place of the fault, for which no file is read; returns 1. */
size_t stack_innermost(const struct event *event, struct frame *frame);
void stack_free(struct frame *frames, size_t count);

/* For tests.  False when rights may be left. */
bool stack_drop_rights(void);

#endif
