// SPDX-License-Identifier: GPL-2.0
/* What has to change for the module to have what files say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "config.h"
#include "difference.h"
#include "running.h"

static bool is_file(const char *path, dev_t device, ino_t inode)
{
	struct stat status;

	return path && !stat(path, &status) && status.st_dev == device &&
	       status.st_ino == inode;
}

static bool is_file_of(const char *path, int fd)
{
	struct stat status;

	return !fstat(fd, &status) &&
	       is_file(path, status.st_dev, status.st_ino);
}

static bool are_landings(const struct running_point *old,
			 const struct place *place)
{
	size_t i;

	if (old->nr_landings != place->nr_landings)
		return false;
	for (i = 0; i < place->nr_landings; i++)
		if (!old->landings[i].current ||
		    old->landings[i].count != place->landings[i].count ||
		    !is_file_of(old->landings[i].path, place->landings[i].fd))
			return false;
	return true;
}

static bool is_place(const struct running_point *old,
		     const struct config_point *point)
{
	const char *function = point->options.function ?: "";

	return old->current && old->offset == point->place.offset &&
	       is_file(old->path, point->device, point->inode) &&
	       !strcmp(old->function ?: "", function) &&
	       old->nr_exits == point->place.nr_exits &&
	       are_landings(old, &point->place);
}

static void add_change(struct json_object *keys, const char *key,
		       const char *from, const char *to)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "from", json_object_new_string(from));
	json_object_object_add(object, "to", json_object_new_string(to));
	json_object_object_add(keys, key, object);
}

/* All of a place that can change. */
static char *place_text(const char *path, const struct add_options *options,
			__u64 offset, const char *state, size_t exits,
			size_t landing_files)
{
	const char *function = options->function;
	char *text;

	if (asprintf(&text,
		     "%s%s%s%s at 0x%llx, %zu exits, landings in %zu files",
		     path ?: "?", state, function ? ", " : "", function ?: "",
		     offset, exits, landing_files) < 0)
		return NULL;
	return text;
}

static void add_place(struct json_object *keys,
		      const struct running_point *old,
		      const struct config_point *point)
{
	const char *state = old->current ? "" : " (replaced)";
	char *from = place_text(old->path, &old->options, old->offset, state,
				old->nr_exits, old->nr_landings);
	char *to = place_text(point->options.exe, &point->options,
			      point->place.offset, "", point->place.nr_exits,
			      point->place.nr_landings);

	add_change(keys, "place", from ?: "", to ?: "");
	free(from);
	free(to);
}

/* Those of a REPEATED_SETTING in one line. */
static char *setting_text(const struct known_option *option,
			  const struct add_options *options)
{
	char *text = option_text(option, options), *end;

	for (end = text; end && (end = strchr(end, '\n')); )
		*end = ',';
	return text;
}

static struct json_object *changed_keys(const struct running_point *old,
					const struct config_point *point)
{
	struct json_object *keys = json_object_new_object();
	struct add_options options = point->options;
	const struct known_option *option;
	char *from, *to;

	if (!is_place(old, point))
		add_place(keys, old, point);
	fill_defaults(&options);
	for (option = known_options; option->name; option++) {
		if (option->kind == PLACE_OPTION || !option->key)
			continue;
		from = setting_text(option, &old->options);
		to = setting_text(option, &options);
		if (from && to && strcmp(from, to))
			add_change(keys, option->key, from, to);
		free(from);
		free(to);
	}
	return keys;
}

/* @keys, which it takes over, may be NULL. */
static void add_step(struct json_object *difference, const char *name,
		     const char *change, struct json_object *keys)
{
	struct json_object *step = json_object_new_object();

	json_object_object_add(step, "name", json_object_new_string(name));
	json_object_object_add(step, "change", json_object_new_string(change));
	if (keys)
		json_object_object_add(step, "keys", keys);
	json_object_array_add(difference, step);
}

static const struct running_point *find_running(const struct running *running,
						const char *name)
{
	size_t i;

	for (i = 0; i < running->count; i++)
		if (!strcmp(running->points[i].name, name))
			return &running->points[i];
	return NULL;
}

static bool is_meant(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->nr_points; i++)
		if (!strcmp(config->points[i]->options.name, name))
			return true;
	return false;
}

struct json_object *difference_json(const struct config *config,
				    const struct running *running, bool prune)
{
	struct json_object *difference = json_object_new_array(), *keys;
	const struct running_point *old;
	const char *name;
	size_t i;

	for (i = 0; i < config->nr_points; i++) {
		name = config->points[i]->options.name;
		old = find_running(running, name);
		if (!old) {
			add_step(difference, name, "add", NULL);
			continue;
		}
		keys = changed_keys(old, config->points[i]);
		if (json_object_object_length(keys))
			add_step(difference, name, "change", keys);
		else
			json_object_put(keys);
	}
	for (i = 0; prune && i < running->count; i++)
		if (!is_meant(config, running->points[i].name))
			add_step(difference, running->points[i].name, "delete",
				 NULL);
	return difference;
}

static const char *member(struct json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static void print_step(struct json_object *step)
{
	struct json_object *keys = json_object_object_get(step, "keys");
	const char *change = member(step, "change");

	printf("%c %s\n", *change == 'a' ? '+' : *change == 'd' ? '-' : '~',
	       member(step, "name"));
	if (!keys)
		return;
	json_object_object_foreach(keys, key, value)
		printf("    %s: %s -> %s\n", key, member(value, "from"),
		       member(value, "to"));
}

void difference_print(struct json_object *difference)
{
	size_t i;

	for (i = 0; i < json_object_array_length(difference); i++)
		print_step(json_object_array_get_idx(difference, i));
}
