// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration files of any bytes.  What is read without a mistake says the same
 * when it is written and read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "parse.h"
#include "reassurectl.h"

/* The tool's own is where its main() is; nothing of the kind is expected here. */
int failed(const char *format, ...)
{
	fprintf(stderr, "%s\n", format);
	abort();
}

static void read_copy(struct config *config, const char *text, size_t size)
{
	/* Of its size, for the address sanitizer; the NUL is the reader's. */
	char *copy = malloc(size + 1);

	if (!copy)
		abort();
	memcpy(copy, text, size);
	config_read_text(config, "f", copy, size);
	free(copy);
}

static bool is_written(const struct known_option *option)
{
	/* Units become cgroups when they are looked up. */
	return option->key && option->print;
}

static void write_key(const struct known_option *option, char *text, FILE *out)
{
	char *rest = text, *value;

	while (*text && (value = strsep(&rest, "\n")))
		fprintf(out, "%s = %s\n", option->key, value);
}

static char *write_point(const struct config_point *point, size_t *size)
{
	const struct known_option *option;
	char *file = NULL, *text;
	FILE *out = open_memstream(&file, size);

	if (!out)
		abort();
	fprintf(out, "[rescue-point \"%s\"]\n", point->options.name);
	for (option = known_options; option->name; option++) {
		if (!is_written(option))
			continue;
		text = option_text(option, &point->options);
		if (!text)
			abort();
		write_key(option, text, out);
		free(text);
	}
	fclose(out);
	return file;
}

static void expect(bool same, const char *what)
{
	if (same)
		return;
	fprintf(stderr, "%s is not what it was\n", what);
	abort();
}

static bool same_text(const char *a, const char *b)
{
	return !a == !b && (!a || !strcmp(a, b));
}

/* What was written is not compared: it may be wrong in the same way twice. */
static void compare(const struct add_options *a, const struct add_options *b)
{
	size_t i;

	expect(same_text(a->name, b->name), "name");
	expect(same_text(a->exe, b->exe), "exe");
	expect(same_text(a->function, b->function), "function");
	expect(a->has_offset == b->has_offset, "has_offset");
	expect(a->offset == b->offset, "offset");
	expect(a->build_id_size == b->build_id_size, "build_id_size");
	expect(!memcmp(a->build_id, b->build_id, sizeof(a->build_id)),
	       "build_id");
	expect(a->exits == b->exits, "exits");
	expect(a->no_landings == b->no_landings, "no_landings");
	expect(a->has_value == b->has_value, "has_value");
	expect(a->value == b->value, "value");
	expect(a->signals == b->signals, "signals");
	expect(a->handled == b->handled, "handled");
	expect(a->shared == b->shared, "shared");
	expect(a->unlimited == b->unlimited, "unlimited");
	expect(a->budget_rescues == b->budget_rescues, "budget_rescues");
	expect(a->budget_seconds == b->budget_seconds, "budget_seconds");
	expect(a->exhausted == b->exhausted, "exhausted");
	expect(a->deadline_ms == b->deadline_ms, "deadline_ms");
	expect(a->threads == b->threads, "threads");
	expect(a->watchdog_ms == b->watchdog_ms, "watchdog_ms");
	expect(a->escalate == b->escalate, "escalate");
	expect(a->mode == b->mode, "mode");
	expect(a->enabled == b->enabled, "enabled");
	expect(a->allow_setuid == b->allow_setuid, "allow_setuid");
	expect(a->nr_cgroups == b->nr_cgroups, "nr_cgroups");
	for (i = 0; i < a->nr_cgroups; i++)
		expect(same_text(a->cgroups[i], b->cgroups[i]), "cgroups");
}

static void check_point(struct config_point *point)
{
	struct config config = {};
	size_t size;
	char *file;

	fill_defaults(&point->options);
	file = write_point(point, &size);
	read_copy(&config, file, size);
	if (config.nr_problems || config.nr_points != 1) {
		config_print_problems(&config);
		fputs(file, stderr);
		abort();
	}
	fill_defaults(&config.points[0]->options);
	compare(&point->options, &config.points[0]->options);
	config_free(&config);
	free(file);
}

static void check_text(const char *text, size_t size)
{
	struct config config = {};
	size_t i;

	read_copy(&config, text, size);
	for (i = 0; i < config.nr_points; i++)
		if (!config.points[i]->wrong)
			check_point(config.points[i]);
	config_free(&config);
}

/* As they are, and as the end of a rescue point without a mistake. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] =
		"[rescue-point \"a\"]\nExecutable = /bin/a\nFunction = f\nReturn = -1\n";
	char *text = malloc(sizeof(begin) - 1 + size);

	if (!text)
		abort();
	memcpy(text, begin, sizeof(begin) - 1);
	memcpy(text + sizeof(begin) - 1, data, size);
	check_text(text + sizeof(begin) - 1, size);
	check_text(text, sizeof(begin) - 1 + size);
	free(text);
	return 0;
}
