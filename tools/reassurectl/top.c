// SPDX-License-Identifier: GPL-2.0
/* `top`: what rescue points do now. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "interruption.h"
#include "names.h"
#include "output.h"
#include "reassurectl.h"
#include "sample.h"
#include "state.h"
#include "terminal.h"
#include "top.h"

#define INTERVAL_DEFAULT_NS (2 * NS_PER_SECOND)
#define INTERVAL_MIN 0.1
#define INTERVAL_MAX 86400

/* What a terminal is told. */
#define CLEAR "\033[2J"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[m"

static const char *const sort_names[] = {
	[TOP_SORT_CALLS] = "calls",
	[TOP_SORT_COST] = "cost",
	[TOP_SORT_RESCUES] = "rescues",
	NULL
};

/* Under the names of JSON. */
static const char *const value_names[SAMPLED] = {
	[SAMPLED_CALLS] = "calls",
	[SAMPLED_RESCUES] = "rescues",
	[SAMPLED_REFUSED] = "refused",
	[SAMPLED_SKIPPED] = "skipped",
	[SAMPLED_PAGES_SAVED] = "pages_saved",
	[SAMPLED_ROLLBACK_NS] = "rollback_ns",
};

static int parse_interval(struct top_options *options, const char *text)
{
	double seconds = 0;
	char *end = "";

	if (*text && !text[strspn(text, "0123456789.")])
		seconds = strtod(text, &end);
	if (*end || seconds < INTERVAL_MIN || seconds > INTERVAL_MAX)
		return usage_error("top: --interval takes %g to %d seconds, not '%s'",
				   INTERVAL_MIN, INTERVAL_MAX, text);
	options->interval_ns = seconds * NS_PER_SECOND;
	return EXIT_OK;
}

static int parse_count(struct top_options *options, const char *text)
{
	char *end = "x";

	errno = 0;
	if (*text && !text[strspn(text, "0123456789")])
		options->count = strtoull(text, &end, 10);
	if (errno || *end || !options->count)
		return usage_error("top: --count takes a number from 1 on, not '%s'",
				   text);
	return EXIT_OK;
}

static int parse_sort(struct top_options *options, const char *text)
{
	int i;

	for (i = 0; sort_names[i]; i++) {
		options->sort = i;
		if (!strcmp(sort_names[i], text))
			return EXIT_OK;
	}
	return usage_error("top: --sort takes calls, cost or rescues, not '%s'",
			   text);
}

static const struct {
	const char *name;
	int (*parse)(struct top_options *options, const char *text);
} valued[] = {
	{ "--interval", parse_interval },
	{ "--count", parse_count },
	{ "--sort", parse_sort },
	{}
};

int top_options(int argc, char **argv, struct top_options *options)
{
	unsigned int seen = 0;
	const char *value;
	size_t length;
	int i, which, ret;

	*options = (struct top_options){ .interval_ns = INTERVAL_DEFAULT_NS };
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j")) {
			if (options->json)
				return usage_error("top: --json is given twice");
			options->json = true;
			continue;
		}
		length = strcspn(argv[i], "=");
		for (which = 0; valued[which].name; which++)
			if (strlen(valued[which].name) == length &&
			    !strncmp(valued[which].name, argv[i], length))
				break;
		if (!valued[which].name)
			return usage_error("top: unknown argument '%s'; see 'reassurectl help top'",
					   argv[i]);
		if (seen & 1u << which)
			return usage_error("top: %s is given twice",
					   valued[which].name);
		seen |= 1u << which;
		value = argv[i][length] ? argv[i] + length + 1 : argv[++i];
		if (!value)
			return usage_error("top: %s needs a value",
					   valued[which].name);
		ret = valued[which].parse(options, value);
		if (ret)
			return ret;
	}
	return EXIT_OK;
}

/* What comes first, and what where that is the same. */
static const enum sampled sort_keys[][SAMPLED] = {
	[TOP_SORT_CALLS] = { SAMPLED_CALLS, SAMPLED_RESCUES, SAMPLED_REFUSED },
	[TOP_SORT_COST] = { SAMPLED_PAGES_SAVED, SAMPLED_ROLLBACK_NS,
			    SAMPLED_CALLS },
	[TOP_SORT_RESCUES] = { SAMPLED_RESCUES, SAMPLED_REFUSED,
			       SAMPLED_CALLS },
};

static int compare(const void *left, const void *right, void *data)
{
	const struct sampled_point *a = left, *b = right;
	const enum sampled *keys = data;
	int i;

	for (i = 0; i < 3; i++)
		if (a->values[keys[i]] != b->values[keys[i]])
			return a->values[keys[i]] > b->values[keys[i]] ? -1 : 1;
	return strcmp(a->name, b->name);
}

void top_sort(struct sample *difference, enum top_sort sort)
{
	qsort_r(difference->points, difference->count,
		sizeof(*difference->points), compare, (void *)sort_keys[sort]);
}

/* No wider than the terminal, and with what ends it. */
static void print_line(const struct terminal *terminal, int columns,
		       const char *colour, const char *line)
{
	if (!terminal->live)
		printf("%s\n", line);
	else
		printf("%s%.*s%s" CLEAR_LINE "\n", colour, columns, line,
		       *colour ? PLAIN : "");
}

static void print_point(const struct terminal *terminal, int columns,
			const struct sampled_point *point)
{
	const __u64 *values = point->values;
	const char *colour = "";
	char line[256];

	if (values[SAMPLED_REFUSED])
		colour = RED;
	else if (values[SAMPLED_RESCUES] || values[SAMPLED_SKIPPED])
		colour = YELLOW;
	snprintf(line, sizeof(line), "%9llu %7llu %7llu %7llu %9llu %7llu.%03llu  %s",
		 values[SAMPLED_CALLS], values[SAMPLED_RESCUES],
		 values[SAMPLED_REFUSED], values[SAMPLED_SKIPPED],
		 values[SAMPLED_PAGES_SAVED],
		 values[SAMPLED_ROLLBACK_NS] / 1000000,
		 values[SAMPLED_ROLLBACK_NS] / 1000 % 1000, point->name);
	print_line(terminal, columns, colour, line);
}

static void print_table(const struct terminal *terminal,
			const struct sample *difference)
{
	int rows = INT_MAX, columns = INT_MAX;
	char line[256];
	size_t i;

	if (terminal->live) {
		terminal_size(&rows, &columns);
		fputs(HOME, stdout);
	}
	snprintf(line, sizeof(line), "reassure: %zu rescue point%s in %.1f s%s%s",
		 difference->count, difference->count == 1 ? "" : "s",
		 difference->time_ns / (double)NS_PER_SECOND,
		 terminal->keys ? "; q quits" : "",
		 difference->off ? "; SWITCHED OFF, see status" : "");
	print_line(terminal, columns, difference->off ? RED : "", line);
	snprintf(line, sizeof(line), "%9s %7s %7s %7s %9s %11s  %s", "CALLS",
		 "RESCUES", "REFUSED", "SKIPPED", "PAGES", "ROLLBACK-MS", "NAME");
	print_line(terminal, columns, "", line);
	/* The cursor has the last one. */
	for (i = 0; i < difference->count && (int)i < rows - 3; i++)
		print_point(terminal, columns, &difference->points[i]);
	if (terminal->live)
		fputs(CLEAR_REST, stdout);
}

static struct json_object *table_json(const struct sample *difference)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array(), *member;
	struct timespec now;
	size_t i;
	int j;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_object_add(object, "time_ns",
			       json_object_new_uint64(now.tv_sec * NS_PER_SECOND +
						      now.tv_nsec));
	json_object_object_add(object, "interval_ns",
			       json_object_new_uint64(difference->time_ns));
	json_object_object_add(object, "switched_off",
			       json_object_new_string(off_names[difference->off]));
	for (i = 0; i < difference->count; i++) {
		const struct sampled_point *point = &difference->points[i];

		member = json_object_new_object();
		json_object_object_add(member, "name",
				       json_object_new_string(point->name));
		for (j = 0; j < SAMPLED; j++)
			json_object_object_add(member, value_names[j],
					       json_object_new_uint64(point->values[j]));
		json_object_array_add(array, member);
	}
	json_object_object_add(object, "rescue_points", array);
	return object;
}

static __u64 monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* False when this is the end. */
static bool wait_until(const struct terminal *terminal, __u64 time_ns)
{
	struct timespec left;
	__u64 now;
	int ready;

	for (;;) {
		now = monotonic_ns();
		now = now < time_ns ? time_ns - now : 0;
		left.tv_sec = now / NS_PER_SECOND;
		left.tv_nsec = now % NS_PER_SECOND;
		ready = interruption_wait(terminal->keys ? STDIN_FILENO : -1,
					  &left);
		if (!ready)
			return true;
		if (ready < 0 || terminal_is_quit())
			return false;
	}
}

/* False when there is to be no more. */
static bool show(const struct top_options *options,
		 const struct terminal *terminal, bool first,
		 struct sample *difference)
{
	top_sort(difference, options->sort);
	interruption_begin_output();
	if (options->json) {
		print_json_line(stdout, table_json(difference));
	} else {
		if (!first && !terminal->live)
			putchar('\n');
		print_table(terminal, difference);
	}
	return interruption_end_output();
}

/* Shows tables until it is told to end. */
static int follow(const struct top_options *options,
		  const struct terminal *terminal, struct sample *before,
		  bool (*read)(struct sample *sample))
{
	struct sample sample, difference;
	__u64 next = monotonic_ns(), shown = 0;
	bool more = true;

	while (more) {
		next += options->interval_ns;
		if (!wait_until(terminal, next))
			break;
		if (!read(&sample))
			return EXIT_FAILED;
		if (!sample_since(&difference, &sample, before)) {
			sample_free(&sample);
			return failed("no memory");
		}
		sample_free(before);
		*before = sample;
		more = show(options, terminal, !shown, &difference) &&
		       ++shown != options->count;
		sample_free(&difference);
		/* Who was stopped has missed some. */
		if (next + options->interval_ns < monotonic_ns())
			next = monotonic_ns();
	}
	return EXIT_OK;
}

int top_run(const struct top_options *options,
	    bool (*read)(struct sample *sample))
{
	struct terminal terminal = {};
	struct sample before;
	int ret;

	if (!read(&before))
		return EXIT_FAILED;
	interruption_catch();
	if (!options->json)
		terminal_begin(&terminal);
	if (terminal.live) {
		printf(HOME CLEAR "reassure: the first figures come in %.1f s\n",
		       options->interval_ns / (double)NS_PER_SECOND);
		fflush(stdout);
	}
	ret = follow(options, &terminal, &before, read);
	terminal_end(&terminal);
	sample_free(&before);
	alarm(0);
	return ret;
}

int cmd_top(int argc, char **argv)
{
	struct top_options options;
	int ret = top_options(argc, argv, &options);

	return ret ?: top_run(&options, sample_read);
}
