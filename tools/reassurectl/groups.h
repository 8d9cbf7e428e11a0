/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_GROUPS_H
#define REASSURECTL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

struct json_object;

/* Faults at the same place. */
struct group;

struct groups {
	struct group *list;
	size_t count;
	/* Events that were lost, of which the place is not known. */
	__u64 lost;
};

/* False when @object is no report, or there is no memory. */
bool groups_add(struct groups *groups, const char *id,
		struct json_object *object);
/* The most frequent first. */
void groups_sort(struct groups *groups);
void groups_print(FILE *to, const struct groups *groups);
/* To be put by the caller. */
struct json_object *groups_json(const struct groups *groups);
void groups_free(struct groups *groups);

#endif
