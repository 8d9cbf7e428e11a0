/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_SYMBOLS_H
#define REASSURECTL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct symbols;

/*
 * Reads an executable or shared library through @fd, which stays the
 * caller's; separate debug files are looked for where Debian keeps them.
 *
 * Each function explains a failure in @error.
 */
struct symbols *symbols_open(int fd, const char *path, char *error);
void symbols_close(struct symbols *symbols);

/*
 * The build-id; 0 bytes when there is none.  @offset is where it is in the
 * file, or 0.
 */
int symbols_build_id(struct symbols *symbols, const __u8 **id, __u64 *offset);

/* Finds the file offset of the only function of this name. */
bool symbols_find(struct symbols *symbols, const char *function,
		  __u64 *offset, char *error);
/*
 * Finds the file offsets, in ascending order, of all instructions that leave
 * the function that begins at @offset.
 *
 * Return: how many, at most @max; 0 with an explanation.
 */
size_t symbols_exits(struct symbols *symbols, __u64 offset, __u64 *exits,
		     size_t max, char *error);
/*
 * Finds the file offsets, in ascending order, of the instructions with which
 * longjmp(), setcontext() and the unwinder of exceptions, as far as they are
 * defined in the file, go to another frame.
 *
 * Return: how many, at most @max.
 */
size_t symbols_landings(struct symbols *symbols, __u64 *landings, size_t max);
/* Whether a process maps the file before all libraries: no library. */
bool symbols_is_executable(struct symbols *symbols);
/* The folders in which its libraries are looked for first, or NULL. */
const char *symbols_run_path(struct symbols *symbols);
/* Whether it uses libraries, or is one. */
bool symbols_is_dynamic(struct symbols *symbols);
/*
 * Whether functions may be left by C++ exceptions or the like of other
 * languages, or may change to another stack: a name that tells so, or NULL.
 */
const char *symbols_leaving(const struct symbols *symbols);
/* Checks that an instruction begins at a file offset. */
bool symbols_check_offset(struct symbols *symbols, __u64 offset,
			  char *error);

#endif
