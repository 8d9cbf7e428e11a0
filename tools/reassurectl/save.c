// SPDX-License-Identifier: GPL-2.0
/* `save`: what is in use, as a configuration file. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "reassurectl.h"
#include "running.h"

/* Whether a file gives @text back as a value. */
static bool is_value(const char *text)
{
	struct config config = {};
	struct config_point *point;
	char *file = NULL;
	size_t size;
	FILE *out = open_memstream(&file, &size);
	bool same = false;

	if (!out)
		return false;
	fprintf(out, "[rescue-point \"a\"]\nExecutable = %s\n", text);
	if (fclose(out))
		return false;
	config_read_text(&config, "", file, size);
	point = config.nr_points == 1 ? config.points[0] : NULL;
	same = point && point->options.exe && !strcmp(point->options.exe, text);
	config_free(&config);
	free(file);
	return same;
}

static bool save_value(const struct running_point *point,
		       const struct known_option *option, const char *value)
{
	if (!is_value(value)) {
		failed("%s: no file can hold its %s: %s", point->name,
		       option->key, value);
		return false;
	}
	printf("%s = %s\n", option->key, value);
	return true;
}

static bool save_key(const struct running_point *point,
		     const struct known_option *option,
		     const char *usual)
{
	char *text = option_text(option, &point->options), *value, *rest = text;
	bool good = text;

	if (!text || !*text || !strcmp(text, usual))
		goto done;
	if (option->kind != REPEATED_SETTING)
		good = save_value(point, option, text);
	else
		while ((value = strsep(&rest, "\n")))
			good &= save_value(point, option, value);
done:
	free(text);
	return good;
}

/* What is as it would be without the key is left out. */
static bool save_point(const struct running_point *point)
{
	struct add_options defaults = { .exe = "" };
	const struct known_option *option;
	bool good = true;
	char *usual;

	fill_defaults(&defaults);
	/* There is none: a value for void, and void for a value. */
	defaults.has_value = !point->options.has_value;
	printf("[rescue-point \"%s\"]\n", point->name);
	for (option = known_options; option->name; option++) {
		if (!option->key)
			continue;
		usual = option_text(option, &defaults);
		good &= usual && save_key(point, option, usual);
		free(usual);
	}
	return good;
}

int cmd_save(int argc, char **argv)
{
	struct running running;
	int ret = EXIT_OK;
	size_t i;

	if (argc > 1)
		return usage_error("save: unknown argument '%s'; it takes none",
				   argv[1]);
	if (!running_read(&running))
		return EXIT_FAILED;
	for (i = 0; i < running.count; i++) {
		if (i)
			putchar('\n');
		if (!save_point(&running.points[i]))
			ret = EXIT_FAILED;
	}
	running_free(&running);
	return ret;
}
