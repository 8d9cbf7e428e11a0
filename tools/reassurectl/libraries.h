/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_LIBRARIES_H
#define REASSURECTL_LIBRARIES_H

#include <limits.h>
#include <stddef.h>

struct symbols;

struct library_path {
	char text[PATH_MAX];
};

/*
 * Finds the library @name where the dynamic linker would for the file at @path:
 * in the folders that the file names, by the linker's cache, or in the usual
 * folders.  Nothing of the file is executed.  Of several that the linker chooses
 * from by the processor all are found.
 *
 * Return: how many @paths there are, at most @max.
 */
size_t find_library(struct symbols *symbols, const char *path,
		    const char *name, struct library_path *paths, size_t max);

/* The same in the bytes of a cache. */
size_t find_in_cache(const char *cache, size_t size, const char *name,
		     struct library_path *paths, size_t max);

#endif
