/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_PLACE_H
#define REASSURECTL_PLACE_H

struct place;
struct symbols;

/*
 * Opens an executable or shared library for its symbols, and notes in @place
 * its descriptor, which is to be closed, and its build-id, which lives as long
 * as the symbols.
 *
 * Return: NULL after it has printed what is wrong.
 */
struct symbols *place_open(struct place *place, const char *path);
/*
 * Finds the landings of the programs that use the file at @path, in it and in
 * the libraries that it uses; none is no failure.
 */
void place_find_landings(struct place *place, struct symbols *symbols,
			 const char *path);
void place_close(struct place *place, struct symbols *symbols);

#endif
