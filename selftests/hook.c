// SPDX-License-Identifier: GPL-2.0
/*
 * The hook on page faults is there while a rescue point is, and then nobody
 * can take it away.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define TRACING		"/sys/kernel/tracing/"
#define FTRACE_ENABLED	"/proc/sys/kernel/ftrace_enabled"

static unsigned char *area;

static long __noipa victim(void)
{
	memset(area, 2, 4 * PAGE_SIZE);
	touch_read(BAD_ADDRESS);
	return 1;
}

static long __noipa other_victim(void)
{
	return 1;
}

static int program(void *arg)
{
	int i;

	area = private_memory(4 * PAGE_SIZE);
	memset(area, 1, 4 * PAGE_SIZE);
	CHECK(other_victim() == 1);
	CHECK(victim() == RESCUED);
	for (i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK(area[i] == 1);
	return 0;
}

static bool is_hooked(void)
{
	return file_has(TRACING "enabled_functions", "handle_mm_fault ");
}

FIXTURE(hook)
{
};

FIXTURE_SETUP(hook)
{
	ASSERT_EQ(0, test_begin_alone());
	ASSERT_EQ(0, access(TRACING "enabled_functions", R_OK));
}

FIXTURE_TEARDOWN(hook)
{
	write_text(FTRACE_ENABLED, "1");
	write_text(TRACING "current_tracer", "nop");
	test_end_alone(_metadata->passed);
}

TEST_F(hook, is_there_with_the_first_and_goes_with_the_last)
{
	struct rescue_point second = { .function = other_victim, .name = "second" };
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_FALSE(is_hooked());
		ASSERT_EQ(0, rescue_point_protect(victim));
		EXPECT_TRUE(is_hooked());
		ASSERT_EQ(0, rescue_point_add(&second));
		EXPECT_EQ(0, child_run(program, NULL));
		ASSERT_EQ(0, rescue_point_delete("test"));
		EXPECT_TRUE(is_hooked());
		ASSERT_EQ(0, rescue_point_delete("second"));
		EXPECT_FALSE(is_hooked());
	}
}

TEST_F(hook, cannot_be_disabled)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-EBUSY, write_text(FTRACE_ENABLED, "0"));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	ASSERT_EQ(0, rescue_points_flush());
	EXPECT_EQ(0, write_text(FTRACE_ENABLED, "0"));
}

TEST_F(hook, is_needed)
{
	ASSERT_EQ(0, write_text(FTRACE_ENABLED, "0"));
	EXPECT_GT(0, rescue_point_protect(victim));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "ftrace_enabled"));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
	EXPECT_EQ(-SIGSEGV, child_run(program, NULL));
	ASSERT_EQ(0, write_text(FTRACE_ENABLED, "1"));
	EXPECT_FALSE(is_hooked());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Somebody traces the same function. */
TEST_F(hook, is_not_alone)
{
	char before[64];

	if (write_text(TRACING "set_ftrace_filter", "handle_mm_fault\n") ||
	    write_text(TRACING "current_tracer", "function"))
		SKIP(return, "no function tracer");
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(0, write_text(TRACING "current_tracer", "nop"));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(0, write_text(TRACING "current_tracer", "function"));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	ASSERT_EQ(0, rescue_points_flush());
	EXPECT_EQ(0, read_text(TRACING "current_tracer", before, sizeof(before)));
	EXPECT_STREQ("function\n", before);
	write_text(TRACING "current_tracer", "nop");
	close(open(TRACING "set_ftrace_filter", O_WRONLY | O_TRUNC));
}

TEST_F(hook, is_not_put_over_a_live_patch)
{
	ASSERT_EQ(0, test_module_load("other_redirection", ""));
	EXPECT_EQ(-EBUSY, rescue_point_protect(victim));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "live patch"));
	EXPECT_NE(0, access(REASSURE_SYSFS "/rescue_points/test", F_OK));
	EXPECT_EQ(-SIGSEGV, child_run(program, NULL));
	ASSERT_EQ(0, test_module_unload("other_redirection"));

	/* Nor the other way round. */
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-EBUSY, test_module_load("other_redirection", ""));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
