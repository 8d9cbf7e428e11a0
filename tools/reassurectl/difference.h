/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_DIFFERENCE_H
#define REASSURECTL_DIFFERENCE_H

#include <stdbool.h>

struct config;
struct json_object;
struct running;

/*
 * What has to change for the rescue points that are in use to be those of
 * @config: an array of objects with "name", "change", which is "add", "change"
 * or "delete", and for a change "keys", with "from" and "to" for each.
 */
struct json_object *difference_json(const struct config *config,
				    const struct running *running, bool prune);
void difference_print(struct json_object *difference);

#endif
