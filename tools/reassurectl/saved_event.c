// SPDX-License-Identifier: GPL-2.0
/* An event as it was printed in JSON, made an event again. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "names.h"
#include "saved_event.h"

static struct json_object *member(struct json_object *object, const char *name,
				  enum json_type type)
{
	struct json_object *value;

	return json_object_is_type(object, json_type_object) &&
	       json_object_object_get_ex(object, name, &value) &&
	       json_object_is_type(value, type) ? value : NULL;
}

const char *saved_string(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

static bool is_true(struct json_object *object, const char *name)
{
	return json_object_get_boolean(member(object, name, json_type_boolean));
}

static __u64 number(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}

static __u64 address(struct json_object *object, const char *name)
{
	const char *text = saved_string(object, name);

	return text ? strtoull(text, NULL, 16) : 0;
}

static bool parse_outcome(const char *text, __u32 *outcome)
{
	for (*outcome = 0; *outcome <= REASSURE_OUTCOME_MAX; ++*outcome)
		if (!strcmp(text, outcome_names[*outcome]))
			return true;
	return false;
}

/* One that is not known is a newer module's. */
static __u32 parse_refusal(const char *text)
{
	__u32 refusal;

	for (refusal = 0; text && refusal < REASSURE_REFUSALS; refusal++)
		if (!strcmp(text, refusal_names[refusal]))
			return refusal;
	return REASSURE_REFUSALS;
}

/* 0 for a deadline. */
static __u32 parse_signal(const char *text)
{
	const struct signal_name *signal;

	if (!text)
		return 0;
	for (signal = signal_names; signal->name; signal++)
		if (!strncmp(text, "SIG", 3) && !strcmp(text + 3, signal->name))
			return signal->number;
	/* For event_signal(), some other. */
	return ~0U;
}

static void parse_frame(struct json_object *object, struct frame *frame,
			struct event_mapping *mapping)
{
	frame->address = address(object, "address");
	if (member(object, "offset", json_type_int)) {
		mapping->path = saved_string(object, "file");
		frame->mapping = mapping;
		frame->offset = number(object, "offset");
	}
	/* Printed, not written to, and not freed. */
	frame->function = (char *)saved_string(object, "function");
	frame->function_offset = number(object, "function_offset");
	frame->source = (char *)saved_string(object, "source");
	frame->line = number(object, "line");
}

void saved_event_parse_frames(struct json_object *list,
			      struct saved_event *saved)
{
	size_t count = json_object_is_type(list, json_type_array) ?
		       json_object_array_length(list) : 0;
	size_t i;

	if (count > STACK_FRAMES_MAX)
		count = STACK_FRAMES_MAX;
	for (i = 0; i < count; i++)
		parse_frame(json_object_array_get_idx(list, i),
			    &saved->frames[i], &saved->mappings[i]);
	saved->count = count;
}

static void parse_event(struct json_object *object, struct saved_event *saved)
{
	struct event *event = &saved->event;

	event->number = number(object, "number");
	event->name = saved_string(object, "rescue_point");
	event->refusal = parse_refusal(saved_string(object, "reason"));
	event->pages = number(object, "pages_restored");
	event->duration_ns = number(object, "duration_ns");
	event->monotonic_ns = number(object, "monotonic_ns");
	event->pid = number(object, "pid");
	event->tid = number(object, "tid");
	event->command = saved_string(object, "command");
	event->cgroup = saved_string(object, "cgroup");
	event->cgroup_id = number(object, "cgroup_id");
	event->signal = parse_signal(saved_string(object, "signal"));
	event->code = json_object_get_int(member(object, "code", json_type_int));
	event->has_address = saved_string(object, "address");
	event->address = address(object, "address");
	event->injected = is_true(object, "injected");
	saved_event_parse_frames(member(object, "frames", json_type_array),
				 saved);
	saved->failed = is_true(object, "unwinding_failed");
}

bool saved_event_parse(struct json_object *object, struct saved_event *saved)
{
	const char *outcome = saved_string(object, "outcome");

	memset(saved, 0, sizeof(*saved));
	if (!outcome)
		return false;
	saved->event.time_ns = number(object, "time_ns");
	saved->is_lost = !strcmp(outcome, "lost");
	if (saved->is_lost) {
		saved->lost = number(object, "events");
		return true;
	}
	if (!parse_outcome(outcome, &saved->event.outcome))
		return false;
	parse_event(object, saved);
	return true;
}
