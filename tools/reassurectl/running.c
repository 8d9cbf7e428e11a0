// SPDX-License-Identifier: GPL-2.0
/* What the module has, in the words of the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"
#include "reassurectl.h"
#include "running.h"

static char *copy(struct running *running, const char *text)
{
	char *result = text ? strdup(text) : NULL;

	running->no_memory |= text && !result;
	return result;
}

static void copy_settings(struct add_options *options,
			  const struct kernel_answer *answer)
{
	int i;

	options->has_return = true;
	options->has_value = answer->has_value;
	options->value = answer->value;
	options->signals = answer->signals;
	options->has_handled = true;
	options->handled = answer->handled;
	options->has_shared = true;
	options->shared = answer->shared;
	options->has_exhausted = true;
	options->exhausted = answer->exhausted;
	options->has_allow_setuid = true;
	options->allow_setuid = answer->allow_setuid;
	options->has_mode = true;
	options->mode = answer->mode;
	options->has_enabled = true;
	options->enabled = answer->enabled;
	options->has_threads = true;
	options->threads = answer->threads;
	options->watchdog_ms = answer->watchdog_ms;
	options->has_escalate = true;
	options->escalate = answer->escalate;
	options->has_deadline = true;
	options->deadline_ms = answer->deadline_ms;
	options->unlimited = answer->unlimited;
	options->budget_rescues = answer->budget_rescues;
	options->budget_seconds = answer->budget_seconds;
	for (i = 0; i < answer->nr_cgroups; i++)
		snprintf(options->cgroups[i], sizeof(options->cgroups[i]), "%s",
			 answer->cgroups[i]);
	options->nr_cgroups = answer->nr_cgroups;
}

static void copy_place(struct running *running, struct running_point *point,
		       const struct kernel_answer *answer)
{
	struct add_options *options = &point->options;
	int i;

	point->name = copy(running, answer->name);
	point->path = copy(running, answer->path);
	point->function = copy(running, answer->function);
	point->offset = answer->offset;
	point->current = answer->file_state == REASSURE_FILE_CURRENT;
	point->nr_exits = answer->exits;
	for (i = 0; i < answer->nr_landings; i++) {
		point->landings[i].path = copy(running,
					       answer->landings[i].path);
		point->landings[i].count = answer->landings[i].count;
		point->landings[i].current =
			answer->landings[i].file_state == REASSURE_FILE_CURRENT;
	}
	point->nr_landings = answer->nr_landings;
	options->name = point->name;
	options->exe = point->path;
	options->function = point->function;
	options->exits = answer->exits ? EXITS_ALL : EXITS_RETURN;
	options->no_landings = !answer->nr_landings;
	if (point->function)
		return;
	/* An offset is that of one build. */
	options->has_offset = true;
	options->offset = answer->offset;
	if (answer->build_id_size > REASSURE_BUILD_ID_MAX)
		return;
	options->build_id_size = answer->build_id_size;
	if (answer->build_id_size)
		memcpy(options->build_id, answer->build_id,
		       answer->build_id_size);
}

void running_add(const struct kernel_answer *answer, void *data)
{
	struct running *running = data;
	struct running_point *points, *point;

	points = reallocarray(running->points, running->count + 1,
			      sizeof(*points));
	if (!points) {
		running->no_memory = true;
		return;
	}
	running->points = points;
	point = &points[running->count++];
	memset(point, 0, sizeof(*point));
	copy_place(running, point, answer);
	copy_settings(&point->options, answer);
}

bool running_read(struct running *running)
{
	memset(running, 0, sizeof(*running));
	if (kernel_list(running_add, running))
		return false;
	if (!running->no_memory)
		return true;
	failed("no memory");
	running_free(running);
	return false;
}

void running_free(struct running *running)
{
	struct running_point *point;
	size_t i;

	for (; running->count; running->count--) {
		point = &running->points[running->count - 1];
		free(point->name);
		free(point->path);
		free(point->function);
		for (i = 0; i < point->nr_landings; i++)
			free(point->landings[i].path);
	}
	free(running->points);
	running->points = NULL;
}
