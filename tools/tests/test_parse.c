// SPDX-License-Identifier: GPL-2.0
/* The command line. */
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "test.h"

#include "inject.h"
#include "names.h"
#include "parse.h"

static char error[ERROR_SIZE];

#define MASK(signal) (1ULL << ((signal) - 1))

static void test_return(void **state)
{
	static const struct {
		const char *text;
		__s64 value;
	} good[] = {
		{ "0", 0 },
		{ "500", 500 },
		{ "-1", -1 },
		{ "0x10", 16 },
		{ "-0X10", -16 },
		{ "9223372036854775807", LLONG_MAX },
		{ "-9223372036854775808", LLONG_MIN },
		{ "0x7fffffffffffffff", LLONG_MAX },
	};
	static const char *const bad[] = {
		"", " ", "-", "+1", "--1", "0x", "-0x", "0x0x1", "1x", "1 ", " 1",
		"abc", "0xg", "- 1", "1.5", "VOID", "voids",
		"9223372036854775808", "-9223372036854775809",
		"0x8000000000000000", "99999999999999999999999",
	};
	struct add_options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(parse_return(&options, good[i].text, error));
		assert_true(options.has_value);
		assert_true(options.value == good[i].value);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse_return(&options, bad[i], error));
		assert_contains(error, "--return takes");
	}
	assert_true(parse_return(&options, "void", error));
	assert_true(options.has_return);
	assert_false(options.has_value);
}

static void test_offset(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", "0x", "0x0x1", "12q", " 4", "4 ", "ff",
		"0xffffffffffffffff", "18446744073709551616",
	};
	struct add_options options;
	size_t i;

	(void)state;
	assert_true(parse_offset(&options, "4096", error));
	assert_int_equal(options.offset, 4096);
	assert_true(parse_offset(&options, "0x1fF0", error));
	assert_int_equal(options.offset, 0x1ff0);
	assert_true(parse_offset(&options, "0", error));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse_offset(&options, bad[i], error));
		assert_contains(error, "--offset takes");
	}
}

static void test_signals(void **state)
{
	static const char *const bad[] = {
		"", ",", "SEGV,", ",SEGV", "SEGV,,BUS", "SIG", "KILL", "11",
		"SEGVX", "SEG", "SEGV BUS", "SIGSIGSEGV",
	};
	__u64 signals;
	size_t i;

	(void)state;
	assert_true(parse_signals(&signals, "SEGV", error));
	assert_true(signals == MASK(SIGSEGV));
	assert_true(parse_signals(&signals, "sigsegv,Bus,SIGFPE,ill,sigabrt,TRAP,sys",
				  error));
	assert_true(signals == (MASK(SIGSEGV) | MASK(SIGBUS) | MASK(SIGFPE) |
				MASK(SIGILL) | MASK(SIGABRT) | MASK(SIGTRAP) |
				MASK(SIGSYS)));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse_signals(&signals, bad[i], error));
		assert_contains(error, "SEGV, BUS, FPE, ILL, ABRT, TRAP, SYS");
	}
}

static void test_budget(void **state)
{
	static const char *const bad[] = {
		"", "/", "20", "20/", "/60", "0/60", "20/0", "-1/60", "1000001/1",
		"1/315360001", "20/60/1", "20/60s", "many", "Unlimited",
		"111111111111111111111111111111/1",
	};
	struct add_options options = {};
	size_t i;

	(void)state;
	assert_true(parse_budget(&options, "1000000/315360000", error));
	assert_int_equal(options.budget_rescues, 1000000);
	assert_int_equal(options.budget_seconds, 315360000);
	assert_false(options.unlimited);
	assert_true(parse_budget(&options, "unlimited", error));
	assert_true(options.unlimited);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse_budget(&options, bad[i], error));
		assert_contains(error, "--budget");
	}
}

static void test_name(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a b", "a:b", "\303\244",
		"12345678901234567890123456789012345678901234567890123456789012345",
	};
	size_t i;

	(void)state;
	assert_true(parse_name("Az09_.+-", error));
	assert_true(parse_name("...", error));
	assert_true(parse_name("1234567890123456789012345678901234567890123456789012345678901234",
			       error));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse_name(bad[i], error));
		assert_contains(error, "--name takes 1 to 64 characters");
	}
}

static void check_default_name(const char *function, const char *path,
			       __u64 offset, const char *wanted)
{
	char name[REASSURE_NAME_MAX + 1];

	default_name(name, sizeof(name), function, path, offset);
	assert_string_equal(name, wanted);
	assert_true(parse_name(name, error));
}

static void test_default_name(void **state)
{
	(void)state;
	check_default_name("handle_request", "/usr/bin/server", 0x1234,
			   "handle_request");
	check_default_name("_ZN4shop3payEi", "server", 0x1234,
			   "_ZN4shop3payEi");
	check_default_name("realpath@@GLIBC_2.3", "/lib/libc.so.6", 0x10,
			   "realpath");
	check_default_name(NULL, "/usr/bin/server", 0x1234, "server+0x1234");
	check_default_name("shop::pay(int)", "./server", 0xabc,
			   "server+0xabc");
	check_default_name("x234567890123456789012345678901234567890123456789012345678901234",
			   "server", 1,
			   "x234567890123456789012345678901234567890123456789012345678901234");
	check_default_name("x2345678901234567890123456789012345678901234567890123456789012345",
			   "server", 1, "server+0x1");
	check_default_name(NULL, "/a/my server\303\244", 1,
			   "my_server__+0x1");
	/* The end of a long name gives way to the offset. */
	check_default_name(NULL,
			   "12345678901234567890123456789012345678901234567890123456789012345",
			   0xffff,
			   "123456789012345678901234567890123456789012345678901234567+0xffff");
}

static bool add(struct add_options *options, ...)
{
	char *argv[32] = { "add" };
	va_list arguments;
	int argc = 1;

	va_start(arguments, options);
	do
		argv[argc] = va_arg(arguments, char *);
	while (argv[argc++]);
	va_end(arguments);
	return parse_add(options, argc - 1, argv, error);
}

#define ADD(...) add(&options, __VA_ARGS__, NULL)

static void test_add(void **state)
{
	struct add_options options;

	(void)state;
	assert_true(ADD("--exe", "a", "--function", "f", "--return", "-1"));
	assert_string_equal(options.exe, "a");
	assert_string_equal(options.function, "f");
	assert_true(options.value == -1);
	assert_false(options.has_offset || options.has_handled ||
		     options.has_shared || options.has_threads ||
		     options.has_mode || options.unlimited || options.name);
	assert_int_equal(options.exits, EXITS_AUTO);
	assert_false(options.no_landings);
	assert_int_equal(options.signals, 0);
	assert_int_equal(options.budget_rescues, 0);

	assert_true(ADD("--exe=a=b", "--offset=0x10", "--return=void",
			"--name=n", "--signals=SEGV", "--handled=leave",
			"--budget=1/2", "--shared", "restore",
			"--exhausted", "skip", "--deadline=1500",
			"--allow-setuid", "yes", "--watchdog", "250",
			"--escalate=0", "--threads=run", "--mode=observe",
			"--enabled=no", "--cgroup", "/a.slice/b//",
			"--cgroup=/", "--exits=all", "--landings", "none"));
	assert_string_equal(options.exe, "a=b");
	assert_int_equal(options.offset, 16);
	assert_false(options.has_value);
	assert_string_equal(options.name, "n");
	assert_int_equal(options.handled, REASSURE_HANDLED_LEAVE);
	assert_true(options.has_shared);
	assert_int_equal(options.shared, REASSURE_SHARED_RESTORE);
	assert_true(options.has_exhausted);
	assert_int_equal(options.exhausted, REASSURE_EXHAUSTED_SKIP);
	assert_int_equal(options.deadline_ms, 1500);
	assert_int_equal(options.watchdog_ms, 250);
	assert_true(options.has_threads);
	assert_int_equal(options.threads, REASSURE_THREADS_RUN);
	assert_true(options.has_mode);
	assert_int_equal(options.mode, REASSURE_MODE_OBSERVE);
	assert_true(options.has_enabled && !options.enabled);
	assert_int_equal(options.nr_cgroups, 2);
	assert_string_equal(options.cgroups[0], "/a.slice/b");
	assert_string_equal(options.cgroups[1], "/");
	assert_true(options.has_escalate);
	assert_int_equal(options.escalate, 0);
	assert_true(options.has_allow_setuid && options.allow_setuid);
	assert_int_equal(options.exits, EXITS_ALL);
	assert_true(options.no_landings);
	assert_int_equal(options.budget_rescues, 1);
	assert_int_equal(options.budget_seconds, 2);
	assert_true(ADD("--exe=a", "--function=f", "--return=1",
			"--landings=auto", "--threads", "stop"));
	assert_false(options.no_landings);
	assert_true(options.has_threads);
	assert_int_equal(options.threads, REASSURE_THREADS_STOP);
}

static void test_add_errors(void **state)
{
	struct add_options options;

	(void)state;
	assert_false(ADD("--function", "f", "--return", "1"));
	assert_contains(error, "--exe PATH is missing");
	assert_false(ADD("--exe", "a", "--return", "1"));
	assert_contains(error, "--function NAME or --offset N is missing");
	assert_false(ADD("--exe", "a", "--function", "f"));
	assert_contains(error, "--return VALUE|void is missing");
	assert_false(ADD("--exe", "a", "--function", "f", "--offset", "1",
			 "--return", "1"));
	assert_contains(error, "exclude each other");
	assert_false(ADD("--exe", "a", "--function=", "--return", "1"));
	assert_contains(error, "--function takes a name");
	assert_false(ADD("--exe=", "--function", "f", "--return", "1"));
	assert_contains(error, "--exe");
	assert_false(ADD("--exe", "a", "--exe", "a"));
	assert_contains(error, "--exe is given twice");
	assert_false(ADD("--return=1", "--return=1"));
	assert_contains(error, "--return is given twice");
	assert_false(ADD("--exe", "a", "--function"));
	assert_contains(error, "--function needs a value");
	assert_false(ADD("--exec", "a"));
	assert_contains(error, "unknown argument '--exec'");
	assert_false(ADD("--ex", "a"));
	assert_contains(error, "unknown argument '--ex'");
	assert_false(ADD("program"));
	assert_contains(error, "unknown argument 'program'");
	assert_false(ADD("--handled", "maybe"));
	assert_contains(error, "--handled takes rescue or leave");
	assert_false(ADD("--shared", "undo"));
	assert_contains(error,
			"--shared takes refuse, leave or restore, not 'undo'");
	assert_false(ADD("--shared=", "--exe=a"));
	assert_contains(error, "--shared takes");
	assert_false(ADD("--shared=leave", "--shared=leave"));
	assert_contains(error, "--shared is given twice");
	assert_false(ADD("--exhausted", "live"));
	assert_contains(error, "--exhausted takes die or skip, not 'live'");
	assert_false(ADD("--mode", "try"));
	assert_contains(error, "--mode takes rescue or observe, not 'try'");
	assert_false(ADD("--threads", "walk"));
	assert_contains(error, "--threads takes stop or run, not 'walk'");
	assert_false(ADD("--threads="));
	assert_contains(error, "--threads takes stop or run, not ''");
	assert_false(ADD("--exits", "some"));
	assert_contains(error, "--exits takes auto, return or all, not 'some'");
	assert_false(ADD("--landings", "all"));
	assert_contains(error, "--landings takes none or auto, not 'all'");
	assert_false(ADD("--exe=a", "--function=f", "--return=1",
			 "--budget=unlimited", "--exhausted=skip"));
	assert_contains(error, "--exhausted skip needs a --budget");
	assert_false(ADD("--enabled", "off"));
	assert_contains(error, "--enabled takes yes or no, not 'off'");
	assert_false(ADD("--allow-setuid=maybe"));
	assert_contains(error, "--allow-setuid takes yes or no, not 'maybe'");
	assert_false(ADD("--watchdog=0"));
	assert_contains(error, "--watchdog takes 1 to 60000 milliseconds, not '0'");
	assert_false(ADD("--watchdog=60001"));
	assert_false(ADD("--escalate=1000001"));
	assert_contains(error, "--escalate takes 0 to 1000000 rescues, not '1000001'");
	assert_false(ADD("--escalate=-1"));
	assert_false(ADD("--deadline=0"));
	assert_contains(error, "--deadline takes 1 to 86400000 milliseconds or none, not '0'");
	assert_false(ADD("--deadline=86400001"));
	assert_contains(error, "--deadline takes");
	assert_false(ADD("--deadline=-1"));
	assert_contains(error, "--deadline takes");
	assert_false(ADD("--deadline=1s"));
	assert_contains(error, "--deadline takes");
	assert_false(ADD("--name", "a/b"));
	assert_contains(error, "--name takes");
}

static bool set(struct add_options *options, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return parse_set(options, argc, argv, error);
}

#define SET(...) set(&options, (char *[]){ "set", __VA_ARGS__, NULL })

static void test_set(void **state)
{
	struct add_options options;

	(void)state;
	assert_true(SET("f", "--return", "-5", "--signals=SEGV", "--handled",
			"leave", "--shared", "restore", "--budget=2/3",
			"--exhausted", "skip", "--deadline", "7",
			"--threads", "run", "--mode=rescue"));
	assert_string_equal(options.name, "f");
	assert_true(options.has_return && options.has_value &&
		    options.value == -5);
	assert_true(options.signals == MASK(SIGSEGV));
	assert_true(options.has_handled && options.has_shared &&
		    options.has_exhausted && options.has_deadline &&
		    options.has_threads && options.has_mode);
	assert_int_equal(options.mode, REASSURE_MODE_RESCUE);
	assert_int_equal(options.handled, REASSURE_HANDLED_LEAVE);
	assert_int_equal(options.shared, REASSURE_SHARED_RESTORE);
	assert_int_equal(options.exhausted, REASSURE_EXHAUSTED_SKIP);
	assert_int_equal(options.budget_rescues, 2);
	assert_int_equal(options.budget_seconds, 3);
	assert_int_equal(options.deadline_ms, 7);
	assert_int_equal(options.threads, REASSURE_THREADS_RUN);

	assert_true(SET("--", "--f", "--deadline", "none", "--return=void"));
	assert_string_equal(options.name, "--f");
	assert_true(options.has_deadline && !options.deadline_ms);
	assert_true(options.has_return && !options.has_value);
	assert_false(options.signals || options.has_handled ||
		     options.has_shared || options.has_exhausted ||
		     options.has_threads || options.has_mode ||
		     options.unlimited || options.all_cgroups ||
		     options.nr_cgroups || options.budget_rescues);
	assert_true(SET("f", "--cgroup=all"));
	assert_true(options.all_cgroups);
	assert_true(SET("f", "--cgroup=/a", "--cgroup=/.../.b"));
	assert_int_equal(options.nr_cgroups, 2);
	assert_true(SET("f", "--unit=a.service", "--unit", "b.slice"));
	assert_int_equal(options.nr_units, 2);
	assert_string_equal(options.units[1], "b.slice");
	/* Whether the budget is limited only the module knows. */
	assert_true(SET("f", "--exhausted=skip"));
}

static void test_cgroup_errors(void **state)
{
	static const char *const wrong[] = {
		"", "a", "a/b", "//a", "/a//b", "/.", "/a/..", "/../a",
		"/a/./b",
	};
	char *argv[REASSURE_CGROUPS_MAX + 4] = { "set", "f" };
	char path[REASSURE_CGROUP_PATH_MAX + 11];
	struct add_options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_false(SET("f", "--cgroup", (char *)wrong[i]));
		assert_contains(error, "--cgroup takes a path like");
	}
	assert_false(SET("f", "--cgroup=/a", "--cgroup=all"));
	assert_contains(error, "--cgroup all excludes all others");
	assert_false(SET("f", "--unit=a.service", "--cgroup=all"));
	assert_contains(error, "--cgroup all excludes all others");
	assert_false(SET("f", "--unit=a"));
	assert_contains(error, "--unit takes the name of a unit like NAME.service, not 'a'");
	assert_false(SET("f", "--unit", "--a.service"));
	assert_contains(error, "--unit takes");
	assert_false(SET("f", "--unit", "a.slice/b.service"));
	assert_contains(error, "--unit takes");
	memset(path, 'a', sizeof(path));
	memcpy(path, "--cgroup=/", 10);
	path[sizeof(path) - 1] = 0;
	assert_false(SET("f", path));
	assert_contains(error, "at most 1023 characters");
	path[sizeof(path) - 2] = 0;
	for (i = 0; i < REASSURE_CGROUPS_MAX; i++)
		argv[i + 2] = path;
	assert_true(set(&options, argv));
	assert_int_equal(strlen(options.cgroups[15]), REASSURE_CGROUP_PATH_MAX);
	argv[i + 2] = path;
	assert_false(set(&options, argv));
	assert_contains(error, "more than 16");
	argv[i + 2] = "--unit=a.service";
	assert_false(set(&options, argv));
	assert_contains(error, "more than 16");
}

static void test_set_errors(void **state)
{
	struct add_options options;

	(void)state;
	assert_false(set(&options, (char *[]){ "set", NULL }));
	assert_contains(error, "set takes the NAME");
	assert_false(SET("--"));
	assert_contains(error, "set takes the NAME");
	assert_false(SET("--budget", "1/1"));
	assert_contains(error, "set takes the NAME");
	assert_false(SET("a/b", "--budget", "1/1"));
	assert_contains(error, "'a/b' is not the name of a rescue point");
	assert_false(SET("f"));
	assert_contains(error, "nothing to change is given");
	assert_false(SET("f", "--budget"));
	assert_contains(error, "--budget needs a value; see 'reassurectl help set'");
	assert_false(SET("f", "--exe", "a"));
	assert_contains(error, "set: unknown argument '--exe'");
	assert_false(SET("f", "--name", "g"));
	assert_contains(error, "set: unknown argument '--name'");
	assert_false(SET("f", "g", "--budget=1/1"));
	assert_contains(error, "set: unknown argument 'g'");
	assert_false(SET("f", "--budget=1/1", "--budget=1/1"));
	assert_contains(error, "--budget is given twice");
	assert_false(SET("f", "--budget=unlimited", "--exhausted=skip"));
	assert_contains(error, "--exhausted skip needs a --budget");
}

static void test_inject(void **state)
{
	char **most = (char *[]){ "inject", "a", "--every=0x10", "--signal",
				  "sigbus", NULL };
	char **literal = (char *[]){ "inject", "--", "--off", "--off", NULL };
	char **least = (char *[]){ "inject", "a", "--signal=SEGV", "--count",
				   "1000000", NULL };
	struct inject_options options;

	(void)state;
	assert_true(parse_inject(&options, 3, least, error));
	assert_string_equal(options.name, "a");
	assert_int_equal(options.signal, SIGSEGV);
	assert_int_equal(options.count, 1);
	assert_int_equal(options.every, 0);
	assert_true(parse_inject(&options, 5, least, error));
	assert_int_equal(options.count, 1000000);
	assert_true(parse_inject(&options, 5, most, error));
	assert_int_equal(options.signal, SIGBUS);
	assert_int_equal(options.count, 0);
	assert_int_equal(options.every, 16);
	assert_true(parse_inject(&options, 4, literal, error));
	assert_string_equal(options.name, "--off");
	assert_int_equal(options.signal, 0);
	assert_int_equal(options.count, 0);
}

static void test_wrong_inject(void **state)
{
	static const struct {
		char *arguments[8];
		const char *message;
	} wrong[] = {
		{ { "inject" }, "takes the NAME" },
		{ { "inject", "--" }, "takes the NAME" },
		{ { "inject", "--off" }, "takes the NAME" },
		{ { "inject", "a/b", "--off" }, "'a/b'" },
		{ { "inject", "a" }, "--signal SIGNAL is missing" },
		{ { "inject", "a", "--count=1" }, "--signal SIGNAL is missing" },
		{ { "inject", "a", "b" }, "unknown argument 'b'" },
		{ { "inject", "a", "--signals=SEGV" }, "'--signals=SEGV'" },
		{ { "inject", "a", "--sig=SEGV" }, "'--sig=SEGV'" },
		{ { "inject", "a", "--off=1" }, "'--off=1'" },
		{ { "inject", "a", "--signal" }, "--signal needs a value" },
		{ { "inject", "a", "--signal=" }, "not ''" },
		{ { "inject", "a", "--signal=SEGV,BUS" }, "not 'SEGV,BUS'" },
		{ { "inject", "a", "--signal=KILL" }, "not 'KILL'" },
		{ { "inject", "a", "--signal=BUS", "--signal=BUS" },
		  "--signal is given twice" },
		{ { "inject", "a", "--signal=BUS", "--count=0" },
		  "--count takes a number of calls from 1 to 1000000, not '0'" },
		{ { "inject", "a", "--signal=BUS", "--count", "-1" }, "not '-1'" },
		{ { "inject", "a", "--signal=BUS", "--every=1000001" },
		  "--every takes a number of calls from 1 to 1000000" },
		{ { "inject", "a", "--signal=BUS", "--every", "1", "--every=1" },
		  "--every is given twice" },
		{ { "inject", "a", "--signal=BUS", "--every=2", "--count=2" },
		  "--count and --every exclude each other" },
		{ { "inject", "a", "--signal=BUS", "--off" },
		  "--off excludes all others" },
		{ { "inject", "a", "--off", "--every=3" },
		  "--off excludes all others" },
	};
	size_t i;
	int argc;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		for (argc = 0; argc < 8 && wrong[i].arguments[argc]; argc++)
			;
		assert_int_equal(cmd_inject(argc, (char **)wrong[i].arguments),
				 EXIT_USAGE);
		assert_contains(last_message, wrong[i].message);
	}
}

static void test_other_verbs(void **state)
{
	char json[] = "--json";

	(void)state;
	assert_int_equal(cmd_delete(1, (char *[]){ "delete", NULL }), EXIT_USAGE);
	assert_contains(last_message, "NAME of one rescue point, or --all");
	assert_int_equal(cmd_delete(3, (char *[]){ "delete", "a", "b", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_delete(3, (char *[]){ "delete", "--all", "b", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_delete(2, (char *[]){ "delete", "--al", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "unknown option '--al'");
	assert_int_equal(cmd_delete(2, (char *[]){ "delete", "a/b", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_set(2, (char *[]){ "set", "a", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_status(3, (char *[]){ "status", json, "--prometheus", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "--prometheus stands alone");
	assert_int_equal(cmd_status(2, (char *[]){ "status", "--prom", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "'--prom'; see 'reassurectl help status'");
	assert_int_equal(cmd_enable(1, (char *[]){ "enable", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "enable takes the NAMEs");
	assert_int_equal(cmd_disable(2, (char *[]){ "disable", "--", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "disable takes the NAMEs");
	assert_int_equal(cmd_disable(3, (char *[]){ "disable", "a", "--all", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "disable: '--all' is no NAME");
	assert_int_equal(cmd_disable(3, (char *[]){ "disable", "a", "b/c", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message,
			"disable: 'b/c' is not the name of a rescue point");
	assert_int_equal(cmd_refresh(2, (char *[]){ "refresh", "--exe", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "refresh takes the NAME");
	assert_int_equal(cmd_refresh(3, (char *[]){ "refresh", "a", "-e", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "unknown argument '-e'");
	assert_int_equal(cmd_refresh(3, (char *[]){ "refresh", "a", "b", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_refresh(2, (char *[]){ "refresh", "a/b", NULL }),
			 EXIT_USAGE);
	assert_int_equal(cmd_list(2, (char *[]){ "list", "--jsom", NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "list: unknown argument '--jsom'");
	assert_int_equal(cmd_status(3, (char *[]){ "status", json, json, NULL }),
			 EXIT_USAGE);
	assert_contains(last_message, "--json is given twice");
}

/* Runs the tool itself; @output gets both its outputs. */
static int run_tool(const char *arguments, char *output, size_t size)
{
	char command[512];
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "%s 2>&1 %s", getenv("TOOL"),
		 arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(output, 1, size - 1, pipe);
	output[length] = 0;
	return WEXITSTATUS(pclose(pipe));
}

static void test_main(void **state)
{
	char output[8192];

	(void)state;
	assert_int_equal(run_tool("", output, sizeof(output)), EXIT_USAGE);
	assert_contains(output, "a verb is missing");
	assert_int_equal(run_tool("frob", output, sizeof(output)), EXIT_USAGE);
	assert_contains(output, "unknown verb 'frob'");
	assert_int_equal(run_tool("help frob", output, sizeof(output)),
			 EXIT_USAGE);
	assert_int_equal(run_tool("help", output, sizeof(output)), EXIT_OK);
	assert_contains(output, "usage: reassurectl VERB");
	assert_int_equal(run_tool("--help", output, sizeof(output)), EXIT_OK);
	assert_int_equal(run_tool("add --help", output, sizeof(output)),
			 EXIT_OK);
	assert_contains(output, "--budget LIMIT");
	assert_int_equal(run_tool("help delete", output, sizeof(output)),
			 EXIT_OK);
	assert_contains(output, "delete NAME | --all");
	assert_int_equal(run_tool("--version", output, sizeof(output)),
			 EXIT_OK);
	assert_string_equal(output, "reassurectl " REASSURECTL_VERSION "\n");
	assert_int_equal(run_tool("add --exe x", output, sizeof(output)),
			 EXIT_USAGE);
	assert_int_equal(run_tool("help >/dev/full", output, sizeof(output)),
			 EXIT_FAILED);
	assert_contains(output, "cannot write the output: No space left");
}

static void test_add_file_errors(void **state)
{
	char output[8192];

	(void)state;
	assert_int_equal(run_tool("add --exe /nowhere --function f --return 0",
				  output, sizeof(output)), EXIT_FAILED);
	assert_contains(output, "--exe: cannot open /nowhere: No such file");
	assert_int_equal(run_tool("add --exe /dev/null --function f --return 0",
				  output, sizeof(output)), EXIT_FAILED);
	assert_contains(output, "--exe: /dev/null is not a regular file");
	assert_int_equal(run_tool("add --exe Makefile --function f --return 0",
				  output, sizeof(output)), EXIT_FAILED);
	assert_contains(output, "--exe: Makefile is neither an executable");
	assert_int_equal(run_tool("add --exe $SAMPLES/pie --function onli_here --return 0",
				  output, sizeof(output)), EXIT_FAILED);
	assert_contains(output, "--function: ");
	assert_contains(output, "near it are: only_here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_return),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_default_name),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_errors),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_cgroup_errors),
		cmocka_unit_test(test_set_errors),
		cmocka_unit_test(test_inject),
		cmocka_unit_test(test_wrong_inject),
		cmocka_unit_test(test_other_verbs),
		cmocka_unit_test(test_main),
		cmocka_unit_test(test_add_file_errors),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
