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

/* What there is to say of a fault in a line that has no end and no time. */
void monitor_print_headline(FILE *to, const struct event *event);
/* @failed: as stack_unwind() says. */
void monitor_print_frames(FILE *to, const struct frame *frames, size_t count,
			  bool failed);
/* All of it. */
void monitor_print(FILE *to, const struct event *event,
		   const struct frame *frames, size_t count, bool failed);
void monitor_print_lost(FILE *to, __u64 lost);
/* To be put by the caller. */
struct json_object *monitor_json(const struct event *event,
				 const struct frame *frames, size_t count,
				 bool failed);
struct json_object *monitor_lost_json(__u64 lost);
/* For tests. */
/* @data: struct monitoring.  False when it wants no more. */
bool monitor_show_event(const struct event *event, void *data);

#endif
