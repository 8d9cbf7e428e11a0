/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_SAVED_EVENT_H
#define REASSURECTL_SAVED_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "event.h"
#include "stack.h"

struct json_object;

/* What monitor_json() or monitor_lost_json() made, read again. */
struct saved_event {
	bool is_lost;
	/* How many, when they were lost; there is no more then but the time. */
	__u64 lost;
	/* Without registers, stack and mappings. */
	struct event event;
	struct frame frames[STACK_FRAMES_MAX];
	/* Of each frame. */
	struct event_mapping mappings[STACK_FRAMES_MAX];
	size_t count;
	/* The callers could not be found. */
	bool failed;
};

/*
 * False when @object is neither.  Members that are missing, or of another type,
 * are as if they were not known.  The strings stay those of @object.
 */
bool saved_event_parse(struct json_object *object, struct saved_event *saved);

/* Only the frames, into what is all zero. */
void saved_event_parse_frames(struct json_object *list,
			      struct saved_event *saved);

/* A member that is a string, or NULL. */
const char *saved_string(struct json_object *object, const char *name);

#endif
