// SPDX-License-Identifier: GPL-2.0
/* What rescue points count between two moments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "netlink.h"
#include "reassurectl.h"
#include "sample.h"

void sample_add(const struct kernel_answer *answer, void *data)
{
	struct sample *sample = data;
	struct sampled_point *points, *point;
	int i;

	points = reallocarray(sample->points, sample->count + 1,
			      sizeof(*points));
	if (!points) {
		sample->no_memory = true;
		return;
	}
	sample->points = points;
	point = &points[sample->count++];
	*point = (struct sampled_point){
		.values = {
			[SAMPLED_CALLS] =
				answer->counters[REASSURE_COUNTER_CHECKPOINTS],
			[SAMPLED_RESCUES] =
				answer->counters[REASSURE_COUNTER_RESCUES],
			[SAMPLED_SKIPPED] =
				answer->counters[REASSURE_COUNTER_SKIPPED],
			[SAMPLED_PAGES_SAVED] =
				answer->counters[REASSURE_COUNTER_PAGES_SAVED],
			[SAMPLED_ROLLBACK_NS] =
				answer->counters[REASSURE_COUNTER_ROLLBACK_NS],
		},
	};
	for (i = 0; i < REASSURE_REFUSALS; i++)
		point->values[SAMPLED_REFUSED] += answer->refused[i];
	snprintf(point->name, sizeof(point->name), "%s", answer->name);
}

static void note_off(const struct kernel_answer *answer, void *data)
{
	struct sample *sample = data;

	sample->off = answer->off;
}

bool sample_read(struct sample *sample)
{
	struct timespec now;

	memset(sample, 0, sizeof(*sample));
	if (kernel_list(sample_add, sample) || kernel_status(note_off, sample)) {
		sample_free(sample);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->time_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	if (!sample->no_memory)
		return true;
	failed("no memory");
	sample_free(sample);
	return false;
}

/* They come in the same order as before, so it is most often at @at. */
static const struct sampled_point *find(const struct sample *sample,
					const char *name, size_t at)
{
	size_t i;

	if (at < sample->count && !strcmp(sample->points[at].name, name))
		return &sample->points[at];
	for (i = 0; i < sample->count; i++)
		if (!strcmp(sample->points[i].name, name))
			return &sample->points[i];
	return NULL;
}

static void subtract(struct sampled_point *point,
		     const struct sampled_point *before)
{
	int i;

	/* Another one that was given the name. */
	for (i = 0; i < SAMPLED; i++)
		if (point->values[i] < before->values[i])
			return;
	for (i = 0; i < SAMPLED; i++)
		point->values[i] -= before->values[i];
}

bool sample_since(struct sample *difference, const struct sample *sample,
		  const struct sample *before)
{
	const struct sampled_point *old;
	size_t i, at = 0;

	*difference = *sample;
	difference->time_ns -= before->time_ns;
	difference->points = malloc((sample->count ?: 1) *
				    sizeof(*difference->points));
	if (!difference->points)
		return false;
	for (i = 0; i < sample->count; i++) {
		difference->points[i] = sample->points[i];
		old = find(before, sample->points[i].name, at);
		if (!old)
			continue;
		subtract(&difference->points[i], old);
		at = old - before->points + 1;
	}
	return true;
}

void sample_free(struct sample *sample)
{
	free(sample->points);
	sample->points = NULL;
	sample->count = 0;
}
