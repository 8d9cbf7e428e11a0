// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points that are disabled: programs are as if there were none, and are
 * protected again when they are enabled.
 */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
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
		ASSERT_EQ(0, enable(i % 2 ? &yes : &no));
	__atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, child_wait(children[i]));
	EXPECT_LT(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
