/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_PLACE_H
#define REASSURECTL_PLACE_H

#include <stdbool.h>

struct add_options;
struct place;
struct symbols;

/*
 * Opens an executable or shared library for its symbols, and notes in @place
 * its descriptor, which is to be closed, and its build-id, which lives as long
 * as the symbols.
 *
 * Return: NULL with an explanation in @error, that begins with the option.
 */
struct symbols *place_open(struct place *place, const char *path, char *error);
/*
 * Finds what @options mean in the file that was opened: the function, and the
 * exits and landings that are to be probed.
 *
 * Return: false with an explanation in @error, that begins with the option.
 */
bool place_find(struct place *place, const struct add_options *options,
		struct symbols *symbols, char *error);
/*
 * Finds the landings of the programs that use the file at @path, in it and in
 * the libraries that it uses; none is no failure.
 *
 * Return: false with an explanation in @error, that begins with the option, when
 * too many files are open; some may have been found.
 */
bool place_find_landings(struct place *place, struct symbols *symbols,
			 const char *path, char *error);
void place_close(struct place *place, struct symbols *symbols);

#endif
