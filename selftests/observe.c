// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points that only observe: all is as for a rescue, but the program gets
 * its signal.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

static struct {
	_Alignas(PAGE_SIZE) volatile long value;
} written;

static const uint32_t rescue = REASSURE_MODE_RESCUE;
static const uint32_t observe = REASSURE_MODE_OBSERVE;

static long __noipa victim(bool faults)
{
	written.value++;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 1;
}

static long __noipa outer(bool faults)
{
	long ret;

	written.value += 100;
	ret = victim(faults);
	return ret == 1 ? 2 : ret;
}

FIXTURE(observe)
{
};

FIXTURE_SETUP(observe)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(observe)
{
	test_end(_metadata->passed);
}

static sigjmp_buf handled;

static void on_fault(int sig)
{
	siglongjmp(handled, 1);
}

/* It sees what the call has written, and goes on as it would have. */
static int handling_program(void *arg)
{
	CHECK(victim(false) == 1);
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	if (!sigsetjmp(handled, 1)) {
		victim(true);
		CHECK(false);
	}
	CHECK(written.value == 2);
	CHECK(victim(false) == 1);
	CHECK(written.value == 3);
	return 0;
}

static int dying_program(void *arg)
{
	victim(true);
	return 1;
}

static struct rescue_point observer(void)
{
	return (struct rescue_point){
		.function = victim,
		.mode = REASSURE_MODE_OBSERVE,
		.budget_rescues = 1,
		.budget_seconds = 3600,
	};
}

TEST_F(observe, lets_faults_be)
{
	struct rescue_point rp = observer();

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(handling_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	/* No budget is spent. */
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(3, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(3, all_refused_since_mark());
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* What would not have been rescued is counted for why not. */
TEST_F(observe, tells_what_could_not_be)
{
	struct rescue_point rp = observer();

	rp.signals = SIGNAL_BIT(SIGILL);
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SIGNAL));
	EXPECT_EQ(1, all_refused_since_mark());
}

static int rescued_program(void *arg)
{
	CHECK(victim(true) == RESCUED);
	CHECK(written.value == 0);
	return 0;
}

TEST_F(observe, until_it_is_set_to_rescue)
{
	struct rescue_point_change change = { .mode = &rescue };
	struct rescue_point rp = observer();

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	change.mode = &observe;
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A spent budget has nothing skipped either. */
static int returning_program(void *arg)
{
	CHECK(victim(false) == 1);
	CHECK(written.value == 1);
	return 0;
}

TEST_F(observe, skips_nothing)
{
	struct rescue_point_change change = { .mode = &observe };
	struct rescue_point rp = observer();

	rp.mode = REASSURE_MODE_RESCUE;
	rp.exhausted = REASSURE_EXHAUSTED_SKIP;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(rescued_program, NULL));
	EXPECT_NE(0, child_run(returning_program, NULL));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_EQ(0, child_run(returning_program, NULL));
}

/* The call around is what it would be without this one. */
static int outer_program(void *arg)
{
	CHECK(outer(true) == RESCUED);
	CHECK(written.value == 0);
	CHECK(outer(false) == 2);
	CHECK(written.value == 101);
	return 0;
}

TEST_F(observe, inside_a_call_that_is_rescued)
{
	struct rescue_point rp = observer();
	struct rescue_point around = { .function = outer, .name = "outer" };

	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, rescue_point_add(&around));
	EXPECT_EQ(0, child_run(outer_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A handler goes on in a call in which a fault was observed. */
static long __noipa handling(int faults)
{
	volatile int i;

	for (i = 0; i < faults; i++)
		if (!sigsetjmp(handled, 1))
			touch_read(BAD_ADDRESS);
	return victim(true);
}

static int going_on_program(void *arg)
{
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	CHECK(handling(3) == RESCUED);
	CHECK(written.value == 0);
	return 0;
}

TEST_F(observe, once_in_a_call_and_those_inside_are_rescued)
{
	struct rescue_point rp = { .function = victim };
	struct rescue_point around = observer();

	around.function = handling;
	around.name = "handling";
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, rescue_point_add(&around));
	EXPECT_EQ(0, child_run(going_on_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A call around that only observes is of no use to those inside. */
static long __noipa repeating(void)
{
	int i;

	for (i = 0; i < 10; i++)
		CHECK(victim(true) == RESCUED);
	return 3;
}

static int repeating_program(void *arg)
{
	CHECK(repeating() == 3);
	CHECK(written.value == 0);
	return 0;
}

TEST_F(observe, and_nothing_is_escalated_to_it)
{
	struct rescue_point rp = { .function = victim };
	struct rescue_point around = observer();

	around.function = repeating;
	around.name = "repeating";
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, rescue_point_add(&around));
	EXPECT_EQ(0, child_run(repeating_program, NULL));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static int dying_inside_program(void *arg)
{
	outer(true);
	return 0;
}

TEST_F(observe, only_the_innermost)
{
	struct rescue_point rp = observer();
	struct rescue_point around = observer();

	around.function = outer;
	around.name = "outer";
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, rescue_point_add(&around));
	EXPECT_EQ(-SIGSEGV, child_run(dying_inside_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* What it waits in is not interrupted for nothing. */
static long __noipa waiting(void)
{
	return poll(NULL, 0, 500);
}

static int waiting_program(void *arg)
{
	CHECK(waiting() == 0);
	return 0;
}

TEST_F(observe, that_a_deadline_has_passed)
{
	struct rescue_point rp = observer();

	rp.function = waiting;
	rp.deadline_ms = 20;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(waiting_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Other threads stand still meanwhile, and go on. */
static long counted;
static bool end;

static void *count(void *arg)
{
	while (!__atomic_load_n(&end, __ATOMIC_SEQ_CST))
		__atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int threaded_program(void *arg)
{
	pthread_t thread;
	long before;
	int i;

	CHECK(!pthread_create(&thread, NULL, count, NULL));
	while (!__atomic_load_n(&counted, __ATOMIC_SEQ_CST))
		;
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	for (i = 0; i < 20; i++) {
		if (!sigsetjmp(handled, 1)) {
			victim(true);
			CHECK(false);
		}
		before = __atomic_load_n(&counted, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&counted, __ATOMIC_SEQ_CST) == before)
			;
	}
	CHECK(written.value == 20);
	__atomic_store_n(&end, true, __ATOMIC_SEQ_CST);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

static void observe_threads(struct __test_metadata *_metadata,
			    unsigned int threads)
{
	struct rescue_point rp = observer();

	/* A look of theirs would be too late. */
	rp.watchdog_ms = 60000;
	rp.threads = threads;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(threaded_program, NULL));
	EXPECT_EQ(20, refused_since_mark(REASSURE_REFUSED_OBSERVED));
	EXPECT_EQ(20, all_refused_since_mark());
}

TEST_F(observe, beside_threads_that_stand_still)
{
	observe_threads(_metadata, REASSURE_THREADS_STOP);
}

TEST_F(observe, beside_threads_that_run)
{
	observe_threads(_metadata, REASSURE_THREADS_RUN);
}

TEST_HARNESS_MAIN
