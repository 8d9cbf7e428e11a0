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
	if (reports_gone(&collecting->reports)) {
		collecting->gone = true;
		failed("%s has been removed: 'report collect' has to be begun again",
		       collecting->reports.path);
		return;
	}
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

/* Programs choose how long the names are that their files have. */
static void shorten(struct json_object *object, const char *name)
{
	static const char dots[] = "...";
	char text[REPORT_NAME_MAX + sizeof(dots)];
	struct json_object *value;
	int length = REPORT_NAME_MAX;

	if (!json_object_object_get_ex(object, name, &value) ||
	    json_object_get_string_len(value) <= REPORT_NAME_MAX)
		return;
	memcpy(text, json_object_get_string(value), length + 1);
	/* Not amid a character. */
	while (length && (text[length] & 0xc0) == 0x80)
		length--;
	strcpy(text + length, dots);
	json_object_object_add(object, name, json_object_new_string(text));
}

static void shorten_names(struct json_object *frames)
{
	struct json_object *frame;
	size_t i;

	for (i = 0; i < json_object_array_length(frames); i++) {
		frame = json_object_array_get_idx(frames, i);
		shorten(frame, "function");
		shorten(frame, "file");
		shorten(frame, "source");
	}
}

/* Puts @object; NULL without memory. */
static char *make_text(struct json_object *object, size_t *size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	if (!stream) {
		json_object_put(object);
		return NULL;
	}
	print_json_line(stream, object);
	if (!fclose(stream))
		return text;
	free(text);
	return NULL;
}

/* The outermost, which tell least; false when none is left. */
static bool drop_frames(struct json_object *object, struct json_object *frames)
{
	size_t count = json_object_array_length(frames);
	size_t dropped = (count + 3) / 4;
	struct json_object *before = NULL;

	if (!count)
		return false;
	json_object_array_del_idx(frames, count - dropped, dropped);
	if (json_object_object_get_ex(object, "frames_left_out", &before))
		dropped += json_object_get_uint64(before);
	json_object_object_add(object, "frames_left_out",
			       json_object_new_uint64(dropped));
	return true;
}

char *collect_text(struct json_object *object, size_t *size)
{
	struct json_object *frames = NULL;
	char *text;

	if (json_object_object_get_ex(object, "frames", &frames))
		shorten_names(frames);
	text = make_text(json_object_get(object), size);
	while (text && *size > REPORT_BYTES_MAX && frames &&
	       drop_frames(object, frames)) {
		free(text);
		text = make_text(json_object_get(object), size);
	}
	json_object_put(object);
	return text;
}

/* Puts @object; false when it was not kept and has no @id. */
static bool keep(struct collecting *collecting, __u64 time_ns,
		 struct json_object *object, char *id)
{
	size_t size;
	char *text = collect_text(object, &size);
	int ret = -ENOMEM;

	if (text)
		ret = reports_keep(&collecting->reports, &collecting->limits,
				   time_ns, text, size, id);
	free(text);
	if (ret)
		tell_of_failure(collecting, ret);
	else
		tell_of_success(collecting);
	return !ret;
}

/*
 * That one is told to end is heard of only here.  Events that were read already
 * nobody else can have: they are kept, but nothing is looked up for them.
 */
static void heed_ending(struct collecting *collecting)
{
	interruption_begin_output();
	collecting->ending = !interruption_end_output();
}

static size_t find_frames(const struct collecting *collecting,
			  const struct event *event, struct frame *frames,
			  bool *failed)
{
	if (!collecting->ending)
		return stack_unwind(event, frames, failed);
	*failed = true;
	return stack_innermost(event, frames);
}

bool collect_event(const struct event *event, void *data)
{
	struct collecting *collecting = data;
	struct frame frames[STACK_FRAMES_MAX];
	char id[REPORT_ID_SIZE];
	bool failed, kept;
	size_t count = find_frames(collecting, event, frames, &failed);

	kept = keep(collecting, event->time_ns,
		    monitor_json(event, frames, count, failed), id);
	journal_send_event(collecting->journal, kept ? id : NULL, event, frames,
			   count, failed);
	stack_free(frames, count);
	collecting->collected++;
	heed_ending(collecting);
	return !collecting->gone && collecting->collected != collecting->count;
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
	heed_ending(collecting);
	return !collecting->gone;
}
