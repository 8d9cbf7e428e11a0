// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes, and processes that make, become or end others while they
 * are inside a rescue point.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/world.h"

#define WORKERS		8
#define ROUNDS		25

static int written = 1;
static struct world world;
/* Outside of what is covered. */
static int *shared;
static uint32_t *inside_now, *go_on;

FIXTURE(processes)
{
};

FIXTURE_SETUP(processes)
{
	ASSERT_EQ(0, test_begin_alone());
	shared = shared_memory(PAGE_SIZE);
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	world_init(&world);
	world_fill(&world, 1);
}

FIXTURE_TEARDOWN(processes)
{
	test_end_alone(_metadata->passed);
}

/* Each worker has faults of its own and values of its own. */
static long __noipa work(unsigned int seed, bool fault)
{
	world_overwrite(&world, seed + 1);
	if (fault)
		touch_read(BAD_ADDRESS);
	return seed;
}

static int worker(void *arg)
{
	unsigned int seed = (unsigned long)arg * 100;
	int i;

	/* The first value comes from the parent. */
	CHECK(work(seed, true) == RESCUED);
	CHECK(!world_wrong(&world, 1));
	for (i = 0; i < ROUNDS; i++) {
		seed++;
		world_fill(&world, seed);
		CHECK(work(seed, true) == RESCUED);
		CHECK(!world_wrong(&world, seed));
	}
	CHECK(work(seed, false) == seed);
	CHECK(!world_overwritten_wrong(&world, seed + 1));
	return 0;
}

TEST_F(processes, prefork)
{
	pid_t workers[WORKERS];
	long i;

	ASSERT_EQ(0, rescue_point_protect(work));
	for (i = 0; i < WORKERS; i++)
		workers[i] = child_start(worker, (void *)i);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(workers[i]));
	EXPECT_EQ(WORKERS * (ROUNDS + 1),
		  events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(WORKERS, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
	EXPECT_EQ(NULL, world_wrong(&world, 1));
}

/* fork() inside: the child is on its own, the parent is still covered. */
static unsigned char *area;

#define AREA_SIZE	(16 * PAGE_SIZE)

static bool area_holds(int value)
{
	return memory_holds(area, AREA_SIZE, value);
}

enum in_child { CHILD_RETURNS, CHILD_FAULTS };

static pid_t forked;

static long __noipa forking_victim(enum in_child in_child, bool fault)
{
	pid_t child;

	memset(area, 2, AREA_SIZE / 2);
	written = 2;
	child = fork();
	if (!child) {
		memset(area, 3, AREA_SIZE);
		if (in_child == CHILD_FAULTS)
			touch_read(BAD_ADDRESS);
		return 3;
	}
	forked = child;
	/* A child that calls it again has the other place. */
	shared[fault] = child;
	/* While the child writes to the same pages. */
	memset(area, 4, AREA_SIZE);
	if (fault)
		touch_read(BAD_ADDRESS);
	return 4;
}

static int forking_program(void *arg)
{
	enum in_child in_child = (unsigned long)arg;
	int i, ended;
	long ret;

	area = private_memory(AREA_SIZE);
	for (i = 0; i < 4; i++) {
		memset(area, 1, AREA_SIZE);
		written = 1;
		ret = forking_victim(in_child, true);
		if (ret == 3) {
			CHECK(area_holds(3));
			_exit(33);
		}
		CHECK(ret == RESCUED);
		CHECK(area_holds(1) && written == 1);
		ended = child_wait(shared[true]);
		CHECK(ended == (in_child == CHILD_FAULTS ? -SIGSEGV : 33));
		/* Without a fault of the parent. */
		ret = forking_victim(CHILD_RETURNS, false);
		if (ret == 3) {
			CHECK(area_holds(3));
			_exit(0);
		}
		CHECK(ret == 4 && area_holds(4) && written == 2);
		CHECK(!child_wait(forked));
	}
	return 0;
}

TEST_F(processes, fork_inside_and_child_returns)
{
	ASSERT_EQ(0, rescue_point_protect(forking_victim));
	EXPECT_EQ(0, child_run(forking_program, (void *)CHILD_RETURNS));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_COMMITS));
}

TEST_F(processes, fork_inside_and_child_faults)
{
	ASSERT_EQ(0, rescue_point_protect(forking_victim));
	EXPECT_EQ(0, child_run(forking_program, (void *)CHILD_FAULTS));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The child of a call is protected from its own next call on. */
static int forking_again_program(void *arg)
{
	long ret;

	area = private_memory(AREA_SIZE);
	memset(area, 1, AREA_SIZE);
	ret = forking_victim(CHILD_RETURNS, false);
	if (ret == 3) {
		CHECK(area_holds(3));
		memset(area, 1, AREA_SIZE);
		written = 1;
		ret = forking_victim(CHILD_FAULTS, true);
		CHECK(ret == RESCUED);
		CHECK(area_holds(1) && written == 1);
		_exit(child_wait(shared[true]) == -SIGSEGV ? 21 : 1);
	}
	CHECK(ret == 4 && area_holds(4));
	return child_wait(forked) == 21 ? 0 : 1;
}

TEST_F(processes, fork_inside_and_child_calls_again)
{
	ASSERT_EQ(0, rescue_point_protect(forking_victim));
	EXPECT_EQ(0, child_run(forking_again_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Other ways to end a call. */
static long __noipa leaving_victim(void (*leave)(void))
{
	written = 2;
	memset(area, 2, AREA_SIZE);
	leave();
	return 5;
}

static int leaving_program(void *leave)
{
	area = private_memory(AREA_SIZE);
	leaving_victim(leave);
	return 6;
}

static void leave_by_exec(void)
{
	execl("/bin/sh", "sh", "-c", "exit 17", NULL);
}

/* The new program faults: it is another one, whatever is at that address. */
static void leave_by_exec_and_fault(void)
{
	execl("/bin/sh", "sh", "-c", "kill -SEGV $$", NULL);
}

static void leave_by_exit(void)
{
	_exit(18);
}

static void wait_inside(void)
{
	meet_signal(inside_now);
	meet_await(go_on);
}

static void wait_and_fault(void)
{
	wait_inside();
	touch_read(BAD_ADDRESS);
}

TEST_F(processes, exec_inside)
{
	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	EXPECT_EQ(17, child_run(leaving_program, leave_by_exec));
	EXPECT_EQ(-SIGSEGV, child_run(leaving_program, leave_by_exec_and_fault));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(processes, exit_inside)
{
	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	EXPECT_EQ(18, child_run(leaving_program, leave_by_exit));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

TEST_F(processes, killed_inside)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	child = child_start(leaving_program, wait_inside);
	meet_await(inside_now);
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

/* Rescue points that come and go. */
static long __noipa simple_victim(void)
{
	written = 2;
	touch_read(BAD_ADDRESS);
	return 1;
}

static int running_program(void *arg)
{
	wait_inside();
	CHECK(simple_victim() == RESCUED);
	CHECK(written == 1);
	CHECK(simple_victim() == RESCUED);
	return 0;
}

TEST_F(processes, that_run_already_are_protected)
{
	pid_t child = child_start(running_program, NULL);

	meet_await(inside_now);
	ASSERT_EQ(0, rescue_point_protect(simple_victim));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(processes, that_are_inside_when_it_is_added_are_not)
{
	pid_t child = child_start(leaving_program, wait_and_fault);

	meet_await(inside_now);
	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(processes, that_are_inside_when_it_is_deleted_die)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	child = child_start(leaving_program, wait_and_fault);
	meet_await(inside_now);
	ASSERT_EQ(0, rescue_point_delete("test"));
	/* Committed when the answer arrives. */
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(processes, that_are_inside_when_it_is_deleted_return)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	child = child_start(leaving_program, wait_inside);
	meet_await(inside_now);
	ASSERT_EQ(0, rescue_point_delete("test"));
	meet_signal(go_on);
	EXPECT_EQ(6, child_wait(child));
}

/* Another one with the same place is another one. */
TEST_F(processes, that_are_inside_when_it_is_replaced_die)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	child = child_start(leaving_program, wait_and_fault);
	meet_await(inside_now);
	ASSERT_EQ(0, rescue_point_delete("test"));
	ASSERT_EQ(0, rescue_point_protect(leaving_victim));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Adding and deleting while calls come and go. */
static int enduring_program(void *arg)
{
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE))
		CHECK(work(5, false) == 5);
	return 0;
}

TEST_F(processes, that_work_while_it_comes_and_goes)
{
	pid_t children[2];
	int i;

	children[0] = child_start(enduring_program, NULL);
	children[1] = child_start(enduring_program, NULL);
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(0, rescue_point_protect(work));
		usleep(30000);
		EXPECT_EQ(0, rescue_point_delete("test"));
	}
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(children[0]));
	EXPECT_EQ(0, child_wait(children[1]));
	EXPECT_EQ(events_since_mark(REASSURE_COUNTER_CHECKPOINTS),
		  events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_LT(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

TEST_HARNESS_MAIN
