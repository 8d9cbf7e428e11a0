/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_LANDINGS_H
#define REASSURECTL_LANDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct code_part;

/*
 * Asked for a place: fills in @part, which begins there and goes on to where
 * code ends, and returns true if there is code.
 */
typedef bool code_finder(void *data, __u64 address, struct code_part *part);

/* What was looked through, and what was found. */
struct landings_search;

struct landings_search *landings_search_new(code_finder *find_code, void *data,
					    __u64 *landings, size_t max);
/*
 * Looks for landings in the function that begins at @address and in those that
 * it calls: jumps through a register or memory and returns, when the stack
 * pointer has been set to another frame's.
 */
void landings_search_in(struct landings_search *search, __u64 address);
/*
 * Return: how many addresses were found in all, in any order; of more than
 * @max, the first.
 */
size_t landings_search_end(struct landings_search *search);

#endif
