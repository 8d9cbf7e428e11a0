// SPDX-License-Identifier: GPL-2.0
/* Reports of faults: to keep them, and to look at those that were kept. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "collect.h"
#include "groups.h"
#include "interruption.h"
#include "journal.h"
#include "monitor.h"
#include "netlink.h"
#include "output.h"
#include "reassurectl.h"
#include "report.h"
#include "saved_event.h"

/* The least that --quota takes, and the most that --files does. */
#define QUOTA_MIN 1048576ull
#define FILES_MAX 100000

static bool parse_positive(const char *text, __u64 most, __u64 *number,
			   char **end)
{
	errno = 0;
	*number = strtoull(text, end, 10);
	return !errno && isdigit((unsigned char)*text) && *number &&
	       *number <= most;
}

static int parse_directory(struct report_options *options, const char *text)
{
	options->directory = text;
	return *text ? EXIT_OK :
		       usage_error("report: --directory needs a path, not ''");
}

static int parse_quota(struct report_options *options, const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	int shift = 0;
	__u64 number;
	char *end;

	if (parse_positive(text, ~0ull, &number, &end)) {
		unit = *end ? strchr(units, *end) : NULL;
		if (unit) {
			shift = 10 * (unit - units + 1);
			end++;
		}
		options->limits.bytes = number << shift;
		if (!*end && options->limits.bytes >> shift == number &&
		    options->limits.bytes >= QUOTA_MIN)
			return EXIT_OK;
	}
	return usage_error("report: --quota takes bytes, at least 1M, like 500M or 2G, not '%s'",
			   text);
}

static int parse_files(struct report_options *options, const char *text)
{
	char *end;

	if (!parse_positive(text, FILES_MAX, &options->limits.files, &end) ||
	    *end)
		return usage_error("report: --files takes a number from 1 to %d, not '%s'",
				   FILES_MAX, text);
	return EXIT_OK;
}

static int parse_count(struct report_options *options, const char *text)
{
	char *end;

	if (!parse_positive(text, ~0ull, &options->count, &end) || *end)
		return usage_error("report: --count takes a number from 1 on, not '%s'",
				   text);
	return EXIT_OK;
}

static int parse_json(struct report_options *options, const char *text)
{
	(void)text;
	options->json = true;
	return EXIT_OK;
}

static int parse_all(struct report_options *options, const char *text)
{
	(void)text;
	options->all = true;
	return EXIT_OK;
}

static const struct option {
	const char *name;
	bool has_value;
	int (*parse)(struct report_options *options, const char *text);
} known[] = {
	{ "--directory", true, parse_directory },
	{ "--quota", true, parse_quota },
	{ "--files", true, parse_files },
	{ "--count", true, parse_count },
	{ "--json", false, parse_json },
	{ "--all", false, parse_all },
};

#define OPTIONS (sizeof(known) / sizeof(*known))

static int collect(const struct reports *reports,
		   const struct report_options *options);
static int list(const struct reports *reports,
		const struct report_options *options);
static int show(const struct reports *reports,
		const struct report_options *options);
static int group(const struct reports *reports,
		 const struct report_options *options);
static int delete(const struct reports *reports,
		  const struct report_options *options);

static const struct action {
	const char *name;
	int (*open)(struct reports *reports, const char *directory);
	int (*run)(const struct reports *reports,
		   const struct report_options *options);
	const char *takes;
	bool takes_ids;
} actions[] = {
	{ "collect", reports_make, collect,
	  "--directory, --quota, --files and --count", false },
	{ "list", reports_open, list, "--directory and --json", false },
	{ "show", reports_open, show, "--directory, --json and IDs", true },
	{ "group", reports_open, group, "--directory and --json", false },
	{ "delete", reports_open, delete, "--directory, --all and IDs", true },
	{}
};

static const struct action *find_action(const char *name)
{
	const struct action *action;

	for (action = actions; action->name; action++)
		if (!strcmp(action->name, name))
			return action;
	return NULL;
}

/* The option of @action that @text is, or begins with before "=". */
static const struct option *find_option(const struct action *action,
					const char *text)
{
	const struct option *option;
	size_t length;

	if (!strcmp(text, "-j"))
		text = "--json";
	for (option = known; option < known + OPTIONS; option++) {
		length = strlen(option->name);
		if (!strncmp(text, option->name, length) &&
		    (!text[length] ||
		     (text[length] == '=' && option->has_value)) &&
		    strstr(action->takes, option->name))
			return option;
	}
	return NULL;
}

static int parse_option(const struct action *action, int argc, char **argv,
			int *i, bool *given, struct report_options *options)
{
	const struct option *option = find_option(action, argv[*i]);
	const char *value;

	if (!option)
		return usage_error("report %s: unknown argument '%s'; it takes %s",
				   action->name, argv[*i], action->takes);
	if (given[option - known])
		return usage_error("report %s: %s is given twice", action->name,
				   option->name);
	given[option - known] = true;
	value = option->has_value ? strchr(argv[*i], '=') : NULL;
	if (value)
		value++;
	else if (option->has_value && *i + 1 < argc)
		value = argv[++*i];
	else if (option->has_value)
		return usage_error("report %s: %s needs a value", action->name,
				   option->name);
	return option->parse(options, value);
}

static int parse_id(const struct action *action, char *text,
		    struct report_options *options)
{
	if (!report_is_id(text))
		return usage_error("report %s: '%s' is no ID; 'report list' shows them",
				   action->name, text);
	options->ids[options->nr_ids++] = text;
	return EXIT_OK;
}

/* What an action cannot do without, or with. */
static int check_ids(const struct action *action,
		     const struct report_options *options)
{
	if (!action->takes_ids || !options->all == !!options->nr_ids)
		return EXIT_OK;
	if (options->all)
		return usage_error("report %s takes either IDs or --all",
				   action->name);
	return usage_error("report %s needs IDs%s; 'report list' shows them",
			   action->name, action->run == delete ?
			   ", or --all" : "");
}

int report_options(int argc, char **argv, struct report_options *options)
{
	const struct action *action = argc > 1 ? find_action(argv[1]) : NULL;
	bool given[OPTIONS] = {};
	int i, ret = EXIT_OK;

	*options = (struct report_options){
		.directory = REPORTS_DIRECTORY,
		.limits.bytes = REPORT_BYTES_DEFAULT,
		.limits.files = REPORT_FILES_DEFAULT,
		/* The IDs are put where the arguments were. */
		.ids = argv + 2,
	};
	if (!action)
		return usage_error("report takes collect, list, show, group or delete, not '%s'",
				   argc > 1 ? argv[1] : "");
	options->action = action->name;
	for (i = 2; i < argc && !ret; i++)
		if (action->takes_ids && *argv[i] != '-')
			ret = parse_id(action, argv[i], options);
		else
			ret = parse_option(action, argc, argv, &i, given,
					   options);
	return ret ?: check_ids(action, options);
}

static int collect(const struct reports *reports,
		   const struct report_options *options)
{
	struct collecting collecting = {
		.reports = *reports,
		.limits = options->limits,
		.journal = JOURNAL_SOCKET,
		.count = options->count,
	};
	int ret;

	interruption_catch();
	ret = kernel_monitor(collect_event, collect_lost, interruption_await,
			     &collecting);
	alarm(0);
	if (ret == -ENODEV)
		return EXIT_NO_MODULE;
	return ret || collecting.gone ? EXIT_FAILED : EXIT_OK;
}

/* False when @object is no report. */
typedef bool (*report_visitor)(const char *id, struct json_object *object,
			       void *data);

/* That it was removed meanwhile is no error where it was not asked for. */
static int visit_report(const struct reports *reports, const char *id,
			bool asked_for, report_visitor visit, void *data)
{
	char error[ERROR_SIZE];
	struct json_object *object = reports_read(reports, id, error);
	bool visited;

	if (!object && !*error)
		return asked_for ?
		       failed("there is no report %s in %s", id, reports->path) :
		       EXIT_OK;
	if (!object)
		return failed("%s/%s.json %s; it is skipped", reports->path, id,
			      error);
	visited = visit(id, object, data);
	json_object_put(object);
	return visited ? EXIT_OK :
	       failed("%s/%s.json is no report that this version knows; it is skipped",
		      reports->path, id);
}

static int visit_all(const struct reports *reports, report_visitor visit,
		     void *data)
{
	struct report_entries entries;
	int ret = EXIT_OK;
	size_t i;

	if (!reports_list(reports, &entries))
		return EXIT_FAILED;
	for (i = 0; i < entries.count; i++)
		if (visit_report(reports, entries.list[i].id, false, visit,
				 data))
			ret = EXIT_FAILED;
	if (entries.foreign)
		ret = EXIT_FAILED;
	report_entries_free(&entries);
	return ret;
}

static void print_report_json(const char *id, struct json_object *object)
{
	json_object_object_add(object, "id", json_object_new_string(id));
	print_json_line(stdout, json_object_get(object));
}

static bool list_one(const char *id, struct json_object *object, void *data)
{
	const struct report_options *options = data;
	struct saved_event saved;

	if (!saved_event_parse(object, &saved))
		return false;
	if (options->json) {
		json_object_object_del(object, "registers");
		json_object_object_del(object, "frames");
		print_report_json(id, object);
		return true;
	}
	printf("%s ", id);
	if (saved.is_lost) {
		monitor_print_lost(stdout, saved.lost);
	} else {
		monitor_print_headline(stdout, &saved.event);
		putchar('\n');
	}
	return true;
}

static int list(const struct reports *reports,
		const struct report_options *options)
{
	return visit_all(reports, list_one, (void *)options);
}

static bool show_one(const char *id, struct json_object *object, void *data)
{
	const struct report_options *options = data;
	struct saved_event saved;

	if (!saved_event_parse(object, &saved))
		return false;
	if (options->json) {
		print_report_json(id, object);
	} else if (saved.is_lost) {
		print_time(stdout, saved.event.time_ns);
		putchar(' ');
		monitor_print_lost(stdout, saved.lost);
	} else {
		monitor_print(stdout, &saved.event, saved.frames, saved.count,
			      saved.failed);
	}
	return true;
}

static int show(const struct reports *reports,
		const struct report_options *options)
{
	int i, ret = EXIT_OK;

	for (i = 0; i < options->nr_ids; i++)
		if (visit_report(reports, options->ids[i], true, show_one,
				 (void *)options))
			ret = EXIT_FAILED;
	return ret;
}

static bool group_one(const char *id, struct json_object *object, void *data)
{
	return groups_add(data, id, object);
}

static int group(const struct reports *reports,
		 const struct report_options *options)
{
	struct groups groups = {};
	int ret = visit_all(reports, group_one, &groups);

	groups_sort(&groups);
	if (options->json)
		print_json_line(stdout, groups_json(&groups));
	else
		groups_print(stdout, &groups);
	groups_free(&groups);
	return ret;
}

static int delete_one(const struct reports *reports, const char *id)
{
	int ret = reports_delete(reports, id);

	return ret ? failed("cannot delete the report %s in %s: %s", id,
			    reports->path, strerror(-ret)) : EXIT_OK;
}

/* Foreign files are not ours to delete. */
static int delete_all(const struct reports *reports)
{
	struct report_entries entries;
	int ret = EXIT_OK;
	size_t i;

	if (!reports_list(reports, &entries))
		return EXIT_FAILED;
	for (i = 0; i < entries.count; i++)
		if (delete_one(reports, entries.list[i].id))
			ret = EXIT_FAILED;
	report_entries_free(&entries);
	return ret;
}

/* All that are named, or none where one is not there. */
static int delete_named(const struct reports *reports,
			const struct report_options *options)
{
	int i, ret = EXIT_OK;

	for (i = 0; i < options->nr_ids; i++)
		if (!reports_have(reports, options->ids[i]))
			ret = failed("there is no report %s in %s; nothing is deleted",
				     options->ids[i], reports->path);
	for (i = 0; !ret && i < options->nr_ids; i++)
		ret = delete_one(reports, options->ids[i]);
	return ret;
}

static int delete(const struct reports *reports,
		  const struct report_options *options)
{
	return options->all ? delete_all(reports) :
			      delete_named(reports, options);
}

int cmd_report(int argc, char **argv)
{
	struct report_options options;
	const struct action *action;
	struct reports reports;
	int ret = report_options(argc, argv, &options);

	if (ret)
		return ret;
	action = find_action(options.action);
	ret = action->open(&reports, options.directory);
	if (ret)
		return ret;
	ret = action->run(&reports, &options);
	reports_close(&reports);
	return ret;
}
