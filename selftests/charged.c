// SPDX-License-Identifier: GPL-2.0
/*
 * What a call has kept is the program's memory: it is charged to its memory
 * cgroup, and where that has no more the rescue is lost and nobody is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/cpu.h"
#include "lib/reassure_test.h"

#define CGROUPS		"/sys/fs/cgroup/"
#define CGROUP		CGROUPS "reassure-charged/"

/* So many that what each CPU has not accounted for yet does not matter. */
#define PAGES		2048UL
#define AREA_SIZE	(PAGES * PAGE_SIZE)

/*
 * Entries of the log that share no node of its tree, which has 64 slots and
 * takes more than so many bytes.
 */
#define NODE_PAGES	64
#define NODE_BYTES	512
#define NODES		2048UL
#define SPARSE_SIZE	(NODES * NODE_PAGES * PAGE_SIZE)
#define TABLE_SIZE	(2UL << 20)

static unsigned char *area, *sparse;

static struct {
	uint32_t ready, begin, inside_now, go_on;
} *shared;

static long __noipa victim(void (*inside)(void))
{
	inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

FIXTURE(charged)
{
};

FIXTURE_SETUP(charged)
{
	ASSERT_EQ(0, test_begin());
	shared = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(charged)
{
	test_end(_metadata->passed);
}

static bool make_cgroup(void)
{
	write_text(CGROUPS "cgroup.subtree_control", "+memory");
	return !mkdir(CGROUP, 0755) && !access(CGROUP "memory.stat", R_OK);
}

static bool remove_cgroup(void)
{
	int i;

	/* The process that has ended is on its way out. */
	for (i = 0; i < 1000 && rmdir(CGROUP) && errno == EBUSY; i++)
		usleep(10000);
	return access(CGROUP, F_OK);
}

static void nothing(void)
{
}

static void wait_inside(void)
{
	meet_signal(&shared->inside_now);
	meet_await(&shared->go_on);
}

static void overwrite_and_wait(void)
{
	memory_fill(area, AREA_SIZE, 2);
	wait_inside();
}

static void touch_sparse_and_wait(void)
{
	size_t i;

	for (i = 0; i < SPARSE_SIZE; i += NODE_PAGES * PAGE_SIZE)
		touch_write(sparse + i);
	wait_inside();
}

static int waiting_program(void *inside)
{
	size_t i;

	CHECK(!write_text(CGROUP "cgroup.procs", "0"));
	area = private_memory(AREA_SIZE);
	madvise(area, AREA_SIZE, MADV_NOHUGEPAGE);
	memory_fill(area, AREA_SIZE, 1);
	/* Where there is no page table, one entry is for all of its pages. */
	sparse = private_memory(SPARSE_SIZE);
	madvise(sparse, SPARSE_SIZE, MADV_NOHUGEPAGE);
	for (i = PAGE_SIZE; i < SPARSE_SIZE; i += TABLE_SIZE)
		touch_write(sparse + i);
	CHECK(victim(nothing) == RESCUED);
	meet_signal(&shared->ready);
	meet_await(&shared->begin);
	CHECK(victim(inside) == RESCUED);
	CHECK(memory_holds(area, AREA_SIZE, 1));
	return 0;
}

/* The kernel sums up every two seconds, or sooner. */
static void test_charge(struct __test_metadata *_metadata,
			void (*inside)(void), long least)
{
	long before, grown = 0;
	pid_t child;
	int i;

	if (!make_cgroup())
		SKIP(return, "no memory cgroups");
	EXPECT_EQ(0, rescue_point_protect(victim));
	child = child_start(waiting_program, inside);
	meet_await(&shared->ready);
	usleep(100000);
	before = number_in(CGROUP "memory.stat", "slab");
	EXPECT_LE(0, before);
	meet_signal(&shared->begin);
	meet_await(&shared->inside_now);
	for (i = 0; i < 100 && grown < least; i++) {
		usleep(100000);
		grown = number_in(CGROUP "memory.stat", "slab") - before;
	}
	printf("# charged: %ld\n", grown);
	fflush(stdout);
	EXPECT_LE(least, grown);
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_TRUE(remove_cgroup());
}

TEST_F(charged, old_content)
{
	test_charge(_metadata, overwrite_and_wait, AREA_SIZE);
}

TEST_F(charged, what_did_not_exist)
{
	test_charge(_metadata, touch_sparse_and_wait, NODES * NODE_BYTES);
}

static sigjmp_buf refused_call;

static void on_fault(int sig)
{
	siglongjmp(refused_call, 1);
}

static bool rescued(void (*inside)(void))
{
	if (sigsetjmp(refused_call, 1))
		return false;
	CHECK(victim(inside) == RESCUED);
	return true;
}

static void overwrite(void)
{
	memory_fill(area, AREA_SIZE, 2);
}

static void overwrite_one(void)
{
	memory_fill(area, PAGE_SIZE, 2);
}

/* It gets what it would have got anyway, and what it wrote is there. */
static int crowded_program(void *arg)
{
	char limit[24];

	CHECK(!write_text(CGROUP "cgroup.procs", "0"));
	/* A page that another CPU is about to list would be copied. */
	go_to_cpu(0);
	signal(SIGSEGV, on_fault);
	area = private_memory(AREA_SIZE);
	madvise(area, AREA_SIZE, MADV_NOHUGEPAGE);
	memory_fill(area, AREA_SIZE, 1);
	CHECK(rescued(overwrite_one));
	snprintf(limit, sizeof(limit), "%ld",
		 number_in(CGROUP "memory.current", NULL) + (1L << 20));
	CHECK(!write_text(CGROUP "memory.max", limit));
	CHECK(!rescued(overwrite));
	CHECK(memory_holds(area, AREA_SIZE, 2));
	CHECK(!write_text(CGROUP "memory.max", "max"));
	memory_fill(area, AREA_SIZE, 1);
	CHECK(rescued(overwrite));
	CHECK(memory_holds(area, AREA_SIZE, 1));
	return 0;
}

TEST_F(charged, up_to_the_limit)
{
	if (!make_cgroup())
		SKIP(return, "no memory cgroups");
	EXPECT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(crowded_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MEMORY));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, number_in(CGROUP "memory.events", "oom_kill"));
	EXPECT_TRUE(remove_cgroup());
}

TEST_HARNESS_MAIN
