// SPDX-License-Identifier: GPL-2.0
/*
 * The module goes while programs are inside rescue points: they go on
 * without it.  It comes back, and works.
 */
#include <fcntl.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "lib/reassure_test.h"

#define AREA_SIZE	(8 * PAGE_SIZE)

static unsigned char *area;
static uint32_t *inside_now, *go_on;

static long __noipa victim(void (*inside)(void), bool fault)
{
	memset(area, 2, AREA_SIZE);
	if (inside)
		inside();
	if (fault)
		touch_read(BAD_ADDRESS);
	return 5;
}

static bool area_holds(int value)
{
	size_t i;

	for (i = 0; i < AREA_SIZE; i++)
		if (area[i] != value)
			return false;
	return true;
}

FIXTURE(unload)
{
};

FIXTURE_SETUP(unload)
{
	ASSERT_EQ(0, test_begin_alone());
	/* The module's file. */
	ASSERT_NE(NULL, getenv("REASSURE_KO"));
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 16;
	area = private_memory(AREA_SIZE);
	memset(area, 1, AREA_SIZE);
}

FIXTURE_TEARDOWN(unload)
{
	int ret = module_load();

	EXPECT_TRUE(!ret || ret == -EEXIST);
	test_end_alone(_metadata->passed);
}

/* Sleeps in the kernel. */
static void sleep_inside(void)
{
	meet_signal(&inside_now[0]);
	meet_await(go_on);
}

/* Runs, and has page faults. */
static void work_inside(void)
{
	meet_signal(&inside_now[1]);
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE)) {
		memset(area, 2, AREA_SIZE);
		free(malloc(200000));
	}
}

static int inside_program(void *inside)
{
	/* It has been rescued before. */
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(area_holds(1));
	CHECK(victim(inside, false) == 5);
	CHECK(area_holds(2));
	/* The return probes that are left behind do no harm. */
	CHECK(victim(NULL, false) == 5);
	return 0;
}

static int calling_program(void *arg)
{
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE)) {
		memset(area, 1, AREA_SIZE);
		CHECK(victim(NULL, false) == 5);
		CHECK(area_holds(2));
		meet_signal(&inside_now[2]);
	}
	return 0;
}

static int faulting_program(void *arg)
{
	meet_signal(&inside_now[3]);
	for (;;) {
		CHECK(victim(NULL, true) == RESCUED);
		CHECK(area_holds(1));
	}
	return 0;
}

static int faulting_later_program(void *arg)
{
	victim(sleep_inside, true);
	return 0;
}

TEST_F_TIMEOUT(unload, while_programs_are_inside, 60)
{
	pid_t asleep, working, calling, faulting, doomed;
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	doomed = child_start(faulting_later_program, NULL);
	meet_await(&inside_now[0]);
	inside_now[0] = 0;
	asleep = child_start(inside_program, sleep_inside);
	working = child_start(inside_program, work_inside);
	calling = child_start(calling_program, NULL);
	faulting = child_start(faulting_program, NULL);
	for (i = 0; i < 4; i++)
		meet_await(&inside_now[i]);
	usleep(100000);
	ASSERT_EQ(0, module_unload());
	EXPECT_NE(0, access(REASSURE_SYSFS, F_OK));
	/* This one is unprotected now. */
	EXPECT_EQ(-SIGSEGV, child_wait(faulting));
	usleep(100000);
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(asleep));
	EXPECT_EQ(0, child_wait(working));
	EXPECT_EQ(0, child_wait(calling));
	EXPECT_EQ(-SIGSEGV, child_wait(doomed));
}

static int rescued_program(void *arg)
{
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(area_holds(1));
	return 0;
}

TEST_F_TIMEOUT(unload, and_load_again_and_again, 60)
{
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, rescue_point_protect(victim));
		EXPECT_EQ(0, child_run(rescued_program, NULL));
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(-SIGSEGV, child_run(rescued_program, NULL));
		ASSERT_EQ(0, module_load());
		counters_mark();
		EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points", F_OK));
	}
}

/* Protected, unprotected and protected again in one process. */
static int long_lived_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(victim(sleep_inside, true) == RESCUED);
		CHECK(area_holds(1));
		/* The parent changes things, then lets us go on. */
		__atomic_store_n(go_on, 0, __ATOMIC_RELEASE);
		meet_signal(&inside_now[1]);
		meet_await(go_on);
		__atomic_store_n(go_on, 0, __ATOMIC_RELEASE);
	}
	return 0;
}

TEST_F_TIMEOUT(unload, in_the_life_of_one_process, 60)
{
	pid_t child;
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(long_lived_program, NULL);
	for (i = 0; i < 3; i++) {
		meet_await(&inside_now[0]);
		inside_now[0] = 0;
		meet_signal(go_on);
		meet_await(&inside_now[1]);
		inside_now[1] = 0;
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load());
		ASSERT_EQ(0, rescue_point_protect(victim));
		meet_signal(go_on);
	}
	EXPECT_EQ(0, child_wait(child));
}

TEST_HARNESS_MAIN
