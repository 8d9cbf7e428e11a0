// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that others move, merge, take away, bring back or write to while
 * calls come and go, and what the kernel writes on its own account.  Nothing
 * is lost: a call is rescued whole, or is refused and leaves what it wrote.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/cpu.h"
#include "lib/reassure_test.h"
#include "lib/swap.h"

#define HUGE_SIZE	(2UL << 20)
#define HUGE_PAGES	(HUGE_SIZE / PAGE_SIZE)

#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define KHUGEPAGED	THP "khugepaged/"
#define KSM		"/sys/kernel/mm/ksm/"
#define BALANCING	"/sys/kernel/debug/sched/numa_balancing/"
#define NODES		"/sys/devices/system/node/"
#define CGROUP		"/sys/fs/cgroup/"
#define CROWDED		CGROUP "reassure-writers/"

/* Since Linux 6.1, and what the headers of older ones lack. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

/* What a call is about, and what is meant to outlive it. */
static struct {
	uint32_t ready, inside_now, go_on, stop;
	unsigned char *area;
	pid_t pid;
	unsigned long rescued, refused;
	unsigned int expected[2 * HUGE_PAGES];
	unsigned int written[2 * HUGE_PAGES];
} *shared;

static long __noipa victim(void (*inside)(void *arg), void *arg)
{
	inside(arg);
	touch_read(BAD_ADDRESS);
	return 1;
}

static sigjmp_buf refused_call;

static void on_fault(int sig)
{
	siglongjmp(refused_call, 1);
}

/*
 * Whether the call was rescued; otherwise it got the signal that it would
 * have got anyway, and what it wrote is to be there.
 */
static bool rescued(void (*inside)(void *arg), void *arg)
{
	signal(SIGSEGV, on_fault);
	if (sigsetjmp(refused_call, 1)) {
		shared->refused++;
		return false;
	}
	CHECK(victim(inside, arg) == RESCUED);
	shared->rescued++;
	return true;
}

static void nothing(void *arg)
{
}

static void overwrite_two(void *arg)
{
	memory_fill(arg, 2 * PAGE_SIZE, 9);
}

static void wait_inside(void)
{
	meet_signal(&shared->inside_now);
	meet_await(&shared->go_on);
}

static bool short_run(void)
{
	return is_debug_kernel() || getenv("REASSURE_SHORT");
}

FIXTURE(writers)
{
};

FIXTURE_SETUP(writers)
{
	counters_mark();
	shared = shared_memory(sizeof(*shared));
}

FIXTURE_TEARDOWN(writers)
{
	munmap(shared, sizeof(*shared));
	test_tell(_metadata->passed);
}

/*
 * Endurance: a process writes to pages between its calls and inside of them,
 * every call faults, and another disturbs the pages all the while.
 */
#define ENDURING_PAGES	256

static unsigned int pick(unsigned int below)
{
	return rand() % below;
}

static volatile unsigned int *first_word(unsigned int page)
{
	return (unsigned int *)(shared->area + page * PAGE_SIZE);
}

static volatile unsigned int *last_word(unsigned int page)
{
	return first_word(page + 1) - 1;
}

static void write_page(unsigned int page, unsigned int value)
{
	*first_word(page) = value;
	*last_word(page) = value;
}

static void check_pages(void)
{
	unsigned int i;

	for (i = 0; i < ENDURING_PAGES; i++) {
		CHECK(*first_word(i) == shared->expected[i]);
		CHECK(*last_word(i) == shared->expected[i]);
	}
}

/* How long a call goes on after its writes. */
static unsigned int linger_us;

/* Sometimes later, and sometimes after reading, which changes nothing. */
static void write_some_pages(void *arg)
{
	unsigned int round = (unsigned long)arg;
	unsigned int i;

	if (round % 4)
		usleep(round % 4 * 1000);
	if (round % 3 == 1)
		for (i = 0; i < ENDURING_PAGES; i++)
			(void)*last_word(i);
	for (i = round % 5; i < ENDURING_PAGES; i += 1 + round % 3) {
		write_page(i, round | 0x80000000);
		shared->written[i] = round | 0x80000000;
	}
	if (linger_us)
		usleep(linger_us);
}

static int enduring_program(void *before_round)
{
	void (*before)(void) = before_round;
	unsigned int round, i;

	shared->area = private_memory(ENDURING_PAGES * PAGE_SIZE);
	madvise(shared->area, ENDURING_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	shared->pid = getpid();
	srand(1);
	meet_signal(&shared->ready);
	for (round = 1; !__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE);
	     round++) {
		if (before)
			before();
		for (i = 0; i < ENDURING_PAGES; i++)
			if (pick(4)) {
				write_page(i, round);
				shared->expected[i] = round;
			}
		memset(shared->written, 0, sizeof(shared->written));
		if (!rescued(write_some_pages, (void *)(unsigned long)round))
			for (i = 0; i < ENDURING_PAGES; i++)
				if (shared->written[i])
					shared->expected[i] = shared->written[i];
		check_pages();
	}
	return 0;
}

/* As child_wait(), but it stays to be waited for. */
static bool has_ended(pid_t child)
{
	siginfo_t info = {};

	return !waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid;
}

static unsigned int endurance_ms(void)
{
	return short_run() ? 1500 : 3000;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* A number that the kernel counts, as in /proc/vmstat. */
static long statistic(const char *name)
{
	return number_in("/proc/vmstat", name);
}

/*
 * Ends with the status of the program that is disturbed; not before a number
 * of the kernel's has grown by @least, however slow the machine is.
 */
static int disturb(void (*disturbance)(void), void (*before_round)(void),
		   const char *counted, long least)
{
	pid_t child = child_start(enduring_program, before_round);
	long before = statistic(counted);
	uint64_t end = now_ms() + endurance_ms();
	uint64_t last = end + 60000;

	meet_await(&shared->ready);
	while (!has_ended(child) && now_ms() < last &&
	       (now_ms() < end || shared->rescued < 20 ||
		statistic(counted) - before < least)) {
		if (disturbance)
			disturbance();
		else
			usleep(20000);
	}
	printf("# %s: %ld\n", counted, statistic(counted) - before);
	fflush(stdout);
	meet_signal(&shared->stop);
	return child_wait(child);
}

static void tell_endurance(void)
{
	printf("# rescued %lu, refused %lu\n", shared->rescued,
	       shared->refused);
	fflush(stdout);
}

/*
 * These are pages that a rescue puts back, so few calls may be refused: for a
 * reference that somebody has just then.  Those from before the mmap lock,
 * which the disturbance holds most of the time, could be had once are no
 * matter of pages.
 */
static void expect_mostly_rescued(struct __test_metadata *_metadata)
{
	uint64_t unknown = refused_since_mark(REASSURE_REFUSED_MEMORY);

	EXPECT_LT(0, shared->rescued);
	EXPECT_LE(shared->refused - unknown, shared->rescued);
}

/* Huge pages that are made of small ones. */
static unsigned char *huge_area(bool with_a_page)
{
	unsigned char *start = private_memory(2 * HUGE_SIZE);

	start = (void *)(((unsigned long)start + HUGE_SIZE - 1) &
			 ~(HUGE_SIZE - 1));
	madvise(start, HUGE_SIZE, MADV_NOHUGEPAGE);
	if (with_a_page)
		touch_write(start);
	madvise(start, HUGE_SIZE, MADV_HUGEPAGE);
	return start;
}

/* Whether a process has the area in a huge page. */
static bool is_huge(pid_t pid, const void *area)
{
	unsigned long start, end, kb, found = 0;
	char path[64], line[512];
	bool here = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start <= (unsigned long)area &&
			       (unsigned long)area < end;
		else if (here && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			found = kb;
	}
	if (file)
		fclose(file);
	return found;
}

static bool await_huge(pid_t pid, const void *area)
{
	uint64_t end = now_ms() + 60000;

	while (now_ms() < end) {
		if (is_huge(pid, area))
			return true;
		usleep(20000);
	}
	return false;
}

static int set_thp(const char *enabled)
{
	return write_text(THP "enabled", enabled);
}

static void hurry_khugepaged(void)
{
	write_text(KHUGEPAGED "scan_sleep_millisecs", "5");
	write_text(KHUGEPAGED "alloc_sleep_millisecs", "5");
	write_text(KHUGEPAGED "pages_to_scan", "8192");
}

static void calm_khugepaged(void)
{
	write_text(KHUGEPAGED "scan_sleep_millisecs", "10000");
	write_text(KHUGEPAGED "alloc_sleep_millisecs", "60000");
	write_text(KHUGEPAGED "pages_to_scan", "4096");
}

static void write_here_and_there(void *arg)
{
	unsigned char *start = arg;
	size_t i;

	for (i = 100; i < HUGE_SIZE; i += 7 * PAGE_SIZE + 11)
		start[i] = 9;
	barrier();
}

static bool is_written_here_and_there(const unsigned char *start,
				      unsigned char value)
{
	size_t i, next = 100;

	for (i = 0; i < HUGE_SIZE; i++) {
		if (start[i] != (i == next ? 9 : value))
			return false;
		if (i == next)
			next += 7 * PAGE_SIZE + 11;
	}
	return true;
}

/*
 * Small pages, protected by a call; one has become writable since, without
 * which none would be collapsed.
 */
static unsigned char *protected_small_pages(void)
{
	unsigned char *start;

	/* khugepaged hears of it only where it is on, and of a page there. */
	CHECK(!set_thp("madvise"));
	start = huge_area(true);
	CHECK(!set_thp("never"));
	memory_fill(start, HUGE_SIZE, 0x51);
	CHECK(rescued(nothing, NULL));
	memory_fill(start + 3 * PAGE_SIZE, PAGE_SIZE, 0x51);
	return start;
}

static int collapsing_program(void *by_daemon)
{
	unsigned char *start = protected_small_pages();
	int i;

	if (by_daemon) {
		CHECK(!set_thp("madvise"));
		CHECK(await_huge(getpid(), start));
		CHECK(!set_thp("never"));
	} else {
		if (madvise(start, HUGE_SIZE, MADV_COLLAPSE))
			return 4;
		CHECK(is_huge(getpid(), start));
	}
	for (i = 0; i < 2; i++) {
		CHECK(rescued(write_here_and_there, start));
		CHECK(memory_holds(start, HUGE_SIZE, 0x51));
	}
	write_here_and_there(start);
	CHECK(is_written_here_and_there(start, 0x51));
	return 0;
}

TEST_F(writers, collapse_between_calls)
{
	int ended = child_run(collapsing_program, NULL);

	set_thp("always");
	if (ended == 4)
		SKIP(return, "no MADV_COLLAPSE");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(writers, khugepaged_between_calls)
{
	hurry_khugepaged();
	EXPECT_EQ(0, child_run(collapsing_program, "daemon"));
	calm_khugepaged();
	set_thp("always");
	EXPECT_EQ(0, all_refused_since_mark());
}

static void wait_and_write(void *arg)
{
	unsigned char *start = arg;

	memory_fill(start, PAGE_SIZE, 0x52);
	wait_inside();
	write_here_and_there(arg);
}

/* In a huge page writes go unseen, so the call cannot be rescued. */
static int collapsed_inside_program(void *arg)
{
	unsigned char *start = protected_small_pages();

	shared->area = start;
	CHECK(!rescued(wait_and_write, start));
	CHECK(start[0] == 0x52);
	memory_fill(start, PAGE_SIZE, 0x51);
	write_here_and_there(start);
	CHECK(is_written_here_and_there(start, 0x51));
	/* And the next one is covered again. */
	memory_fill(start, HUGE_SIZE, 0x53);
	CHECK(rescued(write_here_and_there, start));
	CHECK(memory_holds(start, HUGE_SIZE, 0x53));
	return 0;
}

TEST_F(writers, khugepaged_inside)
{
	pid_t child = child_start(collapsed_inside_program, NULL);

	meet_await(&shared->inside_now);
	hurry_khugepaged();
	set_thp("madvise");
	EXPECT_TRUE(await_huge(child, shared->area));
	calm_khugepaged();
	set_thp("never");
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	set_thp("always");
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
}

static void collapse_and_write(void *arg)
{
	memory_fill(arg, PAGE_SIZE, 9);
	if (madvise(arg, HUGE_SIZE, MADV_COLLAPSE))
		_exit(4);
	write_here_and_there(arg);
}

static int collapsing_inside_program(void *arg)
{
	unsigned char *start = protected_small_pages();

	CHECK(!rescued(collapse_and_write, start));
	CHECK(start[0] == 9 && start[100] == 9);
	memory_fill(start, HUGE_SIZE, 0x54);
	CHECK(rescued(write_here_and_there, start));
	CHECK(memory_holds(start, HUGE_SIZE, 0x54));
	return 0;
}

TEST_F(writers, collapse_inside)
{
	int ended = child_run(collapsing_inside_program, NULL);

	set_thp("always");
	if (ended == 4)
		SKIP(return, "no MADV_COLLAPSE");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Whenever it comes. */
static int collapsed_program(void *arg)
{
	unsigned char *start;
	unsigned char value;

	CHECK(!set_thp("never"));
	start = huge_area(false);
	shared->area = start;
	shared->pid = getpid();
	meet_signal(&shared->ready);
	for (value = 10; !__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE);
	     value = value % 100 + 10) {
		CHECK(!madvise(start, HUGE_SIZE, MADV_DONTNEED));
		memory_fill(start, HUGE_SIZE, value);
		if (pick(2))
			usleep(pick(4000));
		if (rescued(write_here_and_there, start))
			CHECK(memory_holds(start, HUGE_SIZE, value));
		else
			CHECK(is_written_here_and_there(start, value));
	}
	return 0;
}

static bool collapse_other(pid_t pid, void *start)
{
	struct iovec area = { start, HUGE_SIZE };
	int fd = syscall(SYS_pidfd_open, pid, 0);
	bool done;

	done = syscall(SYS_process_madvise, fd, &area, 1, MADV_COLLAPSE, 0) ==
	       (long)HUGE_SIZE;
	close(fd);
	return done;
}

TEST_F(writers, collapse_at_any_time)
{
	pid_t child = child_start(collapsed_program, NULL);
	uint64_t end = now_ms() + endurance_ms();
	uint64_t last = end + 60000;
	unsigned int collapsed = 0, i;

	meet_await(&shared->ready);
	/* Now and then it leaves time for a call. */
	for (i = 0; !has_ended(child) && now_ms() < last &&
	     (now_ms() < end || (collapsed && !shared->rescued)); i++) {
		collapsed += collapse_other(child, shared->area);
		usleep(i % 16 ? 1000 : 200000);
	}
	meet_signal(&shared->stop);
	EXPECT_EQ(0, child_wait(child));
	set_thp("always");
	tell_endurance();
	if (!collapsed)
		SKIP(return, "no MADV_COLLAPSE for another process");
	EXPECT_LT(0, shared->rescued);
}

/* Pages that move from one place in memory to another. */
static void move_and_write(void *arg)
{
	unsigned char *start = arg;

	/* A page that is logged, one that is not, one that is only read. */
	memory_fill(start, PAGE_SIZE, 9);
	touch_read(start + 2 * PAGE_SIZE);
	if (madvise(start, 3 * PAGE_SIZE, MADV_SOFT_OFFLINE))
		_exit(4);
	memory_fill(start, 2 * PAGE_SIZE, 8);
	memory_fill(start + 2 * PAGE_SIZE, PAGE_SIZE, 7);
}

static int moving_program(void *arg)
{
	unsigned char *start = private_memory(4 * PAGE_SIZE);

	memory_fill(start, 4 * PAGE_SIZE, 0x61);
	CHECK(rescued(nothing, NULL));
	/* One that is protected, one that is not. */
	memory_fill(start, PAGE_SIZE, 0x61);
	if (madvise(start, 2 * PAGE_SIZE, MADV_SOFT_OFFLINE))
		return 4;
	CHECK(rescued(overwrite_two, start));
	CHECK(memory_holds(start, 4 * PAGE_SIZE, 0x61));
	CHECK(!rescued(move_and_write, start));
	CHECK(memory_holds(start, 2 * PAGE_SIZE, 8));
	CHECK(rescued(overwrite_two, start));
	return 0;
}

TEST_F(writers, page_taken_off_line)
{
	int ended = child_run(moving_program, NULL);

	if (ended == 4)
		SKIP(return, "this kernel takes no page off line");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(1, all_refused_since_mark());
}

/*
 * Leaves a hole beside each page, all over memory, and has it compacted; then
 * makes new holes in a part.
 */
#define SCATTERED	(192UL << 20)
#define SCATTERED_PART	(8UL << 20)

static void scatter(unsigned char *start, size_t size, unsigned int odd)
{
	size_t i;

	for (i = 0; i < size; i += PAGE_SIZE)
		touch_write(start + i);
	for (i = odd * PAGE_SIZE; i < size; i += 2 * PAGE_SIZE)
		madvise(start + i, PAGE_SIZE, MADV_DONTNEED);
}

static void compact(void)
{
	static unsigned char *scattered;
	static unsigned int round;

	if (!scattered) {
		scattered = private_memory(SCATTERED);
		madvise(scattered, SCATTERED, MADV_NOHUGEPAGE);
		scatter(scattered, SCATTERED, 0);
	}
	write_text("/proc/sys/vm/compact_memory", "1");
	scatter(scattered + round * SCATTERED_PART % SCATTERED, SCATTERED_PART,
		round % 2);
	round++;
}

TEST_F(writers, compaction)
{
	long before = statistic("pgmigrate_success");

	if (access("/proc/sys/vm/compact_memory", W_OK))
		SKIP(return, "no compaction");
	EXPECT_EQ(0, disturb(compact, NULL, "pgmigrate_success", 1));
	tell_endurance();
	EXPECT_LE(before + 1, statistic("pgmigrate_success"));
	expect_mostly_rescued(_metadata);
}

/* From one node to the other and back. */
static bool has_two_nodes(void)
{
	return !access(NODES "node1", F_OK);
}

static void migrate(void)
{
	static unsigned int from;
	unsigned long old = 1UL << from, new = 1UL << !from;

	syscall(SYS_migrate_pages, shared->pid, 8, &old, &new);
	from = !from;
	/* On few processors the program would hardly run. */
	usleep(2000);
}

TEST_F(writers, migration_to_another_node)
{
	long before = statistic("pgmigrate_success");

	if (!has_two_nodes())
		SKIP(return, "one node");
	EXPECT_EQ(0, disturb(migrate, NULL, "pgmigrate_success", 100));
	tell_endurance();
	EXPECT_LE(before + 100, statistic("pgmigrate_success"));
	expect_mostly_rescued(_metadata);
}

#define MOVED_PAGES	32

/* By the call itself. */
static void move_to_other_node(void *arg)
{
	void *pages[MOVED_PAGES];
	int nodes[MOVED_PAGES], status[MOVED_PAGES], i;

	for (i = 0; i < MOVED_PAGES; i++) {
		pages[i] = (char *)arg + i * PAGE_SIZE;
		if (!(i % 4))
			memory_fill(pages[i], PAGE_SIZE, 9);
	}
	CHECK(!syscall(SYS_move_pages, 0, MOVED_PAGES, pages, NULL, status, 0));
	for (i = 0; i < MOVED_PAGES; i++)
		nodes[i] = !status[i];
	CHECK(!syscall(SYS_move_pages, 0, MOVED_PAGES, pages, nodes, status,
		       1 << 1 /* MPOL_MF_MOVE */));
	for (i = 0; i < MOVED_PAGES; i++) {
		CHECK(status[i] == nodes[i]);
		if (i % 3)
			memory_fill(pages[i], PAGE_SIZE, 8);
	}
}

static int moving_inside_program(void *arg)
{
	unsigned char *start = private_memory(MOVED_PAGES * PAGE_SIZE);
	int i;

	madvise(start, MOVED_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	for (i = 0; i < 2; i++) {
		memory_fill(start, MOVED_PAGES * PAGE_SIZE, 0x62);
		CHECK(!rescued(move_to_other_node, start));
		CHECK(start[PAGE_SIZE] == 8 && start[0] == 9);
	}
	return 0;
}

TEST_F(writers, migration_by_the_call)
{
	if (!has_two_nodes())
		SKIP(return, "one node");
	EXPECT_EQ(0, child_run(moving_inside_program, NULL));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* The kernel takes access away to see who uses a page of the other node. */
static void migrate_now_and_then(void)
{
	migrate();
	usleep(50000);
}

TEST_F(writers, hints_for_nodes)
{
	long before = statistic("numa_hint_faults");
	char period[32] = "1000";

	if (!has_two_nodes() ||
	    write_text("/proc/sys/kernel/numa_balancing", "1"))
		SKIP(return, "one node, or no balancing");
	read_text(BALANCING "scan_period_min_ms", period, sizeof(period));
	write_text(BALANCING "scan_delay_ms", "1");
	write_text(BALANCING "scan_period_min_ms", "10");
	EXPECT_EQ(0, disturb(migrate_now_and_then, NULL,
			     "numa_hint_faults", 1));
	write_text("/proc/sys/kernel/numa_balancing", "0");
	write_text(BALANCING "scan_delay_ms", "1000");
	write_text(BALANCING "scan_period_min_ms", period);
	tell_endurance();
	EXPECT_LE(before + 1, statistic("numa_hint_faults"));
	expect_mostly_rescued(_metadata);
}

/* Equal pages are made one, and each is copied when it is written to. */
static void be_merged(void)
{
	static bool mergeable;

	if (!mergeable)
		CHECK(!madvise(shared->area, ENDURING_PAGES * PAGE_SIZE,
			       MADV_MERGEABLE));
	mergeable = true;
	/* It takes what has not changed since it last came by. */
	usleep(pick(20) * 1000);
	/* Also what the call has written. */
	linger_us = pick(2) * 30000;
}

TEST_F(writers, merging)
{
	long before = statistic("cow_ksm");

	if (write_text(KSM "run", "1"))
		SKIP(return, "no KSM");
	write_text(KSM "sleep_millisecs", "0");
	write_text(KSM "pages_to_scan", "100000");
	EXPECT_EQ(0, disturb(NULL, be_merged, "cow_ksm", 100));
	write_text(KSM "run", "2");
	tell_endurance();
	EXPECT_LE(before + 100, statistic("cow_ksm"));
	/* Not mostly: it has a reference to the page that it looks at. */
	EXPECT_LT(0, shared->rescued);
}

/* Swap when memory is short. */
static int eating_program(void *arg)
{
	size_t size = 12 << 20, i;
	unsigned char *start = private_memory(size);

	CHECK(!write_text(CROWDED "cgroup.procs", "0"));
	CHECK(!write_text("/proc/self/oom_score_adj", "1000"));
	madvise(start, size, MADV_NOHUGEPAGE);
	while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE))
		for (i = 0; i < size; i += PAGE_SIZE)
			touch_write(start + i);
	return 0;
}

static void join_the_crowd(void)
{
	static bool joined;

	if (joined)
		return;
	CHECK(!write_text(CROWDED "cgroup.procs", "0"));
	CHECK(!write_text("/proc/self/oom_score_adj", "-1000"));
	joined = true;
}

TEST_F(writers, memory_is_short)
{
	long before = statistic("pswpout");
	pid_t eater;
	int ended;

	write_text(CGROUP "cgroup.subtree_control", "+memory");
	if (mkdir(CROWDED, 0755) || write_text(CROWDED "memory.max", "8M"))
		SKIP(return, "no memory cgroups");
	if (!swap_on(32 << 20)) {
		rmdir(CROWDED);
		SKIP(return, "no swap on a loop device");
	}
	eater = child_start(eating_program, NULL);
	EXPECT_EQ(0, disturb(NULL, join_the_crowd, "pswpout", 100));
	/* Where swap is slow, it is what the kernel kills. */
	ended = child_wait(eater);
	EXPECT_TRUE(ended == 0 || ended == -SIGKILL);
	swap_off();
	EXPECT_EQ(0, rmdir(CROWDED));
	tell_endurance();
	EXPECT_LE(before + 100, statistic("pswpout"));
	expect_mostly_rescued(_metadata);
}

/* What comes back by swapoff() comes without a fault. */
#define SWAPPED_PAGES	64
#define SWAPPED_SIZE	(SWAPPED_PAGES * PAGE_SIZE)

static void write_what_came_back(void *arg)
{
	unsigned char *start = arg;
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	size_t i;

	CHECK(mem >= 0);
	wait_inside();
	for (i = 0; i < SWAPPED_SIZE; i += PAGE_SIZE)
		CHECK(pwrite(mem, "forced", 6, (off_t)(start + i)) == 6);
	close(mem);
	start += SWAPPED_SIZE;
	for (i = 0; i < SWAPPED_SIZE; i += PAGE_SIZE)
		start[i] = 9;
}

static int swapped_program(void *arg)
{
	unsigned char *start = private_memory(2 * SWAPPED_SIZE);

	madvise(start, 2 * SWAPPED_SIZE, MADV_NOHUGEPAGE);
	memory_fill(start, 2 * SWAPPED_SIZE, 0x71);
	CHECK(!mprotect(start, SWAPPED_SIZE, PROT_READ));
	CHECK(!madvise(start, SWAPPED_SIZE, MADV_PAGEOUT));
	CHECK(!madvise(start + SWAPPED_SIZE, SWAPPED_SIZE, MADV_PAGEOUT));
	CHECK(count_swapped(start, 2 * SWAPPED_PAGES) > SWAPPED_PAGES);
	CHECK(rescued(write_what_came_back, start));
	CHECK(memory_holds(start, 2 * SWAPPED_SIZE, 0x71));
	return 0;
}

TEST_F(writers, swap_is_switched_off_inside)
{
	pid_t child;

	if (!swap_on(16 << 20))
		SKIP(return, "no swap on a loop device");
	child = child_start(swapped_program, NULL);
	meet_await(&shared->inside_now);
	swap_off();
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(0, all_refused_since_mark());
}

/*
 * What another process only reads may come back writable, and the thread
 * inside may write to it at once.
 */
static bool is_back(int pagemap, const void *page)
{
	uint64_t entry;

	CHECK(pread(pagemap, &entry, sizeof(entry),
		    (unsigned long)page / PAGE_SIZE * sizeof(entry)) ==
	      sizeof(entry));
	return entry >> 63;
}

static void write_when_it_is_back(void *arg)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned char *start = arg;
	unsigned int i, tries;

	CHECK(pagemap >= 0);
	__atomic_store_n(&shared->go_on, 1, __ATOMIC_RELEASE);
	for (i = 0; i < SWAPPED_PAGES; i++) {
		for (tries = 0; tries < 500; tries++)
			if (is_back(pagemap, start + i * PAGE_SIZE))
				break;
		start[i * PAGE_SIZE] = 9;
	}
	close(pagemap);
}

/* As Linux does from 6.11 on, for the one process that has the page. */
static bool reading_brings_back_writable(void)
{
	unsigned int major, minor;
	struct utsname name;

	CHECK(!uname(&name));
	CHECK(sscanf(name.release, "%u.%u", &major, &minor) == 2);
	return major > 6 || (major == 6 && minor >= 11);
}

static int read_by_another_program(void *arg)
{
	int round, rounds = short_run() ? 20 : 60;
	unsigned char *start = private_memory(SWAPPED_SIZE);
	int i;

	madvise(start, SWAPPED_SIZE, MADV_NOHUGEPAGE);
	shared->area = start;
	shared->pid = getpid();
	/* Elsewhere some are rescued: those that the reader does not run into. */
	for (round = 0; round < rounds ||
	     (!reading_brings_back_writable() && shared->rescued == round &&
	      round < 20 * rounds); round++) {
		memory_fill(start, SWAPPED_SIZE, 0x73);
		CHECK(rescued(nothing, NULL));
		CHECK(!madvise(start, SWAPPED_SIZE, MADV_PAGEOUT));
		if (rescued(write_when_it_is_back, start))
			CHECK(memory_holds(start, SWAPPED_SIZE, 0x73));
		else
			for (i = 0; i < SWAPPED_PAGES; i++)
				CHECK(start[i * PAGE_SIZE] == 9);
	}
	return 0;
}

static int reading_program(void *arg)
{
	unsigned char bytes[PAGE_SIZE];
	struct iovec local = { bytes, PAGE_SIZE };
	struct iovec remote = { .iov_len = PAGE_SIZE };
	unsigned int i;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE)) {
		if (!__atomic_exchange_n(&shared->go_on, 0, __ATOMIC_ACQUIRE))
			continue;
		for (i = 0; i < SWAPPED_PAGES; i++) {
			remote.iov_base = shared->area + i * PAGE_SIZE;
			CHECK(process_vm_readv(shared->pid, &local, 1, &remote,
					       1, 0) == PAGE_SIZE);
		}
	}
	return 0;
}

TEST_F(writers, swap_is_read_by_another)
{
	pid_t reader;

	if (!swap_on_zram(16 << 20))
		SKIP(return, "no swap on zram");
	reader = child_start(reading_program, NULL);
	EXPECT_EQ(0, child_run(read_by_another_program, NULL));
	meet_signal(&shared->stop);
	EXPECT_EQ(0, child_wait(reader));
	swap_off();
	tell_endurance();
	/* Every second call writes to nothing and is rescued. */
	EXPECT_TRUE(reading_brings_back_writable() ? shared->refused :
		    shared->refused < shared->rescued);
	/* The reader may hold a page that it looks at. */
	EXPECT_EQ(shared->refused,
		  refused_since_mark(REASSURE_REFUSED_FOREIGN) +
		  refused_since_mark(REASSURE_REFUSED_PINNED));
	EXPECT_EQ(shared->refused, all_refused_since_mark());
}

/* khugepaged brings pages in without a fault, and may give up then. */
#define COLLAPSED_PAGES	40

static void overwrite_collapsed(void *arg)
{
	memory_fill(arg, COLLAPSED_PAGES * PAGE_SIZE, 9);
}

static void go_on(int sig)
{
}

static int given_up_program(void *arg)
{
	unsigned char *start = huge_area(false);
	size_t size = COLLAPSED_PAGES * PAGE_SIZE;

	madvise(start, HUGE_SIZE, MADV_NOHUGEPAGE);
	memory_fill(start, HUGE_SIZE, 0x74);
	CHECK(rescued(nothing, NULL));
	/* One is writable, some are in swap, and the last will never be back. */
	touch_write(start + size);
	CHECK(!madvise(start, size, MADV_PAGEOUT));
	CHECK(count_swapped(start, COLLAPSED_PAGES) == COLLAPSED_PAGES);
	signal(SIGBUS, go_on);
	if (madvise(start + HUGE_SIZE - PAGE_SIZE, PAGE_SIZE, MADV_HWPOISON))
		return 4;
	madvise(start, HUGE_SIZE, MADV_HUGEPAGE);
	CHECK(madvise(start, HUGE_SIZE, MADV_COLLAPSE));
	if (count_swapped(start, COLLAPSED_PAGES))
		return 4;
	CHECK(rescued(overwrite_collapsed, start));
	CHECK(memory_holds(start, size, 0x74));
	return 0;
}

TEST_F(writers, huge_page_is_given_up)
{
	int ended;

	if (!swap_on_zram(16 << 20))
		SKIP(return, "no swap on zram");
	ended = child_run(given_up_program, NULL);
	swap_off();
	if (ended == 4)
		SKIP(return, "no MADV_HWPOISON or MADV_COLLAPSE");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(0, all_refused_since_mark());
}

/* userfaultfd fills pages without a fault. */
#ifndef UFFDIO_MOVE
/* Since Linux 6.8. */
struct uffdio_move {
	__u64 dst, src, len, mode;
	__s64 move;
};
#define UFFDIO_MOVE	_IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

static int uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		_exit(4);
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	return fd;
}

static int uffd_register(int fd, void *start, size_t size, uint64_t mode)
{
	struct uffdio_register range = {
		.range = { (unsigned long)start, size },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &range);
}

static void uffd_unregister(int fd, void *start, size_t size)
{
	struct uffdio_range range = { (unsigned long)start, size };

	CHECK(!ioctl(fd, UFFDIO_UNREGISTER, &range));
}

static void uffd_copy(int fd, void *to, void *from)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)to,
		.src = (unsigned long)from,
		.len = PAGE_SIZE,
	};

	CHECK(!ioctl(fd, UFFDIO_COPY, &copy));
}

/* False where the kernel cannot. */
static bool uffd_move(int fd, void *to, void *from)
{
	struct uffdio_move move = {
		.dst = (unsigned long)to,
		.src = (unsigned long)from,
		.len = PAGE_SIZE,
	};

	if (!ioctl(fd, UFFDIO_MOVE, &move))
		return true;
	CHECK(errno == EINVAL || errno == ENOTTY);
	return false;
}

FIXTURE(uffd)
{
};

FIXTURE_VARIANT(uffd)
{
	uint64_t mode;
	int map_flags;
};

FIXTURE_VARIANT_ADD(uffd, missing) {
	.mode = UFFDIO_REGISTER_MODE_MISSING,
	.map_flags = MAP_PRIVATE | MAP_ANONYMOUS,
};

FIXTURE_VARIANT_ADD(uffd, write_protected) {
	.mode = UFFDIO_REGISTER_MODE_WP,
	.map_flags = MAP_PRIVATE | MAP_ANONYMOUS,
};

FIXTURE_VARIANT_ADD(uffd, minor) {
	.mode = UFFDIO_REGISTER_MODE_MINOR,
	.map_flags = MAP_SHARED,
};

FIXTURE_SETUP(uffd)
{
	counters_mark();
	shared = shared_memory(sizeof(*shared));
}

FIXTURE_TEARDOWN(uffd)
{
	munmap(shared, sizeof(*shared));
	test_tell(_metadata->passed);
}

static int registered_program(void *arg)
{
	const FIXTURE_VARIANT(uffd) *variant = arg;
	int fd = uffd_open(), memory = -1;
	void *start;

	if (variant->map_flags & MAP_SHARED) {
		memory = memfd_create("writers", MFD_CLOEXEC);
		CHECK(!ftruncate(memory, 4 * PAGE_SIZE));
	}
	start = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     variant->map_flags, memory, 0);
	CHECK(start != MAP_FAILED);
	if (uffd_register(fd, start, 4 * PAGE_SIZE, variant->mode))
		return 4;
	CHECK(!rescued(nothing, NULL));
	uffd_unregister(fd, start, 4 * PAGE_SIZE);
	return 0;
}

TEST_F(uffd, registered_before)
{
	int ended = child_run(registered_program, (void *)variant);

	if (ended == 4)
		SKIP(return, "this kernel has no such mode");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_USERFAULTFD));
}

static int filling_program(void *arg)
{
	unsigned char *start = private_memory(4 * PAGE_SIZE);
	unsigned char *from = private_memory(PAGE_SIZE);
	int fd = uffd_open();

	madvise(start, 4 * PAGE_SIZE, MADV_NOHUGEPAGE);
	memory_fill(start + 3 * PAGE_SIZE, PAGE_SIZE, 0x81);
	memory_fill(from, PAGE_SIZE, 0x82);
	CHECK(rescued(nothing, NULL));
	CHECK(!uffd_register(fd, start, 4 * PAGE_SIZE,
			     UFFDIO_REGISTER_MODE_MISSING));
	uffd_copy(fd, start, from);
	uffd_unregister(fd, start, 4 * PAGE_SIZE);
	CHECK(rescued(overwrite_two, start));
	CHECK(memory_holds(start, PAGE_SIZE, 0x82));
	CHECK(memory_holds(start + PAGE_SIZE, 2 * PAGE_SIZE, 0));
	return 0;
}

TEST_F(writers, userfaultfd_copies_between_calls)
{
	int ended = child_run(filling_program, NULL);

	if (ended == 4)
		SKIP(return, "no userfaultfd");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(0, all_refused_since_mark());
}

static int moved_between_program(void *arg)
{
	unsigned char *start = private_memory(4 * PAGE_SIZE);
	unsigned char *from = private_memory(PAGE_SIZE);
	int fd = uffd_open();

	madvise(start, 4 * PAGE_SIZE, MADV_NOHUGEPAGE);
	memory_fill(start + 3 * PAGE_SIZE, PAGE_SIZE, 0x83);
	CHECK(rescued(nothing, NULL));
	CHECK(!uffd_register(fd, start, 4 * PAGE_SIZE,
			     UFFDIO_REGISTER_MODE_MISSING));
	memory_fill(from, PAGE_SIZE, 0x84);
	if (!uffd_move(fd, start, from))
		return 4;
	uffd_unregister(fd, start, 4 * PAGE_SIZE);
	CHECK(rescued(overwrite_two, start));
	CHECK(memory_holds(start, PAGE_SIZE, 0x84));
	CHECK(memory_holds(from, PAGE_SIZE, 0));
	return 0;
}

TEST_F(writers, userfaultfd_moves_between_calls)
{
	int ended = child_run(moved_between_program, NULL);

	if (ended == 4)
		SKIP(return, "no userfaultfd, or it moves nothing");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(0, all_refused_since_mark());
}

/* By itself, or a copy by another that has the descriptor. */
static struct {
	int fd;
	bool by_other;
	unsigned char *start, *from;
	bool (*fill_page)(int fd, void *to, void *from);
} filler;

static bool copy_page(int fd, void *to, void *from)
{
	uffd_copy(fd, to, from);
	return true;
}

static int filling_other(void *arg)
{
	/* A copy is made from here. */
	memory_fill(filler.from, PAGE_SIZE, 0x86);
	meet_await(&shared->inside_now);
	uffd_copy(filler.fd, filler.start, filler.from);
	meet_signal(&shared->go_on);
	return 0;
}

static void fill_inside(void *arg)
{
	CHECK(!uffd_register(filler.fd, filler.start, PAGE_SIZE,
			     UFFDIO_REGISTER_MODE_MISSING));
	/* Its own alone, which is what can be moved. */
	memory_fill(filler.from, PAGE_SIZE, 0x86);
	if (filler.by_other)
		wait_inside();
	else if (!filler.fill_page(filler.fd, filler.start, filler.from))
		_exit(4);
	uffd_unregister(filler.fd, filler.start, PAGE_SIZE);
	CHECK(memory_holds(filler.start, PAGE_SIZE, 0x86));
}

static int filled_inside_program(void *arg)
{
	unsigned char *start = private_memory(4 * PAGE_SIZE);
	pid_t other = 0;

	madvise(start, 4 * PAGE_SIZE, MADV_NOHUGEPAGE);
	memory_fill(start + 3 * PAGE_SIZE, PAGE_SIZE, 1);
	filler.start = start;
	filler.from = private_memory(PAGE_SIZE);
	memory_fill(filler.from, PAGE_SIZE, 0x85);
	filler.fd = uffd_open();
	if (filler.by_other)
		other = child_start(filling_other, NULL);
	CHECK(!rescued(fill_inside, NULL));
	CHECK(memory_holds(start, PAGE_SIZE, 0x86));
	if (other)
		CHECK(!child_wait(other));
	/* And it goes on. */
	CHECK(rescued(nothing, NULL));
	return 0;
}

static void test_filler(struct __test_metadata *_metadata, bool move,
			bool by_other)
{
	int ended;

	filler.fill_page = move ? uffd_move : copy_page;
	filler.by_other = by_other;
	ended = child_run(filled_inside_program, NULL);
	if (ended == 4)
		SKIP(return, "no userfaultfd, or it moves nothing");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_USERFAULTFD));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(writers, userfaultfd_copies_inside)
{
	test_filler(_metadata, false, false);
}

TEST_F(writers, userfaultfd_copies_inside_by_another)
{
	test_filler(_metadata, false, true);
}

TEST_F(writers, userfaultfd_moves_inside)
{
	test_filler(_metadata, true, false);
}

/* Another process writes: between calls it counts, inside it refuses. */
static bool poke_by_ptrace(pid_t pid, void *to)
{
	bool done = false;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return false;
	if (!ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	    waitpid(pid, &status, __WALL) == pid)
		done = !ptrace(PTRACE_POKEDATA, pid, to, 0x4242424242424242);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return done;
}

static bool poke_by_vm_write(pid_t pid, void *to)
{
	unsigned long word = 0x4242424242424242;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { to, sizeof(word) };

	return process_vm_writev(pid, &local, 1, &remote, 1, 0) ==
	       sizeof(word);
}

static bool poke_by_proc(pid_t pid, void *to)
{
	unsigned long word = 0x4242424242424242;
	char path[64];
	ssize_t done;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	done = pwrite(mem, &word, sizeof(word), (off_t)to);
	close(mem);
	return done == sizeof(word);
}

FIXTURE(poked)
{
};

FIXTURE_VARIANT(poked)
{
	bool (*poke)(pid_t pid, void *to);
};

FIXTURE_VARIANT_ADD(poked, by_ptrace) { .poke = poke_by_ptrace };
FIXTURE_VARIANT_ADD(poked, by_process_vm_writev) { .poke = poke_by_vm_write };
FIXTURE_VARIANT_ADD(poked, through_proc) { .poke = poke_by_proc };

FIXTURE_SETUP(poked)
{
	counters_mark();
	shared = shared_memory(sizeof(*shared));
}

FIXTURE_TEARDOWN(poked)
{
	munmap(shared, sizeof(*shared));
	test_tell(_metadata->passed);
}

static int poked_between_program(void *arg)
{
	unsigned char *start = private_memory(2 * PAGE_SIZE);

	memory_fill(start, 2 * PAGE_SIZE, 0x41);
	shared->area = start;
	CHECK(rescued(nothing, NULL));
	wait_inside();
	CHECK(start[0] == 0x42);
	CHECK(rescued(overwrite_two, start));
	CHECK(memory_holds(start, 8, 0x42));
	CHECK(memory_holds(start + 8, 2 * PAGE_SIZE - 8, 0x41));
	return 0;
}

TEST_F(poked, between_calls)
{
	pid_t child = child_start(poked_between_program, NULL);

	meet_await(&shared->inside_now);
	EXPECT_TRUE(variant->poke(child, shared->area));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(0, all_refused_since_mark());
}

static void write_one_and_wait(void *arg)
{
	memory_fill(arg, PAGE_SIZE, 9);
	wait_inside();
}

static int poked_inside_program(void *arg)
{
	unsigned char *start = private_memory(2 * PAGE_SIZE);

	memory_fill(start, 2 * PAGE_SIZE, 0x41);
	shared->area = start;
	CHECK(!rescued(write_one_and_wait, start));
	/* What the other wrote is not lost. */
	CHECK(start[100] == 9);
	CHECK(start[0] == 0x42 || start[PAGE_SIZE] == 0x42);
	return 0;
}

static void test_poked_inside(struct __test_metadata *_metadata,
			      const FIXTURE_VARIANT(poked) *variant,
			      unsigned int page)
{
	pid_t child = child_start(poked_inside_program, NULL);

	meet_await(&shared->inside_now);
	EXPECT_TRUE(variant->poke(child, shared->area + page * PAGE_SIZE));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_FOREIGN));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* A page that is writable already: no fault tells. */
TEST_F(poked, inside_where_the_call_has_written)
{
	test_poked_inside(_metadata, variant, 0);
}

TEST_F(poked, inside_where_it_has_not)
{
	test_poked_inside(_metadata, variant, 1);
}

/*
 * Another that is on its way to a page when a call begins: the kernel has
 * looked at a thousand pages before it comes to that one.  It tells when it
 * sets out, by a write of its own.
 */
#define FAR_PAGES	1024
#define FAR_SIZE	(FAR_PAGES * PAGE_SIZE)
#define FAR_TURNS	16

static void await_written(void *turn)
{
	while (__atomic_load_n(&shared->go_on, __ATOMIC_ACQUIRE) !=
	       (unsigned long)turn)
		sched_yield();
}

static void write_half(void *last)
{
	memory_fill(last, PAGE_SIZE / 2, 9);
}

static int written_far_program(void *arg)
{
	unsigned char *start = private_memory(FAR_TURNS * FAR_SIZE);
	int fd = memfd_create("writers", MFD_CLOEXEC);
	unsigned long turn, i;

	CHECK(fd >= 0 && !ftruncate(fd, FAR_SIZE));
	for (turn = 0; turn < FAR_TURNS; turn++) {
		unsigned char *at = start + turn * FAR_SIZE;

		CHECK(mmap(at, FAR_SIZE - PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, fd, 0) == at);
		for (i = 0; i < FAR_PAGES; i++)
			touch_write(at + i * PAGE_SIZE);
	}
	CHECK(rescued(nothing, NULL));
	shared->area = start;
	for (turn = 1; turn <= FAR_TURNS; turn++) {
		unsigned char *last = start + turn * FAR_SIZE - PAGE_SIZE;

		/* A page that calls write to stays writable. */
		for (i = 0; i < turn % 2 * 3; i++)
			CHECK(rescued(write_half, last));
		__atomic_store_n(&shared->ready, turn, __ATOMIC_RELEASE);
		while (__atomic_load_n(&shared->inside_now, __ATOMIC_ACQUIRE) !=
		       turn)
			sched_yield();
		/* Nor do calls that come and go meanwhile let it be. */
		for (i = 0; i < turn / 2 % 2 * 3; i++)
			rescued(write_half, last);
		rescued(await_written, (void *)turn);
		CHECK(memory_holds(last + PAGE_SIZE / 2, PAGE_SIZE / 2, 0x42));
	}
	return 0;
}

TEST_F(writers, another_is_on_its_way)
{
	uint32_t turn;
	struct iovec local[2] = {
		{ &turn, sizeof(turn) },
		{ private_memory(FAR_SIZE), FAR_SIZE },
	};
	struct iovec remote[2] = {
		{ &shared->inside_now, sizeof(turn) },
		{ NULL, FAR_SIZE },
	};
	pid_t child = child_start(written_far_program, NULL);

	memory_fill(local[1].iov_base, FAR_SIZE, 0x42);
	for (turn = 1; turn <= FAR_TURNS; turn++) {
		while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) !=
		       turn)
			sched_yield();
		remote[1].iov_base = shared->area + (turn - 1) * FAR_SIZE;
		EXPECT_EQ((ssize_t)(sizeof(turn) + FAR_SIZE),
			  process_vm_writev(child, local, 2, remote, 2, 0));
		__atomic_store_n(&shared->go_on, turn, __ATOMIC_RELEASE);
	}
	EXPECT_EQ(0, child_wait(child));
	munmap(local[1].iov_base, FAR_SIZE);
}

/* What the kernel writes on its own account. */
static unsigned int cpu_now(void)
{
	unsigned int cpu = -1;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	return cpu;
}

static void change_cpu(void *cpu)
{
	go_to_cpu((unsigned long)cpu);
	CHECK(rseq_area()->cpu_id == (unsigned long)cpu);
}

static int moved_to_other_cpu_program(void *arg)
{
	unsigned long i;
	long ret;

	for (i = 0; i < 100; i++) {
		go_to_cpu(i % 2);
		ret = victim(change_cpu, (void *)(1 - i % 2));
		/* Before anything else makes the kernel look at it. */
		CHECK(rseq_area()->cpu_id == !(i % 2));
		CHECK(ret == RESCUED);
		CHECK(rseq_area()->cpu_id == cpu_now());
	}
	return 0;
}

TEST_F(writers, number_of_the_cpu)
{
	if (!cpu_changes_are_told())
		SKIP(return, "no rseq, or one CPU");
	EXPECT_EQ(0, child_run(moved_to_other_cpu_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
}

static pthread_mutex_t robust;

static void lock_robust(void *arg)
{
	CHECK(!pthread_mutex_lock(&robust));
}

static void unlock_robust(void *arg)
{
	CHECK(!pthread_mutex_unlock(&robust));
}

static int robust_program(void *arg)
{
	void *head[2];
	size_t length;
	pthread_mutexattr_t attributes;
	int i;

	CHECK(!pthread_mutexattr_init(&attributes));
	CHECK(!pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&robust, &attributes));
	CHECK(!syscall(SYS_get_robust_list, 0, &head[0], &length));
	for (i = 0; i < 3; i++) {
		/* An empty list points to itself. */
		CHECK(*(void **)head[0] == head[0]);
		CHECK(rescued(lock_robust, NULL));
		CHECK(*(void **)head[0] == head[0]);
		CHECK(!pthread_mutex_trylock(&robust));
		CHECK(*(void **)head[0] != head[0]);
		/* One that was locked is so again, and in the list. */
		CHECK(rescued(unlock_robust, NULL));
		CHECK(*(void **)head[0] != head[0]);
		CHECK(pthread_mutex_trylock(&robust) == EBUSY);
		CHECK(!pthread_mutex_unlock(&robust));
		CHECK(!syscall(SYS_get_robust_list, 0, &head[1], &length));
		CHECK(head[0] == head[1]);
	}
	return 0;
}

TEST_F(writers, robust_mutex)
{
	EXPECT_EQ(0, child_run(robust_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Words of which the kernel is told, each on a page of its own. */
struct words {
	volatile uint32_t *pi, *parent, *child, *cleared, *vector;
	pid_t pid;
};

static void let_kernel_write_words(void *arg)
{
	struct words *words = arg;
	pid_t child;

	child = syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID |
			CLONE_CHILD_SETTID, NULL, words->parent, words->child,
			0);
	if (!child)
		_exit(*words->child == (uint32_t)getpid() &&
		      *words->parent == 0x11111111 ? 30 : 1);
	CHECK(*words->parent == (uint32_t)child);
	CHECK(child_wait(child) == 30);
	CHECK(!syscall(SYS_getcpu, words->vector, NULL, NULL));
}

/* Of these the kernel keeps more than the word. */
static void lock_word(void *arg)
{
	struct words *words = arg;

	CHECK(!syscall(SYS_futex, words->pi, FUTEX_LOCK_PI, 0, NULL));
	CHECK(*words->pi == (uint32_t)getpid());
}

static void name_word(void *arg)
{
	struct words *words = arg;

	CHECK(syscall(SYS_set_tid_address, words->cleared) == getpid());
}

static int words_program(void *arg)
{
	struct words words;
	volatile uint32_t **word;
	int i;

	for (word = &words.pi; word <= &words.vector; word++) {
		*word = private_memory(PAGE_SIZE);
		**word = word == &words.pi ? 0 : 0x11111111;
	}
	for (i = 0; i < 3; i++) {
		CHECK(rescued(let_kernel_write_words, &words));
		for (word = &words.pi; word <= &words.vector; word++)
			CHECK(**word == (word == &words.pi ? 0 : 0x11111111));
	}
	CHECK(!rescued(name_word, &words));
	CHECK(*words.cleared == 0x11111111);
	CHECK(!rescued(lock_word, &words));
	CHECK(!syscall(SYS_futex, words.pi, FUTEX_UNLOCK_PI, 0, NULL));
	return 0;
}

TEST_F(writers, words_of_the_kernel)
{
	EXPECT_EQ(0, child_run(words_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_STATE));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* Once for all tests: to switch the module on and off takes the kernel long. */
int main(int argc, char **argv)
{
	int ret = test_begin() ?: rescue_point_protect(victim);

	if (ret) {
		printf("Bail out! no rescue point: %d\n", ret);
		return 1;
	}
	ret = test_harness_run(argc, argv);
	rescue_points_flush();
	return ret;
}
