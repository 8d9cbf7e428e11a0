// SPDX-License-Identifier: GPL-2.0
/* The live table: what it shows, and that the terminal is as before. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <json-c/json.h>

#include "test.h"

#include "names.h"
#include "netlink.h"
#include "sample.h"
#include "top.h"

#define INTERVAL_NS 100000000

static int parse(struct top_options *options, char **arguments)
{
	int argc = 0;

	while (arguments[argc])
		argc++;
	return top_options(argc, arguments, options);
}

static void test_options(void **state)
{
	char **none = (char *[]){ "top", NULL };
	char **apart = (char *[]){ "top", "--interval", "0.5", "--count", "3",
				   "--sort", "cost", "-j", NULL };
	char **joined = (char *[]){ "top", "--interval=86400", "--count=1",
				    "--sort=rescues", "--json", NULL };
	struct top_options options;

	(void)state;
	assert_int_equal(parse(&options, none), EXIT_OK);
	assert_false(options.json);
	assert_int_equal(options.interval_ns, 2000000000);
	assert_int_equal(options.count, 0);
	assert_int_equal(options.sort, TOP_SORT_CALLS);
	assert_int_equal(parse(&options, apart), EXIT_OK);
	assert_true(options.json);
	assert_int_equal(options.interval_ns, 500000000);
	assert_int_equal(options.count, 3);
	assert_int_equal(options.sort, TOP_SORT_COST);
	assert_int_equal(parse(&options, joined), EXIT_OK);
	assert_true(options.json);
	assert_true(options.interval_ns == 86400000000000);
	assert_int_equal(options.count, 1);
	assert_int_equal(options.sort, TOP_SORT_RESCUES);
}

static void test_wrong_options(void **state)
{
	static const struct {
		char *argument;
		char *second;
		const char *message;
	} wrong[] = {
		{ "--jsom", NULL, "'--jsom'" },
		{ "handle", NULL, "'handle'" },
		{ "--counter=1", NULL, "'--counter=1'" },
		{ "--json", "-j", "--json is given twice" },
		{ "--count", NULL, "--count needs a value" },
		{ "--count=0", NULL, "not '0'" },
		{ "--count=-1", NULL, "not '-1'" },
		{ "--count=", NULL, "not ''" },
		{ "--count=1x", NULL, "not '1x'" },
		{ "--count=99999999999999999999", NULL, "--count takes" },
		{ "--count=1", "--count=2", "--count is given twice" },
		{ "--interval=0", NULL, "0.1 to 86400 seconds, not '0'" },
		{ "--interval=86401", NULL, "not '86401'" },
		{ "--interval=nan", NULL, "not 'nan'" },
		{ "--interval=1e1", NULL, "not '1e1'" },
		{ "--interval=1.2.3", NULL, "not '1.2.3'" },
		{ "--interval=.", NULL, "not '.'" },
		{ "--interval=", NULL, "not ''" },
		{ "--sort=name", NULL, "calls, cost or rescues, not 'name'" },
		{ "--sort=", NULL, "not ''" },
	};
	struct top_options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char **arguments = (char *[]){ "top", wrong[i].argument,
					       wrong[i].second, NULL };

		assert_int_equal(parse(&options, arguments), EXIT_USAGE);
		assert_contains(last_message, wrong[i].message);
	}
}

/* A rescue point with so many calls, and rescues that save a page each. */
static void add(struct sample *sample, const char *name, __u64 calls,
		__u64 rescues)
{
	struct kernel_answer answer = { .name = name };

	answer.counters[REASSURE_COUNTER_CHECKPOINTS] = calls;
	answer.counters[REASSURE_COUNTER_RESCUES] = rescues;
	answer.counters[REASSURE_COUNTER_PAGES_SAVED] = rescues;
	answer.counters[REASSURE_COUNTER_ROLLBACK_NS] = 1001000 * rescues;
	sample_add(&answer, sample);
}

static void assert_point(const struct sample *sample, size_t at,
			 const char *name, __u64 calls)
{
	assert_true(at < sample->count);
	assert_string_equal(sample->points[at].name, name);
	assert_int_equal(sample->points[at].values[SAMPLED_CALLS], calls);
}

static void test_sample(void **state)
{
	struct kernel_answer answer = { .name = "a" };
	struct sample sample = {};
	const __u64 *values;
	int i;

	(void)state;
	for (i = 0; i < REASSURE_COUNTERS; i++)
		answer.counters[i] = 100 + i;
	for (i = 0; i < REASSURE_REFUSALS; i++)
		answer.refused[i] = 1ull << i;
	sample_add(&answer, &sample);
	values = sample.points[0].values;
	assert_int_equal(values[SAMPLED_CALLS],
			 100 + REASSURE_COUNTER_CHECKPOINTS);
	assert_int_equal(values[SAMPLED_RESCUES],
			 100 + REASSURE_COUNTER_RESCUES);
	assert_int_equal(values[SAMPLED_SKIPPED],
			 100 + REASSURE_COUNTER_SKIPPED);
	assert_int_equal(values[SAMPLED_PAGES_SAVED],
			 100 + REASSURE_COUNTER_PAGES_SAVED);
	assert_int_equal(values[SAMPLED_ROLLBACK_NS],
			 100 + REASSURE_COUNTER_ROLLBACK_NS);
	assert_int_equal(values[SAMPLED_REFUSED],
			 (1ull << REASSURE_REFUSALS) - 1);
	sample_free(&sample);
}

static void test_difference(void **state)
{
	struct sample before = { .time_ns = 100 }, difference;
	struct sample sample = { .time_ns = 350, .off = REASSURE_OFF_PARAMETER };

	(void)state;
	add(&before, "stays", 10, 0);
	add(&before, "deleted", 20, 0);
	add(&before, "anew", 30, 5);
	add(&before, "last", 40, 0);
	add(&sample, "last", 45, 0);
	add(&sample, "stays", 11, 0);
	/* Its name was given to another. */
	add(&sample, "anew", 31, 4);
	add(&sample, "new", 7, 0);
	assert_true(sample_since(&difference, &sample, &before));
	assert_int_equal(difference.time_ns, 250);
	assert_int_equal(difference.off, REASSURE_OFF_PARAMETER);
	assert_int_equal(difference.count, 4);
	assert_point(&difference, 0, "last", 5);
	assert_point(&difference, 1, "stays", 1);
	assert_point(&difference, 2, "anew", 31);
	assert_point(&difference, 3, "new", 7);
	/* It is to be compared with later. */
	assert_point(&sample, 0, "last", 45);
	sample_free(&difference);
	sample_free(&sample);
	sample_free(&before);
}

static void test_sort(void **state)
{
	struct sample sample = {};

	(void)state;
	add(&sample, "rare", 1, 3);
	add(&sample, "b", 9, 0);
	add(&sample, "a", 9, 0);
	add(&sample, "often", 100, 1);
	top_sort(&sample, TOP_SORT_CALLS);
	assert_point(&sample, 0, "often", 100);
	assert_point(&sample, 1, "a", 9);
	assert_point(&sample, 2, "b", 9);
	assert_point(&sample, 3, "rare", 1);
	top_sort(&sample, TOP_SORT_RESCUES);
	assert_point(&sample, 0, "rare", 1);
	assert_point(&sample, 1, "often", 100);
	/* Pages cost more than rollbacks, which are rare. */
	sample.points[3].values[SAMPLED_PAGES_SAVED] = 4;
	top_sort(&sample, TOP_SORT_COST);
	assert_point(&sample, 0, "b", 9);
	assert_point(&sample, 1, "rare", 1);
	assert_point(&sample, 2, "often", 100);
	assert_point(&sample, 3, "a", 9);
	sample_free(&sample);
}

/* How many times the module has been asked. */
static __u64 asked;
static __u32 fake_off;
/* As the module when it is unloaded. */
static __u64 asked_before_failure;

static bool read_fake(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	if (asked_before_failure && asked == asked_before_failure) {
		failed("the reassure module is not loaded");
		return false;
	}
	asked++;
	sample->time_ns = asked * 1500000000;
	sample->off = fake_off;
	add(sample, "quiet", 5, 0);
	add(sample, "busy", 12 * asked, 2 * asked);
	return true;
}

/* What is printed to no terminal. */
static char *run_plain(const struct top_options *options)
{
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	char *text = calloc(1, 8192);
	sigset_t mask;

	assert_non_null(file);
	asked = 0;
	fflush(stdout);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_int_not_equal(dup2(fileno(file), STDOUT_FILENO), -1);
	assert_int_equal(top_run(options, read_fake), EXIT_OK);
	assert_int_not_equal(dup2(saved, STDOUT_FILENO), -1);
	close(saved);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	rewind(file);
	assert_true(fread(text, 1, 8191, file) > 0);
	fclose(file);
	return text;
}

#define BUSY "       12       2       0       0         2       2.002  busy"
#define QUIET "        0       0       0       0         0       0.000  quiet"
#define TABLE \
	"reassure: 2 rescue points in 1.5 s\n" \
	"    CALLS RESCUES REFUSED SKIPPED     PAGES ROLLBACK-MS  NAME\n" \
	BUSY "\n" \
	QUIET "\n"

static void test_plain(void **state)
{
	struct top_options options = { .interval_ns = INTERVAL_NS, .count = 2 };
	char *text;

	(void)state;
	setenv("TERM", "xterm", 1);
	text = run_plain(&options);
	assert_string_equal(text, TABLE "\n" TABLE);
	free(text);
	fake_off = REASSURE_OFF_DIFFERENCE;
	text = run_plain(&options);
	fake_off = REASSURE_OFF_NOT;
	assert_contains(text, " in 1.5 s; SWITCHED OFF, see status\n");
	free(text);
}

static const char *string_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void test_json(void **state)
{
	struct top_options options = {
		.interval_ns = INTERVAL_NS,
		.count = 2,
		.json = true,
	};
	char *text = run_plain(&options), *line, *rest = text;
	struct json_object *object, *points;
	const char *points_text;
	int lines = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		object = json_tokener_parse(line);
		assert_non_null(object);
		assert_string_equal(string_of(object, "interval_ns"),
				    "1500000000");
		assert_true(strtoull(string_of(object, "time_ns"), NULL, 10) >
			    1600000000000000000);
		assert_string_equal(string_of(object, "switched_off"), "no");
		points = json_object_object_get(object, "rescue_points");
		points_text = json_object_to_json_string_ext(points,
							     JSON_C_TO_STRING_PLAIN);
		assert_contains(points_text,
				"[{\"name\":\"busy\",\"calls\":12,\"rescues\":2,\"refused\":0,\"skipped\":0,\"pages_saved\":2,\"rollback_ns\":2002000},{\"name\":\"quiet\"");
		json_object_put(object);
		lines++;
	}
	assert_int_equal(lines, 2);
	free(text);
}

/* In the process that has the terminal: exits with 0 when it is as before. */
static void run_on_terminal(__u64 count, int wanted)
{
	struct top_options options = {
		.interval_ns = INTERVAL_NS,
		.count = count,
	};
	struct termios before, after;
	int ret;

	if (tcgetattr(STDIN_FILENO, &before))
		_exit(10);
	ret = top_run(&options, read_fake);
	if (tcgetattr(STDIN_FILENO, &after))
		_exit(11);
	if (ret != wanted)
		_exit(12);
	if (before.c_lflag != after.c_lflag ||
	    memcmp(before.c_cc, after.c_cc, sizeof(before.c_cc)))
		_exit(13);
	_exit(0);
}

/* Reads what it prints, until @part has come; @text has 64 KiB. */
static void read_until(int terminal, char *text, const char *part)
{
	struct pollfd poll_in = { .fd = terminal, .events = POLLIN };
	size_t used = strlen(text);
	ssize_t size;

	while (!strstr(text, part)) {
		if (poll(&poll_in, 1, 60000) != 1)
			fail_msg("'%s' does not come; '%s'", part, text);
		size = read(terminal, text + used, 65535 - used);
		if (size <= 0)
			fail_msg("'%s' did not come; '%s'", part, text);
		used += size;
		text[used] = 0;
	}
}

/* What is on a terminal of @rows until @keys are pressed; to be freed. */
static char *run_live(int rows, int columns, __u64 count, const char *keys,
		      int wanted)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	struct termios settings;
	char *text = calloc(1, 65536);
	int terminal, status;
	pid_t child;

	asked = 0;
	fflush(stdout);
	child = forkpty(&terminal, NULL, NULL, &size);
	assert_int_not_equal(child, -1);
	if (!child)
		run_on_terminal(count, wanted);
	read_until(terminal, text, "CALLS");
	if (keys) {
		/* No echo, and no line is waited for. */
		assert_int_equal(tcgetattr(terminal, &settings), 0);
		assert_int_equal(settings.c_lflag & (ICANON | ECHO), 0);
		assert_int_equal(write(terminal, keys, strlen(keys)),
				 (ssize_t)strlen(keys));
	}
	/* It may write until it ends. */
	while (waitpid(child, &status, WNOHANG) == 0) {
		struct pollfd poll_in = { .fd = terminal, .events = POLLIN };
		size_t used = strlen(text);

		if (poll(&poll_in, 1, 100) == 1 && used < 65000 &&
		    read(terminal, text + used, 500) < 0)
			assert_int_equal(errno, EIO);
	}
	close(terminal);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return text;
}

static void test_live(void **state)
{
	char *text;

	(void)state;
	asked_before_failure = 0;
	setenv("TERM", "xterm", 1);
	/* Instead of for ever. */
	alarm(120);
	text = run_live(24, 80, 0, "xq", EXIT_OK);
	assert_contains(text, "\033[H\033[2Jreassure: the first figures come in 0.1 s\r\n"
			"\033[Hreassure: 2 rescue points in 1.5 s; q quits\033[K\r\n"
			"    CALLS RESCUES");
	assert_contains(text, "\033[33m" BUSY "\033[m\033[K\r\n"
			QUIET "\033[K\r\n"
			"\033[J");
	free(text);
	free(run_live(24, 80, 0, "\003", EXIT_OK));
	text = run_live(24, 80, 2, NULL, EXIT_OK);
	assert_contains(text, "\033[J\033[Hreassure: 2 rescue points");
	free(text);
	alarm(0);
}

/* Lines are cut off, and what has no room is left out. */
static void test_small(void **state)
{
	char *text;

	(void)state;
	alarm(120);
	text = run_live(4, 20, 1, NULL, EXIT_OK);
	assert_contains(text, "\033[Hreassure: 2 rescue p\033[K\r\n"
			"    CALLS RESCUES RE\033[K\r\n"
			"\033[33m       12       2   \033[m\033[K\r\n"
			"\033[J");
	free(text);
	alarm(0);
}

/* The module is unloaded. */
static void test_failure(void **state)
{
	(void)state;
	asked_before_failure = 3;
	alarm(120);
	free(run_live(24, 80, 0, NULL, EXIT_FAILED));
	alarm(0);
	asked_before_failure = 0;
}

/* A terminal that can do nothing gets tables as a file does. */
static void test_dumb(void **state)
{
	char *text;

	(void)state;
	setenv("TERM", "dumb", 1);
	alarm(120);
	text = run_live(24, 80, 1, NULL, EXIT_OK);
	assert_null(strchr(text, '\033'));
	free(text);
	alarm(0);
	setenv("TERM", "xterm", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_dumb),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
