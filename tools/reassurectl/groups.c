// SPDX-License-Identifier: GPL-2.0
/*
 * Which faults are likely to be the same bug: those whose innermost functions are
 * the same, from the place of the fault up to the first that is not of the C
 * library or of C++'s, since any bug may end in memcpy() or abort().
 *
 * A function is the same in another build of its file, so that it shows whether
 * an upgrade has mended it.  Where it has no name its place in the file is what
 * tells, with the build-id.
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "groups.h"
#include "monitor.h"
#include "output.h"
#include "saved_event.h"
#include "text.h"

/* So many frames are compared. */
#define PLACE_FRAMES_MAX 16

struct group {
	char *place;
	__u64 count;
	__u64 first_ns;
	__u64 last_ns;
	/* The latest of them, and its frames that are compared. */
	char *last_id;
	struct json_object *frames;
	/* Of each name how many: objects of numbers. */
	struct json_object *rescue_points;
	struct json_object *outcomes;
	struct json_object *reasons;
	struct json_object *signals;
	struct json_object *build_ids;
};

/* Where functions are that run on behalf of those that are to be looked at. */
static bool is_system_library(const char *file)
{
	static const char *const names[] = {
		"libc.so", "libc-", "libpthread", "ld-linux", "ld-musl",
		"libstdc++.so", "libgcc_s.so",
	};
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

/* How many frames there are from the innermost to the first of the program. */
static size_t count_place(const struct saved_event *saved)
{
	const struct event_mapping *mapping;
	size_t i;

	for (i = 0; i < saved->count && i < PLACE_FRAMES_MAX; i++) {
		mapping = saved->frames[i].mapping;
		if (mapping && mapping->path && !is_system_library(mapping->path))
			return i + 1;
	}
	return i;
}

static void write_place(FILE *to, const struct frame *frame,
			struct json_object *object)
{
	const char *build_id = saved_string(object, "build_id");
	const char *file = saved_string(object, "file") ?: "";

	if (frame->function)
		fprintf(to, "%s\n%s\n", frame->function, file);
	else if (frame->mapping)
		fprintf(to, "+%llx\n%s\n", frame->offset, build_id ?: file);
	else
		/* Where there is no file addresses differ each time. */
		fputs("?\n\n", to);
}

static char *make_place(const struct saved_event *saved,
			struct json_object *frames)
{
	size_t size, i, count = count_place(saved);
	char *place = NULL;
	FILE *stream = open_memstream(&place, &size);

	if (!stream)
		return NULL;
	for (i = 0; i < count; i++)
		write_place(stream, &saved->frames[i],
			    json_object_array_get_idx(frames, i));
	if (fclose(stream)) {
		free(place);
		return NULL;
	}
	return place;
}

static void count_name(struct json_object *counts, const char *name)
{
	struct json_object *count;

	if (!name)
		return;
	if (json_object_object_get_ex(counts, name, &count))
		json_object_int_inc(count, 1);
	else
		json_object_object_add(counts, name,
				       json_object_new_uint64(1));
}

/* @place becomes the group's. */
static struct group *new_group(struct groups *groups, char *place)
{
	struct group *list = reallocarray(groups->list, groups->count + 1,
					  sizeof(*list));
	struct group *group;

	if (!list)
		return NULL;
	groups->list = list;
	group = &list[groups->count++];
	memset(group, 0, sizeof(*group));
	group->place = place;
	group->rescue_points = json_object_new_object();
	group->outcomes = json_object_new_object();
	group->reasons = json_object_new_object();
	group->signals = json_object_new_object();
	group->build_ids = json_object_new_object();
	return group;
}

static struct group *find_group(struct groups *groups, char *place)
{
	struct group *group;
	size_t i;

	for (i = 0; i < groups->count; i++) {
		if (strcmp(groups->list[i].place, place))
			continue;
		free(place);
		return &groups->list[i];
	}
	group = new_group(groups, place);
	if (!group)
		free(place);
	return group;
}

static void note_latest(struct group *group, const char *id,
			struct json_object *frames, size_t count)
{
	size_t i;

	free(group->last_id);
	group->last_id = strdup(id);
	json_object_put(group->frames);
	group->frames = json_object_new_array();
	for (i = 0; i < count; i++)
		json_object_array_add(group->frames,
				      json_object_get(json_object_array_get_idx(frames, i)));
}

static void note_times(struct group *group, __u64 time_ns)
{
	if (!group->count || time_ns < group->first_ns)
		group->first_ns = time_ns;
	if (!group->count || time_ns > group->last_ns)
		group->last_ns = time_ns;
}

bool groups_add(struct groups *groups, const char *id,
		struct json_object *object)
{
	struct saved_event saved;
	struct json_object *frames, *innermost;
	struct group *group;
	char *place;

	if (!saved_event_parse(object, &saved))
		return false;
	if (saved.is_lost) {
		groups->lost += saved.lost;
		return true;
	}
	frames = json_object_object_get(object, "frames");
	place = make_place(&saved, frames);
	group = place ? find_group(groups, place) : NULL;
	if (!group)
		return false;
	note_times(group, saved.event.time_ns);
	if (saved.event.time_ns == group->last_ns)
		note_latest(group, id, frames, count_place(&saved));
	group->count++;
	count_name(group->rescue_points, saved.event.name);
	count_name(group->outcomes, saved_string(object, "outcome"));
	count_name(group->reasons, saved_string(object, "reason"));
	count_name(group->signals, event_signal(&saved.event));
	innermost = saved.count ?
		    json_object_array_get_idx(frames, count_place(&saved) - 1) :
		    NULL;
	count_name(group->build_ids, saved_string(innermost, "build_id"));
	return true;
}

static int by_count(const void *a, const void *b)
{
	const struct group *one = a, *other = b;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	return (one->last_ns < other->last_ns) - (one->last_ns > other->last_ns);
}

void groups_sort(struct groups *groups)
{
	if (groups->count)
		qsort(groups->list, groups->count, sizeof(*groups->list),
		      by_count);
}

static void print_counts(FILE *to, const char *title, struct json_object *counts)
{
	const char *separator = "";

	if (!json_object_object_length(counts))
		return;
	fprintf(to, "  %-15s ", title);
	json_object_object_foreach(counts, name, count) {
		fputs(separator, to);
		text_print(to, name);
		fprintf(to, " %llu", (unsigned long long)
			json_object_get_uint64(count));
		separator = ", ";
	}
	fputc('\n', to);
}

static void print_group(FILE *to, const struct group *group)
{
	struct saved_event saved = {};

	fprintf(to, "%llu times, ", group->count);
	print_time(to, group->first_ns);
	if (group->count > 1) {
		fputs(" to ", to);
		print_time(to, group->last_ns);
	}
	fprintf(to, ", latest %s\n", group->last_id ?: "?");
	print_counts(to, "rescue points", group->rescue_points);
	print_counts(to, "outcomes", group->outcomes);
	print_counts(to, "reasons", group->reasons);
	print_counts(to, "signals", group->signals);
	print_counts(to, "builds", group->build_ids);
	saved_event_parse_frames(group->frames, &saved);
	monitor_print_frames(to, saved.frames, saved.count, false);
}

void groups_print(FILE *to, const struct groups *groups)
{
	size_t i;

	for (i = 0; i < groups->count; i++)
		print_group(to, &groups->list[i]);
	if (groups->lost)
		monitor_print_lost(to, groups->lost);
}

static struct json_object *group_json(const struct group *group)
{
	struct json_object *object = json_object_new_object();
	const struct {
		const char *name;
		struct json_object *value;
	} shared[] = {
		{ "rescue_points", group->rescue_points },
		{ "outcomes", group->outcomes },
		{ "reasons", group->reasons },
		{ "signals", group->signals },
		{ "build_ids", group->build_ids },
		{ "frames", group->frames },
	};
	size_t i;

	json_object_object_add(object, "count",
			       json_object_new_uint64(group->count));
	json_object_object_add(object, "first_ns",
			       json_object_new_uint64(group->first_ns));
	json_object_object_add(object, "last_ns",
			       json_object_new_uint64(group->last_ns));
	json_object_object_add(object, "latest", group->last_id ?
			       json_object_new_string(group->last_id) : NULL);
	for (i = 0; i < sizeof(shared) / sizeof(*shared); i++)
		json_object_object_add(object, shared[i].name,
				       json_object_get(shared[i].value));
	return object;
}

struct json_object *groups_json(const struct groups *groups)
{
	struct json_object *object = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < groups->count; i++)
		json_object_array_add(list, group_json(&groups->list[i]));
	json_object_object_add(object, "groups", list);
	json_object_object_add(object, "lost",
			       json_object_new_uint64(groups->lost));
	return object;
}

void groups_free(struct groups *groups)
{
	struct group *group;

	for (group = groups->list; group < groups->list + groups->count;
	     group++) {
		free(group->place);
		free(group->last_id);
		json_object_put(group->frames);
		json_object_put(group->rescue_points);
		json_object_put(group->outcomes);
		json_object_put(group->reasons);
		json_object_put(group->signals);
		json_object_put(group->build_ids);
	}
	free(groups->list);
	memset(groups, 0, sizeof(*groups));
}
