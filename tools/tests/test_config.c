// SPDX-License-Identifier: GPL-2.0
/* Configuration files. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test.h"

#include "config.h"
#include "difference.h"
#include "place.h"
#include "running.h"

#include <json-c/json.h>

static struct config config;

static int begin(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	return 0;
}

static int end(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

static void read_bytes(const char *text, size_t size)
{
	/* Of its size, for the address sanitizer; the NUL is the reader's. */
	char *copy = malloc(size + 1);

	assert_non_null(copy);
	memcpy(copy, text, size);
	config_read_text(&config, "f", copy, size);
	free(copy);
}

static void read_text(const char *text)
{
	read_bytes(text, strlen(text));
}

#define HEAD "[rescue-point \"a\"]\n"
#define PLACE "Executable = /bin/true\nFunction = main\nReturn = -1\n"

/* The rescue point of a file without a mistake. */
static const struct add_options *good(const char *text)
{
	config_free(&config);
	read_text(text);
	if (config.nr_problems)
		fail_msg("%d: %s in %s", config.problems[0].line,
			 config.problems[0].text, text);
	assert_int_equal(config.nr_points, 1);
	return &config.points[0]->options;
}

/* The only mistake in a file. */
static void bad(const char *text, int line, const char *key, const char *part)
{
	config_free(&config);
	read_text(text);
	if (config.nr_problems != 1)
		fail_msg("%zu problems in %s", config.nr_problems, text);
	assert_contains(config.problems[0].text, part);
	assert_int_equal(config.problems[0].line, line);
	if (key)
		assert_string_equal(config.problems[0].key, key);
	else
		assert_null(config.problems[0].key);
	assert_string_equal(config.problems[0].file, "f");
}

static void test_keys(void **state)
{
	const struct add_options *options;

	(void)state;
	options = good("# all of them\n"
		       "; twice\n"
		       "[rescue-point \"a.b\"]\n"
		       "Executable = /a b\n"
		       "Offset=0x10\n"
		       "BuildId = 00ffA1\n"
		       "Exits = all\n"
		       "Landings = none\n"
		       "Return = void\n"
		       "Signals = SEGV,SIGBUS\n"
		       "Handled = leave\n"
		       "Shared = leave\n"
		       "Budget = 1/2\n"
		       "Exhausted = skip\n"
		       "Deadline = 5\n"
		       "Threads = run\n"
		       "Watchdog = 6\n"
		       "Escalate = 0\n"
		       "Mode = observe\n"
		       "Enabled = no\n"
		       "AllowSetuid = yes\n"
		       "Cgroup = /a,b c\n"
		       "Cgroup = /d/\n");
	assert_string_equal(options->name, "a.b");
	assert_string_equal(options->exe, "/a b");
	assert_null(options->function);
	assert_int_equal(options->offset, 0x10);
	assert_int_equal(options->build_id_size, 3);
	assert_memory_equal(options->build_id, "\0\xff\xa1", 3);
	assert_int_equal(options->exits, EXITS_ALL);
	assert_true(options->no_landings);
	assert_false(options->has_value);
	assert_int_equal(options->signals,
			 1 << (SIGSEGV - 1) | 1 << (SIGBUS - 1));
	assert_int_equal(options->handled, REASSURE_HANDLED_LEAVE);
	assert_int_equal(options->shared, REASSURE_SHARED_LEAVE);
	assert_int_equal(options->budget_rescues, 1);
	assert_int_equal(options->budget_seconds, 2);
	assert_int_equal(options->exhausted, REASSURE_EXHAUSTED_SKIP);
	assert_int_equal(options->deadline_ms, 5);
	assert_int_equal(options->threads, REASSURE_THREADS_RUN);
	assert_int_equal(options->watchdog_ms, 6);
	assert_true(options->has_escalate && !options->escalate);
	assert_int_equal(options->mode, REASSURE_MODE_OBSERVE);
	assert_true(options->has_enabled && !options->enabled);
	assert_true(options->allow_setuid);
	assert_int_equal(options->nr_cgroups, 2);
	assert_string_equal(options->cgroups[0], "/a,b c");
	assert_string_equal(options->cgroups[1], "/d");
}

/*
 * Every option of add is a key, in its letters, but the name, which is in the
 * header, and the unit, which has a cgroup only while it runs.
 */
static void test_all_options_are_keys(void **state)
{
	const struct known_option *option;
	const char *key, *name;

	(void)state;
	for (option = known_options; option->name; option++) {
		assert_true(option - known_options < CONFIG_KEYS_MAX);
		if (!strcmp(option->name, "--name") ||
		    !strcmp(option->name, "--unit")) {
			assert_null(option->key);
			continue;
		}
		name = strcmp(option->name, "--exe") ? option->name + 2 :
						       "executable";
		for (key = option->key; *key; key++, name++) {
			name += *name == '-';
			assert_int_equal(*key | 0x20, *name);
		}
		assert_int_equal(*name, 0);
		assert_non_null(option->print);
	}
}

static void test_forms(void **state)
{
	char name[REASSURE_NAME_MAX + 1], function[3001], text[4096];

	(void)state;
	/* Line ends of other systems, a mark of UTF-8, no end of the last. */
	assert_int_equal(good("\357\273\277[rescue-point \"a\"]\r\n"
			      "Executable = /bin/true\r\n"
			      "Function = f\r\n\r\n"
			      "Return = -1")->value, -1);
	assert_string_equal(config.points[0]->options.exe, "/bin/true");
	/* Space and comments. */
	good("  [ rescue-point\t\"a\" ]  # b\n" PLACE
	     "\t Budget  =   1/2  \t; c\n   # d\n  Mode:observe\n");
	assert_int_equal(config.points[0]->options.budget_seconds, 2);
	assert_int_equal(config.points[0]->options.mode,
			 REASSURE_MODE_OBSERVE);
	/* What is no comment. */
	assert_string_equal(good(HEAD "Executable = /a;b#c = d\nFunction = f\nReturn = 1\n")->exe,
			    "/a;b#c = d");
	/* A name of the greatest length; inih cuts sections off. */
	memset(name, 'n', REASSURE_NAME_MAX);
	name[REASSURE_NAME_MAX] = 0;
	sprintf(text, "[rescue-point \"%s\"]\n" PLACE, name);
	assert_string_equal(good(text)->name, name);
	/* A longer line than it reads unless it is told to. */
	memset(function, 'f', 3000);
	function[3000] = 0;
	sprintf(text, HEAD "Executable = /a\nReturn = 1\nFunction = %s\n",
		function);
	assert_string_equal(good(text)->function, function);
	/* UTF-8. */
	good(HEAD "Executable = /\302\240\303\244\360\237\230\200\nFunction = f\nReturn = 1");
	assert_string_equal(config.points[0]->options.exe,
			    "/\302\240\303\244\360\237\230\200");
	config_free(&config);
	read_text("");
	read_text("\n\n");
	assert_int_equal(config.nr_points, 0);
	assert_int_equal(config.nr_problems, 0);
	assert_int_equal(config.nr_files, 2);
}

static void test_sections(void **state)
{
	(void)state;
	bad("Budget = 1/2\n", 1, NULL, "is in no section");
	bad("\n[cgroup \"a\"]\nBudget = 1/2\n", 2, NULL,
	    "unknown section 'cgroup'");
	bad("[rescue-points \"a\"]\n", 1, NULL, "unknown section");
	bad("[rescue-point]\n", 1, NULL, "a section begins with");
	bad("[]\n", 1, NULL, "a section begins with");
	bad("[\n", 1, NULL, "a section begins with");
	bad("[rescue-point \"a\"\nMode = x\n", 1, NULL, "a section begins with");
	bad("[rescue-point \"a]\n", 1, NULL, "a section begins with");
	bad("[rescue-point a]\n", 1, NULL, "a section begins with");
	bad("[rescue-point \"a\"] Mode = x\n", 1, NULL, "a section begins with");
	bad("[rescue-point \"\"]\n" PLACE, 1, NULL, "the name of a rescue point");
	bad("[rescue-point \"..\"]\n" PLACE, 1, NULL, "the name of a rescue point");
	bad("[rescue-point \"a b\"]\n" PLACE, 1, NULL, "the name of a rescue point");
	bad(HEAD PLACE HEAD PLACE, 5, NULL, "'a' is at f:1 already");
	config_free(&config);
	read_text(HEAD PLACE);
	config_read_text(&config, "g", strdupa(HEAD PLACE), strlen(HEAD PLACE));
	assert_int_equal(config.nr_problems, 1);
	assert_string_equal(config.problems[0].file, "g");
}

static void test_bad_lines(void **state)
{
	(void)state;
	bad(HEAD PLACE "Mode\n", 5, NULL, "KEY = VALUE is expected, not 'Mode'");
	/* No line goes on in the next one. */
	bad(HEAD PLACE "Mode = rescue\n  observe\n", 6, NULL, "KEY = VALUE");
	bad(HEAD PLACE "Mode =\n", 5, "Mode", "the value is missing");
	bad(HEAD PLACE "Mode = ; rescue\n", 5, "Mode", "the value is missing");
	bad(HEAD PLACE "Mode = rescue\n\nMode = rescue\n", 7, "Mode",
	    "is given twice, at line 5 before");
	bad(HEAD PLACE "budget = 1/2\n", 5, NULL,
	    "unknown key 'budget': did you mean Budget?");
	bad(HEAD PLACE "Allow-Setuid = yes\n", 5, NULL, "mean AllowSetuid?");
	bad(HEAD PLACE "Sginals = SEGV\n", 5, NULL, "mean Signals?");
	bad(HEAD PLACE "Name = b\n", 5, NULL, "unknown key 'Name'");
	bad(HEAD PLACE "= b\n", 5, NULL, "unknown key ''");
	bad(HEAD PLACE "Completely = b\n", 5, NULL, "unknown key 'Completely'");
	assert_null(strstr(config.problems[0].text, "did you mean"));
}

static void test_bad_bytes(void **state)
{
	static const char *const texts[] = {
		"Executable = \377", "\200", "\303", "# \303(", "\300\200",
		"\340\200\200", "\355\240\200", "\364\220\200\200", "\370",
		"Mode = \033[1m", "Mode = a\rb", "Mode = \177", "\360\237\230",
		"# \302\200", "Mode = \302\2331m", "\302\237",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		config_free(&config);
		read_text(texts[i]);
		assert_int_equal(config.nr_problems, 1);
		assert_contains(config.problems[0].text, "the byte 0x");
	}
	config_free(&config);
	read_bytes("# a\0b\n", 6);
	assert_int_equal(config.nr_problems, 1);
	assert_contains(config.problems[0].text, "the byte 0x00 has no place");
	/* The lines around it are read. */
	config_free(&config);
	read_text(HEAD "\377\n" PLACE "Mode = x\n");
	assert_int_equal(config.nr_problems, 2);
	assert_int_equal(config.problems[0].line, 2);
	assert_int_equal(config.problems[1].line, 6);
}

static void test_long_lines(void **state)
{
	static char text[CONFIG_LINE_MAX + 100];
	size_t head = strlen(HEAD PLACE "Mode = ");

	(void)state;
	strcpy(text, HEAD PLACE "Mode = ");
	memset(text + head, 'x', CONFIG_LINE_MAX - strlen("Mode = "));
	bad(text, 5, "Mode", "takes rescue or observe");
	text[strlen(text)] = 'x';
	bad(text, 5, NULL, "the line is longer than 8192 bytes");
}

static void test_bad_values(void **state)
{
	(void)state;
	bad(HEAD PLACE "Budget = 1\n", 5, "Budget", "takes N/SECONDS or unlimited");
	bad(HEAD PLACE "Budget = 1/0\n", 5, "Budget", "the period is 1 to");
	bad(HEAD PLACE "Signals = SEGV,HUP\n", 5, "Signals", "'HUP' is none of");
	bad(HEAD PLACE "BuildId = 0\n", 5, "BuildId", "hexadecimal digits");
	bad(HEAD PLACE "BuildId = 0g\n", 5, "BuildId", "hexadecimal digits");
	bad(HEAD PLACE "Enabled = on\n", 5, "Enabled", "takes yes or no");
	bad(HEAD PLACE "Budget = unlimited\nExhausted = skip\n", 6, "Exhausted",
	    "skip needs a Budget of N/SECONDS");
	bad(HEAD PLACE "Shared = restore\n\nThreads = run\n", 5, "Shared",
	    "restore needs Threads stop");
	bad(HEAD PLACE "Offset = 1\n", 5, "Offset", "excludes Function");
	bad(HEAD "Executable = /a\nFunction = f\n", 1, "Return", "is missing");
	bad(HEAD "Executable = /a\nReturn = 1\n", 1, "Function", "is missing");
	bad(HEAD "Function = f\nReturn = 1\n", 1, "Executable", "is missing");
	bad(HEAD "Executable = a\nFunction = f\nReturn = 1\n", 2, "Executable",
	    "takes a path from / on, not 'a'");
	/* All that is wrong is said. */
	config_free(&config);
	read_text(HEAD "Mode = a\nThreads = b\nx = c\n");
	assert_int_equal(config.nr_problems, 6);
}

/* What is printed is read back. */
static void test_texts(void **state)
{
	static const char *const lines[] = {
		"Signals = SEGV,SYS", "Handled = leave", "Shared = restore",
		"Budget = 3/4", "Budget = unlimited", "Deadline = 9",
		"Threads = run", "Watchdog = 8", "Escalate = 0",
		"Mode = observe", "Enabled = no", "AllowSetuid = yes",
		"Exits = return", "Landings = none", "BuildId = 00ff",
	};
	const struct known_option *option;
	char text[256], *value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		sprintf(text, HEAD PLACE "%s\n", lines[i]);
		good(text);
		for (option = known_options; option->name; option++)
			if (option->key &&
			    !strncmp(option->key, lines[i],
				     strcspn(lines[i], " ")))
				break;
		value = option_text(option, &config.points[0]->options);
		assert_string_equal(value, strchr(lines[i], '=') + 2);
		free(value);
	}
}

static void test_defaults(void **state)
{
	struct add_options options = {};
	const struct known_option *option;
	char all[512] = "", *value;

	(void)state;
	fill_defaults(&options);
	for (option = known_options; option->name; option++) {
		if (option->kind != SETTING)
			continue;
		value = option_text(option, &options);
		strcat(strcat(all, value), " ");
		free(value);
	}
	assert_string_equal(all,
			    "void SEGV,BUS,FPE,ILL,ABRT rescue refuse 20/3600 die none stop 20 3 rescue yes no ");
}

/* Files name theirs from / on. */
static void sample_path(char *path, const char *name)
{
	char relative[PATH_MAX];

	snprintf(relative, sizeof(relative), "%s/%s", getenv("SAMPLES"), name);
	assert_non_null(realpath(relative, path));
}

static int compare(const char *path, const char *function, char *error)
{
	char text[2 * PATH_MAX];

	snprintf(text, sizeof(text),
		 HEAD "Executable = %s\nFunction = %s\nReturn = 1\n", path,
		 function);
	config_free(&config);
	read_text(text);
	config_find(&config);
	if (config.nr_problems)
		sprintf(error, "%d %s %s", config.problems[0].line,
			config.problems[0].key, config.problems[0].text);
	return config.nr_problems;
}

/* In the installed file. */
static void test_find(void **state)
{
	char path[PATH_MAX], folder[PATH_MAX], error[ERROR_SIZE];
	char text[4 * PATH_MAX];

	(void)state;
	sample_path(path, "pie");
	sample_path(folder, ".");
	assert_int_equal(compare(path, "main", error), 0);
	assert_true(config.points[0]->found);
	assert_true(config.points[0]->place.offset ==
		    offset_by_nm("pie", "main"));
	assert_int_equal(compare(path, "no_such", error), 1);
	assert_contains(error, "3 Function ");
	assert_int_equal(compare("/none", "main", error), 1);
	assert_contains(error, "2 Executable cannot open /none");
	assert_int_equal(compare(folder, "main", error), 1);
	assert_contains(error, "2 Executable ");
	/* The same place under two names; what is wrong itself is no other. */
	config_free(&config);
	snprintf(text, sizeof(text),
		 HEAD "Executable = %s\nFunction = main\nReturn = 1\nMode = x\n"
		 "[rescue-point \"b\"]\nExecutable = %s\nFunction = main\nReturn = 1\n"
		 "[rescue-point \"c\"]\nExecutable = %s/./pie\nFunction = main\nReturn = 1\n",
		 path, path, folder);
	read_text(text);
	config_find(&config);
	assert_int_equal(config.nr_problems, 2);
	assert_int_equal(config.problems[1].line, 12);
	assert_contains(config.problems[1].text, "'b', at f:6, is at this place");
}

static const char *difference(const struct running *running, bool prune)
{
	static char text[1024];
	struct json_object *array = difference_json(&config, running, prune);

	snprintf(text, sizeof(text), "%s",
		 json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(array);
	return text;
}

static void test_difference(void **state)
{
	struct kernel_answer answer = {
		.name = "b", .path = "/bin/true", .function = "main",
		.has_value = true, .value = -1, .enabled = true,
		.signals = REASSURE_SIGNALS_DEFAULT, .watchdog_ms = 20,
		.escalate = 3, .budget_rescues = 20, .budget_seconds = 3600,
	};
	struct running running = {};
	char path[PATH_MAX], text[2 * PATH_MAX];

	(void)state;
	sample_path(path, "pie");
	snprintf(text, sizeof(text),
		 HEAD "Executable = %s\nFunction = main\nReturn = -1\n"
		 "Landings = none\nExits = return\n", path);
	read_text(text);
	config_find(&config);
	assert_int_equal(config.nr_problems, 0);
	running_add(&answer, &running);
	assert_string_equal(difference(&running, false),
			    "[{\"name\":\"a\",\"change\":\"add\"}]");
	assert_string_equal(difference(&running, true),
			    "[{\"name\":\"a\",\"change\":\"add\"},{\"name\":\"b\",\"change\":\"delete\"}]");
	running_free(&running);
	answer.name = "a";
	answer.path = path;
	answer.offset = offset_by_nm("pie", "main");
	running_add(&answer, &running);
	assert_string_equal(difference(&running, true), "[]");
	running.points[0].options.budget_rescues = 5;
	assert_string_equal(difference(&running, true),
			    "[{\"name\":\"a\",\"change\":\"change\",\"keys\":{\"Budget\":{\"from\":\"5/3600\",\"to\":\"20/3600\"}}}]");
	running.points[0].options.budget_rescues = 20;
	running.points[0].current = false;
	assert_contains(difference(&running, true), "(replaced)");
	running.points[0].current = true;
	running.points[0].nr_exits = 2;
	assert_contains(difference(&running, true), "2 exits");
	running.points[0].nr_exits = 0;
	running.points[0].nr_landings = 1;
	assert_contains(difference(&running, true), "landings in 1 files");
	running_free(&running);
}

/* With --prune nothing would be left. */
static void test_nothing(void **state)
{
	char folder[] = "/tmp/reassure-XXXXXX";

	(void)state;
	read_text("# [rescue-point \"a\"]\n");
	assert_int_equal(config.nr_problems, 0);
	config_need_points(&config, "f");
	assert_int_equal(config.nr_problems, 1);
	assert_contains(config.problems[0].text, "reassurectl delete --all");
	good(HEAD PLACE);
	config_need_points(&config, "f");
	assert_int_equal(config.nr_problems, 0);
	/* A directory of other files. */
	assert_non_null(mkdtemp(folder));
	config_read(&config, folder);
	rmdir(folder);
	assert_int_equal(config.nr_problems, 1);
	assert_string_equal(config.problems[0].file, folder);
	assert_contains(config.problems[0].text, "has no file *.conf");
}

/* Too few descriptors are an error, not fewer landings. */
static void test_too_many_files(void **state)
{
	char path[PATH_MAX], error[ERROR_SIZE];
	struct add_options options = { .exe = path, .function = "main" };
	struct rlimit before, limit;
	struct symbols *symbols;
	struct place place = {};
	size_t wanted, i;
	int failed = 0;
	bool found;

	(void)state;
	sample_path(path, "pie");
	symbols = place_open(&place, path, error);
	assert_non_null(symbols);
	assert_true(place_find(&place, &options, symbols, error));
	wanted = place.nr_landings;
	assert_true(wanted > 1);
	place_close(&place, symbols);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	for (limit.rlim_cur = 3, found = false; !found; limit.rlim_cur++) {
		memset(&place, 0, sizeof(place));
		setrlimit(RLIMIT_NOFILE, &limit);
		symbols = place_open(&place, path, error);
		if (symbols)
			found = place_find(&place, &options, symbols, error);
		setrlimit(RLIMIT_NOFILE, &before);
		if (!symbols)
			continue;
		for (i = 0; found && i < wanted; i++)
			assert_true(place.landings[i].count);
		if (found)
			assert_int_equal(place.nr_landings, wanted);
		else
			assert_contains(error, "--landings: too many files");
		failed += !found;
		place_close(&place, symbols);
	}
	assert_true(failed > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, begin, end),
		cmocka_unit_test(test_all_options_are_keys),
		cmocka_unit_test_setup_teardown(test_forms, begin, end),
		cmocka_unit_test_setup_teardown(test_sections, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_lines, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_bytes, begin, end),
		cmocka_unit_test_setup_teardown(test_long_lines, begin, end),
		cmocka_unit_test_setup_teardown(test_bad_values, begin, end),
		cmocka_unit_test_setup_teardown(test_texts, begin, end),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test_setup_teardown(test_find, begin, end),
		cmocka_unit_test_setup_teardown(test_difference, begin, end),
		cmocka_unit_test_setup_teardown(test_nothing, begin, end),
		cmocka_unit_test(test_too_many_files),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
