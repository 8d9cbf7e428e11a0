// SPDX-License-Identifier: GPL-2.0
/* `show`: all there is to know of a rescue point. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "list.h"
#include "names.h"
#include "netlink.h"
#include "output.h"
#include "parse.h"
#include "reassurectl.h"
#include "running.h"
#include "show.h"
#include "state.h"
#include "text.h"

int show_options(int argc, char **argv, struct show_options *options)
{
	/* A name may look like an option. */
	bool literal = false;
	char error[ERROR_SIZE];
	int i;

	memset(options, 0, sizeof(*options));
	options->names = argv + 1;
	for (i = 1; i < argc; i++) {
		if (!literal && !strcmp(argv[i], "--")) {
			literal = true;
		} else if (!literal && (!strcmp(argv[i], "--json") ||
					!strcmp(argv[i], "-j"))) {
			if (options->json)
				return usage_error("show: --json is given twice");
			options->json = true;
		} else if (!literal && !strncmp(argv[i], "--", 2)) {
			return usage_error("show: '%s' is no option; write -- before such a name",
					   argv[i]);
		} else if (!parse_name(argv[i], error)) {
			return usage_error("show: '%s' is not the name of a rescue point",
					   argv[i]);
		} else {
			options->names[options->nr_names++] = argv[i];
		}
	}
	if (!options->nr_names)
		return usage_error("show takes the NAMEs of rescue points; see list");
	return EXIT_OK;
}

struct json_object *show_json(const struct kernel_answer *answer, __u32 off)
{
	struct json_object *object = list_json(answer);
	struct json_object *why = json_object_new_object();
	struct state state;
	size_t i;

	state_of(answer, off, &state);
	for (i = 0; i < state.count; i++)
		json_object_object_add(why, state.reasons[i].name,
				       text_json(state.reasons[i].text));
	json_object_object_add(object, "state", text_json(state.name));
	json_object_object_add(object, "why", why);
	return object;
}

static void print_text(FILE *to, const char *label, const char *text)
{
	fprintf(to, "  %-15s ", label);
	text_print(to, text);
	fputc('\n', to);
}

static void print_number(FILE *to, const char *label, __u64 number)
{
	fprintf(to, "  %-15s %llu\n", label, number);
}

static void print_state(FILE *to, const struct kernel_answer *answer, __u32 off)
{
	struct state state;
	size_t i;

	state_of(answer, off, &state);
	print_text(to, "state", state.name);
	for (i = 0; i < state.count; i++)
		fprintf(to, "  %-15s %s: %s\n", "", state.reasons[i].name,
			state.reasons[i].text);
}

static void print_landings(FILE *to, const struct kernel_answer *answer)
{
	const struct answered_landings *landings = answer->landings;
	int i;

	if (!answer->nr_landings)
		print_text(to, "landings", "none");
	for (i = 0; i < answer->nr_landings; i++, landings++) {
		fprintf(to, "  %-15s %u of %u probed in ", i ? "" : "landings",
			landings->probed, landings->count);
		text_print(to, landings->path ?: "?");
		if (landings->file_state != REASSURE_FILE_CURRENT)
			fprintf(to, ", which was %s; see refresh",
				file_state_names[landings->file_state]);
		fputc('\n', to);
	}
}

static void print_place(FILE *to, const struct kernel_answer *answer)
{
	char build_id[BUILD_ID_TEXT_SIZE];

	build_id_text(answer, build_id);
	print_text(to, "exe", answer->path ?: "?");
	print_text(to, "file", file_state_names[answer->file_state]);
	print_text(to, "build-id", *build_id ? build_id : "none");
	print_text(to, "function", answer->function ?: "none, but an offset");
	fprintf(to, "  %-15s 0x%llx\n", "offset", answer->offset);
	if (answer->exits)
		fprintf(to, "  %-15s %u probed\n", "exits", answer->exits);
	else
		print_text(to, "exits", "by a return probe");
	print_landings(to, answer);
}

/* Each line of one that may be given several times. */
static bool print_setting(FILE *to, const struct known_option *option,
			  const struct add_options *options)
{
	const char *label = option->name + strlen("--");
	char *text = option_text(option, options), *rest = text, *value;

	if (!text)
		return false;
	while ((value = strsep(&rest, "\n"))) {
		print_text(to, label, value);
		label = "";
	}
	free(text);
	return true;
}

static bool print_settings(FILE *to, const struct kernel_answer *answer)
{
	const struct known_option *option;
	struct running running = {};
	bool good;

	running_add(answer, &running);
	good = !running.no_memory;
	for (option = known_options; good && option->name; option++)
		if (option->kind != PLACE_OPTION && option->print)
			good = print_setting(to, option,
					     &running.points->options);
	running_free(&running);
	return good;
}

static void print_all_counters(FILE *to, const struct kernel_answer *answer)
{
	__u64 refused = 0;
	char label[32];
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++)
		print_number(to, counter_names[i], answer->counters[i]);
	for (i = 0; i < REASSURE_REFUSALS; i++)
		refused += answer->refused[i];
	print_number(to, "refused", refused);
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		snprintf(label, sizeof(label), "  %s", refusal_names[i]);
		print_number(to, label, answer->refused[i]);
	}
}

bool show_print(FILE *to, const struct kernel_answer *answer, __u32 off)
{
	text_print(to, answer->name);
	fputc('\n', to);
	print_state(to, answer, off);
	print_place(to, answer);
	if (!print_settings(to, answer))
		return false;
	print_all_counters(to, answer);
	return true;
}

struct showing {
	__u32 off;
	/* NULL for text. */
	struct json_object *array;
	size_t shown;
	int ret;
};

static void note_off(const struct kernel_answer *answer, void *data)
{
	struct showing *showing = data;

	showing->off = answer->off;
}

static void show(const struct kernel_answer *answer, void *data)
{
	struct showing *showing = data;

	if (showing->array) {
		json_object_array_add(showing->array,
				      show_json(answer, showing->off));
	} else {
		if (showing->shown)
			putchar('\n');
		if (!show_print(stdout, answer, showing->off))
			showing->ret = failed("no memory");
	}
	showing->shown++;
}

int cmd_show(int argc, char **argv)
{
	struct show_options options;
	struct showing showing = {};
	int ret = show_options(argc, argv, &options);
	size_t i;

	if (ret)
		return ret;
	if (kernel_status(note_off, &showing))
		return EXIT_FAILED;
	if (options.json)
		showing.array = json_object_new_array();
	for (i = 0; i < options.nr_names; i++)
		if (kernel_get(options.names[i], show, &showing))
			showing.ret = EXIT_FAILED;
	if (showing.array && showing.shown)
		print_json(showing.array);
	json_object_put(showing.array);
	return showing.ret;
}
