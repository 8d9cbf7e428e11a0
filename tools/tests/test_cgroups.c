// SPDX-License-Identifier: GPL-2.0
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "parse.h"
#include "test.h"

static char error[ERROR_SIZE];

/* A systemctl that does what @script says. */
static void let_systemctl(const char *script)
{
	char directory[] = "/tmp/test_cgroups.XXXXXX", path[64];
	FILE *file;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/systemctl", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	setenv("PATH", directory, 1);
}

static void forget_systemctl(void)
{
	const char *directory = getenv("PATH");
	char path[64];

	snprintf(path, sizeof(path), "%s/systemctl", directory);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static bool resolve(struct add_options *options, const char *script)
{
	bool resolved;

	let_systemctl(script);
	resolved = cgroups_resolve(options, error);
	forget_systemctl();
	return resolved;
}

static void test_units(void **state)
{
	struct add_options options = {
		.cgroups = { "/a" },
		.nr_cgroups = 1,
		.units = { "b.service", "c.service" },
		.nr_units = 2,
	};

	(void)state;
	assert_true(resolve(&options,
			    "[ \"$1 $2 $3 $4\" = 'show --property=ControlGroup --value --' ] &&\n"
			    "[ $# = 5 ] && echo /system.slice/$5"));
	assert_int_equal(options.nr_cgroups, 3);
	assert_string_equal(options.cgroups[0], "/a");
	assert_string_equal(options.cgroups[1], "/system.slice/b.service");
	assert_string_equal(options.cgroups[2], "/system.slice/c.service");
}

static void expect_error(const char *script, const char *text)
{
	struct add_options options = {
		.units = { "b.service" },
		.nr_units = 1,
	};

	assert_false(resolve(&options, script));
	if (!strstr(error, text))
		fail_msg("'%s' does not contain '%s'", error, text);
}

static void test_unit_errors(void **state)
{
	struct add_options options = {
		.units = { "b.service" },
		.nr_units = 1,
	};

	(void)state;
	expect_error("echo", "b.service does not run");
	expect_error("", "systemctl does not say");
	expect_error("echo a", "b.service does not run");
	expect_error("echo /a; exit 1", "systemctl does not say");
	expect_error("kill $$", "systemctl does not say");
	/* It is cut off. */
	expect_error("printf '/%02000d\\n' 0", "systemctl does not say");
	setenv("PATH", "/nowhere", 1);
	assert_false(cgroups_resolve(&options, error));
	assert_non_null(strstr(error, "cannot be executed"));
}

static void expect_path(const char *given, const char *path)
{
	struct add_options options = { .nr_cgroups = 1 };

	strcpy(options.cgroups[0], given);
	assert_true(cgroups_resolve(&options, error));
	assert_string_equal(options.cgroups[0], path);
}

/* Those of this machine's mounts the tests of the machines see. */
static void test_paths(void **state)
{
	(void)state;
	expect_path("/", "/");
	expect_path("/a.slice/b.service", "/a.slice/b.service");
	expect_path("/sys/fs/cgroupe", "/sys/fs/cgroupe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_unit_errors),
	};

	return cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
