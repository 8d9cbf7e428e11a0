/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_CGROUPS_H
#define REASSURECTL_CGROUPS_H

#include <stdbool.h>

struct add_options;

/*
 * Makes paths of cgroups of what was given on the command line, and warns of
 * those that do not exist.  Returns true, or false with an explanation in
 * @error.
 */
bool cgroups_resolve(struct add_options *options, char *error);

#endif
