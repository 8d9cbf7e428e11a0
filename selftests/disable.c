// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points that are disabled, one by one or all by the module's own switch:
 * programs are as if there were none, and are protected again when they are
 * enabled.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define CALLERS		4

static uint32_t *inside_now, *go_on, *stop;

static const bool yes = true, no;

FIXTURE(disable)
{
};

FIXTURE_SETUP(disable)
{
	ASSERT_EQ(0, test_begin());
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	stop = inside_now + 2;
}

FIXTURE_TEARDOWN(disable)
{
	test_end(_metadata->passed);
}

static int enable(const bool *enabled)
{
	const struct rescue_point_change change = { .enabled = enabled };

	return rescue_point_set("test", &change);
}

static int dying_program(void *arg)
{
	CHECK(victim(NULL, false) == 1);
	victim(NULL, true);
	return 0;
}

static int rescued_program(void *arg)
{
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(written.value == 0);
	return 0;
}

TEST_F(disable, lets_calls_be)
{
	const struct rescue_point rp = {
		.function = victim,
		.disabled = true,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, all_refused_since_mark());
	ASSERT_EQ(0, enable(&yes));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	ASSERT_EQ(0, enable(&no));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

static void wait_inside(void)
{
	meet_signal(inside_now);
	meet_await(go_on);
}

static int faulting_later_program(void *arg)
{
	victim(wait_inside, true);
	return 0;
}

static int returning_later_program(void *arg)
{
	CHECK(victim(wait_inside, false) == 1);
	CHECK(written.value == 1);
	/* The next one is covered again. */
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(written.value == 1);
	return 0;
}

static void disable_inside(struct __test_metadata *_metadata,
			   int (*program)(void *arg), int status)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(program, NULL);
	meet_await(inside_now);
	ASSERT_EQ(0, enable(&no));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_COMMITS, 1));
	ASSERT_EQ(0, enable(&yes));
	meet_signal(go_on);
	EXPECT_EQ(status, child_wait(child));
}

TEST_F(disable, commits_calls_that_are_inside)
{
	disable_inside(_metadata, returning_later_program, 0);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(disable, and_a_fault_in_such_a_call_is_fatal)
{
	disable_inside(_metadata, faulting_later_program, -SIGSEGV);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int returning_program(void *arg)
{
	CHECK(victim(NULL, false) == 1);
	CHECK(written.value == 1);
	return 0;
}

TEST_F(disable, skips_nothing)
{
	const struct rescue_point rp = {
		.function = victim,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
		.budget_rescues = 1,
		.budget_seconds = 1000000,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	EXPECT_NE(0, child_run(returning_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
	ASSERT_EQ(0, enable(&no));
	EXPECT_EQ(0, child_run(returning_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

static sigjmp_buf handled;

static void on_fault(int sig)
{
	siglongjmp(handled, 1);
}

/* Each call is rescued whole, or its handler sees what it has written. */
static int calling_program(void *arg)
{
	long calls, before;

	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	meet_signal(inside_now);
	for (calls = 0; !__atomic_load_n(stop, __ATOMIC_SEQ_CST); calls++) {
		before = written.value;
		if (sigsetjmp(handled, 1)) {
			CHECK(written.value == before + 1);
			continue;
		}
		if (calls % 3) {
			CHECK(victim(NULL, false) == 1);
			CHECK(written.value == before + 1);
		} else {
			CHECK(victim(NULL, true) == RESCUED);
			CHECK(written.value == before);
		}
	}
	return 0;
}

TEST_F(disable, again_and_again_while_programs_call)
{
	pid_t children[CALLERS];
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	for (i = 0; i < CALLERS; i++)
		children[i] = child_start(calling_program, NULL);
	meet_await(inside_now);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, i % 4 < 2 ? enable(i % 2 ? &yes : &no) :
					 module_switch(i % 2));
	__atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, child_wait(children[i]));
	EXPECT_LT(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* What calls unmap, and a rollback puts back. */
static char *area;

FIXTURE(off)
{
};

FIXTURE_SETUP(off)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_TRUE(module_is_off_for("no"));
	area = private_memory(PAGE_SIZE);
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
}

FIXTURE_TEARDOWN(off)
{
	EXPECT_EQ(0, module_switch(true));
	test_end(_metadata->passed);
}

TEST_F(off, protects_nobody)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, module_switch(false));
	EXPECT_STREQ("", rescue_point_error());
	EXPECT_TRUE(module_is_off_for("administrator"));
	EXPECT_FALSE(module_is_enabled());
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, all_refused_since_mark());
	ASSERT_EQ(0, module_switch(true));
	EXPECT_TRUE(module_is_off_for("no"));
	EXPECT_TRUE(module_is_enabled());
	EXPECT_EQ(0, child_run(rescued_program, NULL));
}

TEST_F(off, holds_for_rescue_points_that_come)
{
	ASSERT_EQ(0, module_switch(false));
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "switched off"));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	ASSERT_EQ(0, enable(&yes));
	EXPECT_NE(NULL, strstr(rescue_point_error(), "switched off"));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	ASSERT_EQ(0, module_switch(true));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	ASSERT_EQ(0, enable(&yes));
	EXPECT_STREQ("", rescue_point_error());
}

TEST_F(off, and_those_that_are_disabled_stay_so)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, enable(&no));
	ASSERT_EQ(0, module_switch(false));
	ASSERT_EQ(0, module_switch(true));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

TEST_F(off, lets_calls_go_that_are_inside)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(returning_later_program, NULL);
	meet_await(inside_now);
	ASSERT_EQ(0, module_switch(false));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_COMMITS, 1));
	ASSERT_EQ(0, module_switch(true));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Nor is one around them rescued in their place. */
static int nested_program(void *arg)
{
	CHECK(!returning_program(NULL));
	victim(wait_inside, true);
	return 0;
}

static long __noipa outer_victim(void)
{
	return nested_program(NULL) + 1;
}

static int outer_program(void *arg)
{
	outer_victim();
	return 0;
}

TEST_F(off, lets_calls_in_calls_go)
{
	const struct rescue_point outer = {
		.function = outer_victim,
		.name = "outer",
	};
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&outer));
	child = child_start(outer_program, NULL);
	meet_await(inside_now);
	ASSERT_EQ(0, module_switch(false));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static void unmap(void)
{
	CHECK(!munmap(area, PAGE_SIZE));
}

static void unmap_and_wait(void)
{
	unmap();
	wait_inside();
}

static int unmapping_program(void *arg)
{
	area[0] = 1;
	victim(arg, true);
	return 0;
}

TEST_F(off, by_itself_when_mappings_are_not_put_back)
{
	int log = kernel_log_open();
	char parameters[64], line[1024];

	ASSERT_LE(0, log);
	ASSERT_EQ(0, rescue_point_protect(victim));
	snprintf(parameters, sizeof(parameters), "change=lose address=%lu",
		 (unsigned long)area);
	ASSERT_EQ(0, test_module_load("spoil_rollback", parameters));
	EXPECT_EQ(-SIGSEGV, child_run(unmapping_program, unmap));
	EXPECT_EQ(0, test_module_unload("spoil_rollback"));
	EXPECT_TRUE(module_is_off_for("rollback"));
	EXPECT_TRUE(kernel_log_has(log, "SWITCHED OFF", line, sizeof(line)));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	/* An administrator does not hide it by switching off what is off. */
	ASSERT_EQ(0, module_switch(false));
	EXPECT_TRUE(module_is_off_for("rollback"));
	ASSERT_EQ(0, module_switch(true));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	close(log);
}

#define OVERCOMMIT	"/proc/sys/vm/overcommit_"

/* Its mappings cannot be put back, for which the module can do nothing. */
TEST_F(off, but_not_for_want_of_memory)
{
	char memory[32], ratio[32];
	pid_t child;

	ASSERT_EQ(0, read_text(OVERCOMMIT "memory", memory, sizeof(memory)));
	ASSERT_EQ(0, read_text(OVERCOMMIT "ratio", ratio, sizeof(ratio)));
	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(unmapping_program, unmap_and_wait);
	meet_await(inside_now);
	ASSERT_EQ(0, write_text(OVERCOMMIT "kbytes", "4"));
	ASSERT_EQ(0, write_text(OVERCOMMIT "memory", "2"));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, write_text(OVERCOMMIT "memory", memory));
	EXPECT_EQ(0, write_text(OVERCOMMIT "ratio", ratio));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_TRUE(module_is_off_for("no"));
}

TEST_F(off, from_the_beginning)
{
	ASSERT_EQ(0, rescue_points_flush());
	ASSERT_EQ(0, module_unload());
	EXPECT_GT(0, module_load_with("enabled=perhaps"));
	EXPECT_GT(0, module_load_with("switched_off=no"));
	ASSERT_EQ(0, module_load_with("enabled=0"));
	counters_mark();
	EXPECT_TRUE(module_is_off_for("parameter"));
	EXPECT_FALSE(module_is_enabled());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	ASSERT_EQ(0, module_switch(true));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	ASSERT_EQ(0, rescue_points_flush());
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load());
	counters_mark();
	EXPECT_TRUE(module_is_off_for("no"));
}

TEST_HARNESS_MAIN
