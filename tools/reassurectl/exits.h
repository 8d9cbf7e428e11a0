/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_EXITS_H
#define REASSURECTL_EXITS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* Compilers put what is seldom executed apart. */
#define PARTS_MAX 8

/* A piece of a function's code. */
struct code_part {
	const __u8 *code;
	__u64 address;
	size_t size;
};

/*
 * Asked for the place to which a function jumps: fills in @part and returns
 * true if that is in another part of the function.
 */
typedef bool part_finder(void *data, __u64 address, struct code_part *part);

/*
 * Finds the addresses of all instructions with which a function is left:
 * returns, and jumps to other functions.  Jumps through a table of the
 * function's own places, as compilers make of a switch, stay inside.
 *
 * Return: how many; 0 with an explanation in @error, also when there are more
 * than @max.
 */
size_t find_exits(const struct code_part *function, part_finder *find_part,
		  void *data, __u64 *exits, size_t max, char *error);

#endif
