// SPDX-License-Identifier: GPL-2.0
/* What is shown of one rescue point. */
#include <signal.h>

#include <json-c/json.h>

#include "test.h"

#include "names.h"
#include "netlink.h"
#include "show.h"

static int parse(struct show_options *options, char **arguments)
{
	int argc = 0;

	while (arguments[argc])
		argc++;
	return show_options(argc, arguments, options);
}

static void test_options(void **state)
{
	char **mixed = (char *[]){ "show", "a", "--json", "b", NULL };
	char **odd = (char *[]){ "show", "-j", "-x", "--", "--json", NULL };
	struct show_options options;

	(void)state;
	assert_int_equal(parse(&options, mixed), EXIT_OK);
	assert_true(options.json);
	assert_int_equal(options.nr_names, 2);
	assert_string_equal(options.names[0], "a");
	assert_string_equal(options.names[1], "b");
	assert_int_equal(parse(&options, odd), EXIT_OK);
	assert_true(options.json);
	assert_int_equal(options.nr_names, 2);
	assert_string_equal(options.names[0], "-x");
	assert_string_equal(options.names[1], "--json");
}

static void test_wrong_options(void **state)
{
	static const struct {
		char *arguments[5];
		const char *message;
	} wrong[] = {
		{ { "show" }, "takes the NAMEs" },
		{ { "show", "--json" }, "takes the NAMEs" },
		{ { "show", "--" }, "takes the NAMEs" },
		{ { "show", "a", "--json", "-j" }, "--json is given twice" },
		{ { "show", "--all" }, "'--all' is no option" },
		{ { "show", "a", "b/c" }, "'b/c' is not the name" },
		{ { "show", "a", "" }, "'' is not the name" },
	};
	struct show_options options;
	char *arguments[5];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(arguments, wrong[i].arguments, sizeof(arguments));
		assert_int_equal(parse(&options, arguments), EXIT_USAGE);
		assert_contains(last_message, wrong[i].message);
	}
}

/* Each counter has a number of its own. */
static struct kernel_answer new_answer(void)
{
	struct kernel_answer answer = {
		.name = "handle",
		.path = "/bin/ser\033\xff\nver",
		.function = "shop::pay(int)",
		.offset = 0x63880,
		.build_id = (const __u8 *)"\x01\xab\xff",
		.build_id_size = 3,
		.has_value = true,
		.value = -5,
		.signals = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1),
		.shared = REASSURE_SHARED_LEAVE,
		.deadline_ms = 1500,
		.enabled = true,
		.watchdog_ms = 20,
		.escalate = 3,
		.budget_rescues = 7,
		.budget_seconds = 60,
		.cgroups = { "/a.slice", "/b" },
		.nr_cgroups = 2,
		.landings = {
			{ "/lib/libc.so.6", 6, 5, REASSURE_FILE_CURRENT },
			{ "/lib/libgcc_s.so.1", 3, 3, REASSURE_FILE_REPLACED },
		},
		.nr_landings = 2,
	};
	int i;

	for (i = 0; i < REASSURE_COUNTERS; i++)
		answer.counters[i] = 1000 + i;
	for (i = 0; i < REASSURE_REFUSALS; i++)
		answer.refused[i] = 2000 + i;
	return answer;
}

static char *printed(const struct kernel_answer *answer, __u32 off)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_true(show_print(to, answer, off));
	assert_int_equal(fclose(to), 0);
	return text;
}

static void assert_printed(const struct kernel_answer *answer, __u32 off,
			   const char *part)
{
	char *text = printed(answer, off);

	assert_contains(text, part);
	free(text);
}

static void test_print(void **state)
{
	static const char settings[] =
		"handle\n"
		"  state           active\n"
		"  exe             /bin/ser???ver\n"
		"  file            current\n"
		"  build-id        01abff\n"
		"  function        shop::pay(int)\n"
		"  offset          0x63880\n"
		"  exits           by a return probe\n"
		"  landings        5 of 6 probed in /lib/libc.so.6\n"
		"                  3 of 3 probed in /lib/libgcc_s.so.1, which was replaced; see refresh\n"
		"  return          -5\n"
		"  signals         SEGV,BUS\n"
		"  handled         rescue\n"
		"  shared          leave\n"
		"  budget          7/60\n"
		"  exhausted       die\n"
		"  deadline        1500\n"
		"  threads         stop\n"
		"  watchdog        20\n"
		"  escalate        3\n"
		"  mode            rescue\n"
		"  enabled         yes\n"
		"  allow-setuid    no\n"
		"  cgroup          /a.slice\n"
		"                  /b\n"
		"  checkpoints     1000\n";
	struct kernel_answer answer = new_answer();
	__u64 refused = 0;
	char line[64];
	int i;

	(void)state;
	assert_printed(&answer, REASSURE_OFF_NOT, settings);
	for (i = 0; i < REASSURE_COUNTERS; i++) {
		sprintf(line, "\n  %-15s %llu\n", counter_names[i],
			answer.counters[i]);
		assert_printed(&answer, REASSURE_OFF_NOT, line);
	}
	for (i = 0; i < REASSURE_REFUSALS; i++) {
		refused += answer.refused[i];
		sprintf(line, "\n    %-13s %llu\n", refusal_names[i],
			answer.refused[i]);
		assert_printed(&answer, REASSURE_OFF_NOT, line);
	}
	sprintf(line, "\n  %-15s %llu\n", "refused", refused);
	assert_printed(&answer, REASSURE_OFF_NOT, line);
}

static void test_print_least(void **state)
{
	struct kernel_answer answer = {
		.name = "x",
		.enabled = true,
		.unlimited = true,
		.exits = 4,
	};

	(void)state;
	assert_printed(&answer, REASSURE_OFF_NOT,
		       "  exe             ?\n"
		       "  file            current\n"
		       "  build-id        none\n"
		       "  function        none, but an offset\n"
		       "  offset          0x0\n"
		       "  exits           4 probed\n"
		       "  landings        none\n"
		       "  return          void\n");
	assert_printed(&answer, REASSURE_OFF_NOT,
		       "  budget          unlimited\n");
	assert_printed(&answer, REASSURE_OFF_NOT, "  cgroup          all\n");
}

static void test_state(void **state)
{
	struct kernel_answer answer = new_answer();

	(void)state;
	answer.mode = REASSURE_MODE_OBSERVE;
	assert_printed(&answer, REASSURE_OFF_NOT,
		       "  state           observing\n"
		       "                  observing: no fault is rescued; see set --mode rescue\n"
		       "  exe ");
	answer.file_state = REASSURE_FILE_REWRITTEN;
	assert_printed(&answer, REASSURE_OFF_NOT,
		       "  state           rewritten\n"
		       "                  rewritten: the file was written to; see refresh\n"
		       "                  observing: ");
	answer.enabled = false;
	assert_printed(&answer, REASSURE_OFF_NOT,
		       "  state           disabled\n"
		       "                  disabled: calls are let alone; see enable\n"
		       "                  rewritten: ");
	assert_printed(&answer, REASSURE_OFF_ADMINISTRATOR,
		       "  state           off\n"
		       "                  off: by reassurectl off; reassurectl on\n"
		       "                  disabled: ");
}

static const char *string_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void test_json(void **state)
{
	struct kernel_answer answer = new_answer();
	struct json_object *object, *why;

	(void)state;
	object = show_json(&answer, REASSURE_OFF_NOT);
	assert_string_equal(string_of(object, "state"), "active");
	assert_int_equal(json_object_object_length(json_object_object_get(object, "why")),
			 0);
	assert_string_equal(string_of(object, "name"), "handle");
	assert_string_equal(string_of(object, "exe"),
			    "/bin/ser\033\xef\xbf\xbd\nver");
	assert_string_equal(string_of(object, "build_id"), "01abff");
	assert_string_equal(string_of(object, "pages_saved"), "1004");
	assert_string_equal(string_of(json_object_object_get(object, "refused"),
				      "observed"), "2023");
	json_object_put(object);

	answer.enabled = false;
	answer.file_state = REASSURE_FILE_REPLACED;
	object = show_json(&answer, REASSURE_OFF_ROLLBACK);
	assert_string_equal(string_of(object, "state"), "off");
	why = json_object_object_get(object, "why");
	assert_int_equal(json_object_object_length(why), 3);
	assert_contains(string_of(why, "off"), "a rollback failed half-way");
	assert_contains(string_of(why, "disabled"), "see enable");
	assert_contains(string_of(why, "replaced"), "see refresh");
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_least),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("show", tests, NULL, NULL);
}
