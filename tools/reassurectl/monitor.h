/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REASSURECTL_MONITOR_H
#define REASSURECTL_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

struct event;
struct frame;
struct json_object;

struct monitor_options {
	bool json;
	/* 0 for no limit. */
	__u64 count;
};

struct monitoring {
	struct monitor_options options;
	__u64 shown;
};

/* EXIT_OK, or an exit code after it has been said what is wrong. */
int monitor_options(int argc, char **argv, struct monitor_options *options);

/* For tests. */
void monitor_print(FILE *to, const struct event *event,
		   const struct frame *frames, size_t count);
/* To be put by the caller. */
struct json_object *monitor_json(const struct event *event,
				 const struct frame *frames, size_t count);
/* @data: struct monitoring.  False when it wants no more. */
bool monitor_show_event(const struct event *event, void *data);

#endif
