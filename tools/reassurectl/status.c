// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "names.h"
#include "netlink.h"
#include "output.h"
#include "prometheus.h"
#include "reassurectl.h"
#include "state.h"

static void add_json(const struct kernel_answer *answer, void *data)
{
	struct json_object *object = data;

	json_object_object_add(object, "version", answer->version ?
			       json_object_new_string(answer->version) : NULL);
	json_object_object_add(object, "switched_off",
			       json_object_new_string(off_names[answer->off]));
	json_object_object_add(object, "rescue_points",
			       json_object_new_int64(answer->rescue_points));
	json_object_object_add(object, "events",
			       json_object_new_uint64(answer->events));
	json_object_object_add(object, "events_lost",
			       json_object_new_uint64(answer->events_lost));
	add_counters_json(object, answer);
}

static void print(const struct kernel_answer *answer, void *data)
{
	(void)data;
	printf("reassure %s, %u rescue points\n", answer->version ?: "?",
	       answer->rescue_points);
	if (answer->off)
		printf("  SWITCHED OFF, protects nobody: %s\n",
		       off_reasons[answer->off]);
	print_counters(answer, "  ");
	printf("  %-15s %llu\n  %-15s %llu\n", "events", answer->events,
	       "events_lost", answer->events_lost);
}

static int print_metrics(void)
{
	struct prometheus *metrics = prometheus_new();
	bool read;

	if (!metrics)
		return failed("no memory");
	read = !kernel_status(prometheus_add_status, metrics) &&
	       !kernel_list(prometheus_add_point, metrics);
	/* Of what is not whole nothing is printed. */
	if (!prometheus_print(read ? stdout : NULL, metrics) && read)
		return failed("no memory");
	return read ? EXIT_OK : EXIT_FAILED;
}

int cmd_status(int argc, char **argv)
{
	struct json_object *object;
	bool json;
	int ret, i;

	if (argc == 2 && !strcmp(argv[1], "--prometheus"))
		return print_metrics();
	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--prometheus"))
			return usage_error("status: --prometheus stands alone");
	ret = json_option(argc, argv, &json);
	if (ret)
		return ret;
	if (!json)
		return kernel_status(print, NULL) ? EXIT_FAILED : EXIT_OK;
	object = json_object_new_object();
	ret = kernel_status(add_json, object) ? EXIT_FAILED : EXIT_OK;
	if (!ret)
		print_json(object);
	json_object_put(object);
	return ret;
}
