// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "list.h"
#include "names.h"
#include "netlink.h"
#include "output.h"
#include "reassurectl.h"
#include "state.h"
#include "text.h"

static struct json_object *build_id_json(const struct kernel_answer *answer)
{
	char text[BUILD_ID_TEXT_SIZE];

	build_id_text(answer, text);
	return *text ? json_object_new_string(text) : NULL;
}

static struct json_object *signals_json(__u64 signals)
{
	struct json_object *array = json_object_new_array();
	const struct signal_name *signal;
	struct json_object *name;

	for (signal = signal_names; signal->name; signal++) {
		if (!(signals & 1ULL << (signal->number - 1)))
			continue;
		name = json_object_new_string(signal->name);
		json_object_array_add(array, name);
	}
	return array;
}

static struct json_object *budget_json(const struct kernel_answer *answer)
{
	struct json_object *budget;

	if (answer->unlimited)
		return NULL;
	budget = json_object_new_object();
	json_object_object_add(budget, "rescues",
			       json_object_new_int64(answer->budget_rescues));
	json_object_object_add(budget, "seconds",
			       json_object_new_int64(answer->budget_seconds));
	return budget;
}

static struct json_object *landings_json(const struct kernel_answer *answer)
{
	struct json_object *array = json_object_new_array(), *object;
	const struct answered_landings *landings = answer->landings;
	int i;

	for (i = 0; i < answer->nr_landings; i++, landings++) {
		object = json_object_new_object();
		json_object_object_add(object, "path",
				       text_json(landings->path));
		json_object_object_add(object, "file",
				       text_json(file_state_names[landings->file_state]));
		json_object_object_add(object, "landings",
				       json_object_new_int64(landings->count));
		json_object_object_add(object, "probed",
				       json_object_new_int64(landings->probed));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *cgroups_json(const struct kernel_answer *answer)
{
	struct json_object *array;
	int i;

	if (!answer->nr_cgroups)
		return NULL;
	array = json_object_new_array();
	for (i = 0; i < answer->nr_cgroups; i++)
		json_object_array_add(array, text_json(answer->cgroups[i]));
	return array;
}

static const char *signal_text(__u32 number)
{
	const struct signal_name *signal;

	for (signal = signal_names; signal->name; signal++)
		if ((__u32)signal->number == number)
			return signal->name;
	return "?";
}

static struct json_object *injection_json(const struct kernel_answer *answer)
{
	struct json_object *object;

	if (!answer->inject_signal)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "signal",
			       json_object_new_string(signal_text(answer->inject_signal)));
	json_object_object_add(object, "count", answer->inject_every ? NULL :
			       json_object_new_int64(answer->inject_count));
	json_object_object_add(object, "every", answer->inject_every ?
			       json_object_new_int64(answer->inject_every) : NULL);
	return object;
}

struct json_object *list_json(const struct kernel_answer *answer)
{
	struct json_object *object = json_object_new_object();
	const char *handled = handled_names[answer->handled];

	json_object_object_add(object, "name", text_json(answer->name));
	json_object_object_add(object, "exe", text_json(answer->path));
	json_object_object_add(object, "file",
			       text_json(file_state_names[answer->file_state]));
	json_object_object_add(object, "build_id", build_id_json(answer));
	json_object_object_add(object, "function",
			       text_json(answer->function));
	json_object_object_add(object, "offset",
			       json_object_new_uint64(answer->offset));
	json_object_object_add(object, "return", answer->has_value ?
			       json_object_new_int64(answer->value) : NULL);
	json_object_object_add(object, "signals",
			       signals_json(answer->signals));
	json_object_object_add(object, "handled",
			       text_json(handled));
	json_object_object_add(object, "shared",
			       text_json(shared_names[answer->shared]));
	json_object_object_add(object, "budget", budget_json(answer));
	json_object_object_add(object, "exhausted",
			       text_json(exhausted_names[answer->exhausted]));
	json_object_object_add(object, "allow_setuid",
			       json_object_new_boolean(answer->allow_setuid));
	json_object_object_add(object, "deadline", answer->deadline_ms ?
			       json_object_new_int64(answer->deadline_ms) : NULL);
	json_object_object_add(object, "mode",
			       text_json(mode_names[answer->mode]));
	json_object_object_add(object, "enabled",
			       json_object_new_boolean(answer->enabled));
	json_object_object_add(object, "threads",
			       text_json(threads_names[answer->threads]));
	json_object_object_add(object, "watchdog",
			       json_object_new_int64(answer->watchdog_ms));
	json_object_object_add(object, "escalate",
			       json_object_new_int64(answer->escalate));
	json_object_object_add(object, "cgroups", cgroups_json(answer));
	json_object_object_add(object, "exit_probes",
			       json_object_new_int64(answer->exits));
	json_object_object_add(object, "landings", landings_json(answer));
	json_object_object_add(object, "injection", injection_json(answer));
	add_counters_json(object, answer);
	return object;
}

static void add_json(const struct kernel_answer *answer, void *data)
{
	json_object_array_add(data, list_json(answer));
}

static void print_signals(__u64 signals)
{
	const struct signal_name *signal;
	const char *separator = "";

	for (signal = signal_names; signal->name; signal++) {
		if (!(signals & 1ULL << (signal->number - 1)))
			continue;
		printf("%s%s", separator, signal->name);
		separator = ",";
	}
}

static void print_landings(const struct kernel_answer *answer)
{
	const struct answered_landings *landings = answer->landings;
	__u32 count = 0, probed = 0;
	int i;

	for (i = 0; i < answer->nr_landings; i++) {
		count += landings[i].count;
		probed += landings[i].probed;
	}
	if (!count)
		puts("  landings: none");
	else if (probed < count)
		printf("  landings: %u of %u probed\n", probed, count);
	else
		printf("  landings: %u probed\n", count);
	for (i = 0; i < answer->nr_landings; i++)
		if (landings[i].file_state != REASSURE_FILE_CURRENT) {
			fputs("  landings: ", stdout);
			text_print(stdout, landings[i].path ?: "?");
			printf(" was %s; see refresh\n",
			       file_state_names[landings[i].file_state]);
		}
}

static void print_injection(const struct kernel_answer *answer)
{
	const char *signal = signal_text(answer->inject_signal);

	if (!answer->inject_signal)
		return;
	if (answer->inject_every)
		printf("  injected: %s into 1 of %u calls\n", signal,
		       answer->inject_every);
	else
		printf("  injected: %s into the next %u call%s\n", signal,
		       answer->inject_count,
		       answer->inject_count == 1 ? "" : "s");
}

static void print(const struct kernel_answer *answer, void *data)
{
	int *number = data, i;

	if ((*number)++)
		putchar('\n');
	printf("%s\n  ", answer->name);
	text_print(stdout, answer->path ?: "?");
	if (answer->function) {
		fputs(", ", stdout);
		text_print(stdout, answer->function);
	}
	printf(" at 0x%llx\n", answer->offset);
	if (file_state_notes[answer->file_state])
		printf("  %s: %s\n", file_state_names[answer->file_state],
		       file_state_notes[answer->file_state]);
	fputs("  returns ", stdout);
	if (answer->has_value)
		printf("%lld", answer->value);
	else
		printf("nothing (void)");
	printf("; signals ");
	print_signals(answer->signals);
	printf("; handled: %s; shared: %s; threads: %s; ",
	       handled_names[answer->handled], shared_names[answer->shared],
	       threads_names[answer->threads]);
	if (!answer->enabled)
		printf("disabled; ");
	if (answer->mode == REASSURE_MODE_OBSERVE)
		printf("only observed; ");
	if (answer->allow_setuid)
		printf("setuid programs too; ");
	if (answer->deadline_ms)
		printf("deadline %u ms; ", answer->deadline_ms);
	printf("watchdog %u ms; escalate after %u; ", answer->watchdog_ms,
	       answer->escalate);
	if (answer->exits)
		printf("%u exit%s probed; ", answer->exits,
		       answer->exits == 1 ? "" : "s");
	printf("budget ");
	if (answer->unlimited)
		printf("unlimited\n");
	else
		printf("%u rescues in %u seconds, then %s\n",
		       answer->budget_rescues, answer->budget_seconds,
		       exhausted_names[answer->exhausted]);
	for (i = 0; i < answer->nr_cgroups; i++) {
		fputs("  only in cgroup ", stdout);
		text_print(stdout, answer->cgroups[i]);
		putchar('\n');
	}
	print_landings(answer);
	print_injection(answer);
	print_counters(answer, "  ");
}

static void warn_if_off(const struct kernel_answer *answer, void *data)
{
	(void)data;
	if (answer->off)
		failed("warning: the module is switched off: see reassurectl status");
}

/* And what is to be said beside it. */
static int list(answer_visitor visit, void *data)
{
	if (kernel_list(visit, data) || kernel_status(warn_if_off, NULL))
		return EXIT_FAILED;
	return EXIT_OK;
}

int cmd_list(int argc, char **argv)
{
	struct json_object *array;
	int ret, number = 0;
	bool json;

	ret = json_option(argc, argv, &json);
	if (ret)
		return ret;
	if (!json) {
		ret = list(print, &number);
		if (ret)
			return ret;
		if (!number)
			puts("There are no rescue points.");
		return EXIT_OK;
	}
	array = json_object_new_array();
	ret = list(add_json, array);
	if (!ret)
		print_json(array);
	json_object_put(array);
	return ret;
}
