// SPDX-License-Identifier: GPL-2.0
/* Keeps what is told of faults. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "collect.h"
#include "event.h"
#include "interruption.h"
#include "journal.h"
#include "monitor.h"
#include "output.h"
#include "reassurectl.h"
#include "stack.h"

/* Once for all that follow each other: the disk may be full for long. */
static void tell_of_failure(struct collecting *collecting, int error)
{
	if (!collecting->not_kept++)
		failed("cannot keep reports in %s: %s; going on without",
		       collecting->reports.path, strerror(-error));
}

static void tell_of_success(struct collecting *collecting)
{
	if (collecting->not_kept)
		failed("reports are kept again in %s; %llu were not",
		       collecting->reports.path, collecting->not_kept);
	collecting->not_kept = 0;
}

/* Puts @object; false when it was not kept and has no @id. */
static bool keep(struct collecting *collecting, __u64 time_ns,
		 struct json_object *object, char *id)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int ret = -ENOMEM;

	if (!stream) {
		json_object_put(object);
	} else {
		print_json_line(stream, object);
		if (!fclose(stream))
			ret = reports_keep(&collecting->reports,
					   &collecting->limits, time_ns, text,
					   size, id);
	}
	free(text);
	if (ret)
		tell_of_failure(collecting, ret);
	else
		tell_of_success(collecting);
	return !ret;
}

/*
 * An event that has begun is kept; who is told to end, which is heard of only
 * here, begins with no more.
 */
static bool go_on(void)
{
	interruption_begin_output();
	return interruption_end_output();
}

bool collect_event(const struct event *event, void *data)
{
	struct collecting *collecting = data;
	struct frame frames[STACK_FRAMES_MAX];
	char id[REPORT_ID_SIZE];
	bool failed, kept;
	size_t count = stack_unwind(event, frames, &failed);

	kept = keep(collecting, event->time_ns,
		    monitor_json(event, frames, count, failed), id);
	journal_send_event(collecting->journal, kept ? id : NULL, event, frames,
			   count, failed);
	stack_free(frames, count);
	collecting->collected++;
	return go_on() && collecting->collected != collecting->count;
}

bool collect_lost(__u64 lost, void *data)
{
	struct collecting *collecting = data;
	struct json_object *object = monitor_lost_json(lost);
	char id[REPORT_ID_SIZE];
	struct timespec now;
	__u64 now_ns;
	bool kept;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ns = now.tv_sec * NS_PER_SECOND + now.tv_nsec;
	json_object_object_add(object, "time_ns",
			       json_object_new_uint64(now_ns));
	kept = keep(collecting, now_ns, object, id);
	journal_send_lost(collecting->journal, kept ? id : NULL, lost);
	return go_on();
}
