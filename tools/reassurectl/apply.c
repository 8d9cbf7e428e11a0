// SPDX-License-Identifier: GPL-2.0
/* `check` and `apply`: from configuration files to the module. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "config.h"
#include "difference.h"
#include "netlink.h"
#include "output.h"
#include "reassurectl.h"
#include "running.h"

struct arguments {
	bool json;
	bool prune;
	bool dry_run;
	/* What is left of argv. */
	char **paths;
	int nr_paths;
};

static bool parse_flag(struct arguments *arguments, const char *verb,
		       const char *text)
{
	bool apply = !strcmp(verb, "apply");

	if (!strcmp(text, "--json") || !strcmp(text, "-j"))
		arguments->json = true;
	else if (apply && !strcmp(text, "--prune"))
		arguments->prune = true;
	else if (apply && !strcmp(text, "--dry-run"))
		arguments->dry_run = true;
	else
		return false;
	return true;
}

/* The paths are moved to the front of @argv. */
static int parse(struct arguments *arguments, int argc, char **argv)
{
	bool literal = false;
	int i;

	memset(arguments, 0, sizeof(*arguments));
	arguments->paths = argv + 1;
	for (i = 1; i < argc; i++) {
		if (!literal && !strcmp(argv[i], "--"))
			literal = true;
		else if (literal || *argv[i] != '-')
			arguments->paths[arguments->nr_paths++] = argv[i];
		else if (!parse_flag(arguments, argv[0], argv[i]))
			return usage_error("%s: unknown argument '%s'",
					   argv[0], argv[i]);
	}
	if (arguments->nr_paths)
		return EXIT_OK;
	return usage_error("%s takes the FILE or DIRECTORY of a configuration",
			   argv[0]);
}

static void read_all(struct config *config, const struct arguments *arguments)
{
	int i;

	for (i = 0; i < arguments->nr_paths; i++)
		config_read(config, arguments->paths[i]);
	/* A mistake as likely as not, and nothing would be left. */
	if (arguments->prune)
		config_need_points(config, arguments->paths[0]);
	config_find(config);
}

static struct json_object *problems_json(const struct config *config)
{
	struct json_object *array = json_object_new_array(), *object;
	const struct config_problem *problem;
	size_t i;

	for (i = 0; i < config->nr_problems; i++) {
		problem = &config->problems[i];
		object = json_object_new_object();
		json_object_object_add(object, "file",
				       json_object_new_string(problem->file));
		json_object_object_add(object, "line", problem->line ?
				       json_object_new_int(problem->line) : NULL);
		json_object_object_add(object, "key", problem->key ?
				       json_object_new_string(problem->key) : NULL);
		json_object_object_add(object, "error",
				       json_object_new_string(problem->text));
		json_object_array_add(array, object);
	}
	return array;
}

/* Takes @value over. */
static void print_member(const char *name, struct json_object *value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, name, value);
	print_json(object);
	json_object_put(object);
}

/* Says what is wrong with the files, in the form that was asked for. */
static void print_problems(const struct config *config, bool json)
{
	if (json)
		print_member("errors", problems_json(config));
	else
		config_print_problems(config);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

int cmd_check(int argc, char **argv)
{
	struct arguments arguments;
	struct config config = {};
	int ret = parse(&arguments, argc, argv);

	if (ret)
		return ret;
	read_all(&config, &arguments);
	if (config.nr_problems || arguments.json)
		print_problems(&config, arguments.json);
	if (config.nr_problems)
		ret = failed("%zu error%s", config.nr_problems,
			     plural(config.nr_problems));
	else if (!arguments.json)
		printf("%zu rescue point%s in %zu file%s: no error\n",
		       config.nr_points, plural(config.nr_points),
		       config.nr_files, plural(config.nr_files));
	config_free(&config);
	return ret;
}

/* Does it, and says at what line it failed.  As kernel_apply(). */
static enum applied tell_module(struct config *config, bool prune)
{
	struct config_point *point;
	char error[ERROR_SIZE];
	enum applied applied;
	size_t which;

	applied = kernel_apply(config, prune, &which, error);
	if (applied == APPLIED)
		return applied;
	if (which >= config->nr_points) {
		failed("cannot apply: %s", error);
		return applied;
	}
	point = config->points[which];
	config_point_problem(config, point, NULL, "cannot apply '%s': %s",
			     point->options.name, error);
	return applied;
}

static int apply_difference(struct config *config,
			    const struct arguments *arguments)
{
	struct json_object *difference;
	enum applied applied = APPLIED;
	struct running running;
	int ret = EXIT_OK;

	if (!running_read(&running))
		return EXIT_FAILED;
	difference = difference_json(config, &running, arguments->prune);
	running_free(&running);
	if (!arguments->dry_run)
		applied = tell_module(config, arguments->prune);
	if (applied != APPLIED) {
		if (config->nr_problems)
			print_problems(config, arguments->json);
		ret = failed(applied == APPLIED_NOTHING ? "nothing has changed" :
			     "it is not known whether anything has changed; 'reassurectl list' shows it");
	} else if (arguments->json) {
		print_member("changes", json_object_get(difference));
	} else {
		difference_print(difference);
	}
	json_object_put(difference);
	return ret;
}

int cmd_apply(int argc, char **argv)
{
	struct arguments arguments;
	struct config config = {};
	int ret = parse(&arguments, argc, argv);

	if (ret)
		return ret;
	read_all(&config, &arguments);
	if (config.nr_problems) {
		print_problems(&config, arguments.json);
		ret = failed("%zu error%s: nothing has changed",
			     config.nr_problems, plural(config.nr_problems));
	} else {
		ret = apply_difference(&config, &arguments);
	}
	config_free(&config);
	return ret;
}
