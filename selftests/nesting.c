// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points that call each other: a fault goes back to the innermost call,
 * and from there outwards.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define OUTER_RESCUED	(-1001L)
#define INNER_RESCUED	(-1002L)

static int protect_as(const void *function, const char *name, int64_t value)
{
	struct rescue_point rp = {
		.function = function,
		.name = name,
		.value = &value,
	};

	return rescue_point_add(&rp);
}

static uint64_t events_of(const char *name, enum reassure_counter counter)
{
	struct counters counters;

	return counters_read(name, &counters) ? ~0UL : counters.events[counter];
}

static uint64_t refused_of(const char *name, enum reassure_refusal why)
{
	struct counters counters;

	return counters_read(name, &counters) ? ~0UL : counters.refused[why];
}

FIXTURE(nesting)
{
};

FIXTURE_SETUP(nesting)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(nesting)
{
	test_end(_metadata->passed);
}

/* What the two functions do, in this order. */
typedef void step(void);
static step *before, *inside, *after;
static long inner_answer;
static char *area;

#define AREA_PAGES	16

static char *page(int number)
{
	return area + number * PAGE_SIZE;
}

static long __noipa inner_victim(void)
{
	if (inside)
		inside();
	return 2;
}

static long __noipa outer_victim(void)
{
	if (before)
		before();
	inner_answer = inner_victim();
	if (after)
		after();
	return 1;
}

static int protect_both(void)
{
	return protect_as(outer_victim, "outer", OUTER_RESCUED) ?:
	       protect_as(inner_victim, "inner", INNER_RESCUED);
}

static void crash(void)
{
	touch_read(BAD_ADDRESS);
}

static void raise_floating_point_fault(void)
{
	volatile int zero = 0, one = 1;

	one /= zero;
}

/* The first four pages exist at the entry, the others do not. */
static void make_area(void)
{
	area = private_memory(AREA_PAGES * PAGE_SIZE);
	memory_fill(area, 4 * PAGE_SIZE, 'e');
	before = NULL;
	inside = NULL;
	after = NULL;
}

static void write_outer(void)
{
	memset(page(0), 'o', 10);
	memset(page(1), 'o', 10);
	memset(page(4), 'o', 10);
	memset(page(5), 'o', 10);
}

static void write_inner(void)
{
	memset(page(1), 'i', 10);
	memset(page(2), 'i', 10);
	memset(page(5), 'i', 10);
	memset(page(6), 'i', 10);
}

static void write_inner_and_crash(void)
{
	write_inner();
	crash();
}

static void write_after(void)
{
	memset(page(0), 'a', 10);
	memset(page(2), 'a', 10);
	memset(page(3), 'a', 10);
	memset(page(6), 'a', 10);
	memset(page(7), 'a', 10);
}

static void write_after_and_crash(void)
{
	write_after();
	crash();
}

static bool begins_with(int number, char value)
{
	char rest = number < 4 ? 'e' : 0;

	return memory_holds(page(number), 10, value) &&
	       memory_holds(page(number) + 10, PAGE_SIZE - 10, rest);
}

static bool is_untouched(void)
{
	return memory_holds(area, 4 * PAGE_SIZE, 'e') &&
	       memory_holds(page(4), (AREA_PAGES - 4) * PAGE_SIZE, 0);
}

static int inner_program(void *arg)
{
	int i;

	make_area();
	for (i = 0; i < 40; i++) {
		memory_fill(area, 4 * PAGE_SIZE, 'e');
		memset(page(4), 0, (AREA_PAGES - 4) * PAGE_SIZE);
		if (i % 2)
			madvise(page(4), (AREA_PAGES - 4) * PAGE_SIZE,
				MADV_DONTNEED);
		before = write_outer;
		inside = write_inner_and_crash;
		after = NULL;
		CHECK(outer_victim() == 1);
		CHECK(inner_answer == INNER_RESCUED);
		CHECK(begins_with(0, 'o') && begins_with(1, 'o'));
		CHECK(begins_with(4, 'o') && begins_with(5, 'o'));
		CHECK(begins_with(2, 'e') && begins_with(6, 0));
	}
	return 0;
}

TEST_F(nesting, fault_goes_to_the_innermost)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(inner_program, NULL));
	EXPECT_EQ(40, events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(40, events_of("outer", REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

static int outer_program(void *arg)
{
	int i;

	for (i = 0; i < 40; i++) {
		make_area();
		before = write_outer;
		inside = write_inner;
		after = write_after_and_crash;
		inner_answer = 0;
		CHECK(outer_victim() == OUTER_RESCUED);
		CHECK(inner_answer == 0);
		CHECK(is_untouched());
		munmap(area, AREA_PAGES * PAGE_SIZE);
	}
	return 0;
}

TEST_F(nesting, fault_behind_an_inner_call_takes_both_back)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(outer_program, NULL));
	EXPECT_EQ(40, events_of("inner", REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(40, events_of("outer", REASSURE_COUNTER_RESCUES));
}

static int both_program(void *arg)
{
	int i;

	for (i = 0; i < 40; i++) {
		make_area();
		before = write_outer;
		inside = write_inner_and_crash;
		after = write_after_and_crash;
		CHECK(outer_victim() == OUTER_RESCUED);
		CHECK(is_untouched());
		munmap(area, AREA_PAGES * PAGE_SIZE);
	}
	return 0;
}

TEST_F(nesting, both_in_one_call)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(both_program, NULL));
	EXPECT_EQ(40, events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(40, events_of("outer", REASSURE_COUNTER_RESCUES));
}

/* Inner calls in a row, all of which crash. */
static long __noipa retrying_victim(long times)
{
	long i;

	inside = write_inner_and_crash;
	for (i = 0; i < times; i++) {
		touch_write(page(i % 4));
		if (inner_victim() != INNER_RESCUED)
			return 0;
	}
	return i;
}

static int retrying_program(void *arg)
{
	make_area();
	CHECK(retrying_victim(3) == 3);
	memory_fill(area, 4 * PAGE_SIZE, 'e');
	CHECK(retrying_victim(100) == OUTER_RESCUED);
	CHECK(is_untouched());
	/* It begins to count anew. */
	CHECK(retrying_victim(3) == 3);
	return 0;
}

TEST_F(nesting, escalates_after_three)
{
	ASSERT_EQ(0, protect_as(retrying_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_as(inner_victim, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(retrying_program, NULL));
	EXPECT_EQ(9, events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_of("outer", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_of("inner", REASSURE_REFUSED_ESCALATED));
}

static int protect_escalating(unsigned int escalate)
{
	int64_t value = INNER_RESCUED;
	struct rescue_point rp = {
		.function = inner_victim,
		.name = "inner",
		.value = &value,
		.escalate = &escalate,
	};

	return rescue_point_add(&rp);
}

static int patient_program(void *arg)
{
	make_area();
	CHECK(retrying_victim((long)arg) == (long)arg);
	CHECK(retrying_victim((long)arg + 1) == OUTER_RESCUED);
	return 0;
}

TEST_F(nesting, escalates_when_told_to)
{
	ASSERT_EQ(0, protect_as(retrying_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_escalating(7));
	EXPECT_EQ(0, child_run(patient_program, (void *)7));
	ASSERT_EQ(0, rescue_point_delete("inner"));
	ASSERT_EQ(0, protect_escalating(0));
	EXPECT_EQ(0, child_run(patient_program, (void *)0));
}

/* Where the inner call has no call around it nothing is to be escalated. */
static int alone_program(void *arg)
{
	int i;

	make_area();
	inside = write_inner_and_crash;
	for (i = 0; i < 10; i++)
		CHECK(inner_victim() == INNER_RESCUED);
	return 0;
}

TEST_F(nesting, nothing_to_escalate_to)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(alone_program, NULL));
}

/* Each call writes to its own page and to one of all. */
#define DEEPEST	10000

static int deepest, rescued_at;
static char *marks;

static long __noipa recursive_victim(int depth)
{
	volatile int mine = depth;
	long ret;

	marks[depth]++;
	marks[DEEPEST + 1]++;
	if (depth > deepest)
		return -2;
	if (depth == deepest)
		crash();
	ret = recursive_victim(depth + 1);
	if (mine != depth)
		return -1;
	if (ret == RESCUED)
		rescued_at = depth + 1;
	return depth;
}

static int recursive_program(void *arg)
{
	int i, depth;

	marks = private_memory(16 << 10);
	for (i = 0; i < 5; i++) {
		memset(marks, 0, 16 << 10);
		deepest = (long)arg;
		rescued_at = -1;
		CHECK(recursive_victim(0) == 0);
		CHECK(rescued_at >= 1 && rescued_at <= deepest);
		/* The kernel has 64 return probes for a thread. */
		CHECK(rescued_at == (deepest < 63 ? deepest : 63));
		for (depth = 0; depth <= deepest; depth++)
			CHECK(marks[depth] == (depth < rescued_at));
		CHECK(marks[DEEPEST + 1] == rescued_at);
	}
	return 0;
}

TEST_F(nesting, recursion)
{
	ASSERT_EQ(0, rescue_point_protect(recursive_victim));
	EXPECT_EQ(0, child_run(recursive_program, (void *)1));
	EXPECT_EQ(0, child_run(recursive_program, (void *)10));
	EXPECT_EQ(0, child_run(recursive_program, (void *)62));
	EXPECT_EQ(0, child_run(recursive_program, (void *)63));
	EXPECT_EQ(0, child_run(recursive_program, (void *)100));
	EXPECT_EQ(0, child_run(recursive_program, (void *)DEEPEST));
	EXPECT_EQ(30, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Descriptors of the outer call stay, those of the inner one go. */
static int outer_fd, inner_fd;

static void open_outer(void)
{
	outer_fd = open("/dev/null", O_RDONLY);
}

static void open_inner_and_crash(void)
{
	/* Out of the way, where it is not undone. */
	if (open("/dev/zero", O_RDONLY) != inner_fd)
		_exit(99);
	crash();
}

static int opening_program(void *arg)
{
	make_area();
	outer_fd = open("/dev/null", O_RDONLY);
	inner_fd = outer_fd + 1;
	close(outer_fd);
	before = open_outer;
	inside = open_inner_and_crash;
	CHECK(outer_victim() == 1);
	CHECK(inner_answer == INNER_RESCUED);
	CHECK(fcntl(outer_fd, F_GETFD) >= 0);
	CHECK(fcntl(inner_fd, F_GETFD) < 0);
	close(outer_fd);

	after = crash;
	CHECK(outer_victim() == OUTER_RESCUED);
	CHECK(fcntl(inner_fd - 1, F_GETFD) < 0);
	CHECK(fcntl(inner_fd, F_GETFD) < 0);
	return 0;
}

TEST_F(nesting, descriptors)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(opening_program, NULL));
}

/* An open file whose flags the inner call changes, with its offset. */
static int file_fd;

static void change_file_and_crash(void)
{
	char byte;

	fcntl(file_fd, F_SETFL, O_NONBLOCK);
	if (read(file_fd, &byte, 1) != 1)
		_exit(99);
	crash();
}

static int flags_program(void *arg)
{
	int i;

	make_area();
	file_fd = open("/proc/self/exe", O_RDONLY);
	CHECK(file_fd >= 0);
	for (i = 0; i < 3; i++) {
		inside = change_file_and_crash;
		CHECK(outer_victim() == 1);
		CHECK(inner_answer == INNER_RESCUED);
		CHECK(!(fcntl(file_fd, F_GETFL) & O_NONBLOCK));
		CHECK(lseek(file_fd, 0, SEEK_CUR) == 0);
	}
	return 0;
}

TEST_F(nesting, flags_and_offsets)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(flags_program, NULL));
}

/* A handler that the kernel takes away when it runs inside. */
static void on_user_signal(int sig)
{
}

static void get_signal_and_crash(void)
{
	raise(SIGUSR1);
	crash();
}

static int handler_program(void *arg)
{
	struct sigaction action = {
		.sa_handler = on_user_signal,
		.sa_flags = SA_RESETHAND,
	};

	make_area();
	CHECK(!sigaction(SIGUSR1, &action, NULL));
	inside = get_signal_and_crash;
	CHECK(outer_victim() == 1);
	CHECK(inner_answer == INNER_RESCUED);
	CHECK(!sigaction(SIGUSR1, NULL, &action));
	CHECK(action.sa_handler == on_user_signal);
	return 0;
}

TEST_F(nesting, handler_for_a_single_time)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(handler_program, NULL));
}

/* A rollback of the outer call that is prepared, and then is not made. */
static sigjmp_buf after_fault;

static void on_fault(int sig)
{
	siglongjmp(after_fault, 1);
}

static void fault_twice(void)
{
	if (!sigsetjmp(after_fault, 1))
		raise_floating_point_fault();
	memset(page(0), 'i', 10);
	crash();
}

static long __noipa spent_victim(void)
{
	memset(page(0), 'o', 10);
	inside = NULL;
	/* It is copied, and the next time found unchanged. */
	inner_victim();
	inner_victim();
	inside = fault_twice;
	return inner_victim();
}

static int spent_program(void *arg)
{
	struct sigaction action = { .sa_handler = on_fault };

	make_area();
	CHECK(!sigaction(SIGFPE, &action, NULL));
	CHECK(spent_victim() == INNER_RESCUED);
	CHECK(begins_with(0, 'o'));
	return 0;
}

static int spent_budget_program(void *arg)
{
	make_area();
	return spent_victim() == OUTER_RESCUED;
}

TEST_F(nesting, outer_is_not_rolled_back_after_all)
{
	int64_t inner_value = INNER_RESCUED, outer_value = OUTER_RESCUED;
	struct rescue_point inner = {
		.function = inner_victim,
		.name = "inner",
		.value = &inner_value,
		.signals = SIGNAL_BIT(SIGSEGV),
	};
	struct rescue_point outer = {
		.function = spent_victim,
		.name = "outer",
		.value = &outer_value,
		.signals = SIGNAL_BIT(SIGFPE),
		.budget_rescues = 1,
		.budget_seconds = 3600,
	};

	ASSERT_EQ(0, rescue_point_add(&inner));
	ASSERT_EQ(0, rescue_point_add(&outer));
	/* It takes the budget. */
	EXPECT_EQ(1, child_run(spent_budget_program, NULL));
	EXPECT_EQ(0, child_run(spent_program, NULL));
	EXPECT_EQ(1, refused_of("outer", REASSURE_REFUSED_BUDGET));
}

/* What cannot be undone inside may be to undo outside. */
static int ends[2];

static void open_pipe(void)
{
	if (pipe(ends))
		_exit(99);
}

static void close_pipe_and_crash(void)
{
	close(ends[0]);
	close(ends[1]);
	crash();
}

static int refused_program(void *arg)
{
	int i;

	make_area();
	for (i = 0; i < 5; i++) {
		before = open_pipe;
		inside = close_pipe_and_crash;
		CHECK(outer_victim() == OUTER_RESCUED);
	}
	return 0;
}

TEST_F(nesting, refused_inside_goes_outside)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(refused_program, NULL));
	EXPECT_EQ(5, refused_of("inner", REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(5, events_of("outer", REASSURE_COUNTER_RESCUES));
}

static int exhausted_program(void *arg)
{
	make_area();
	inside = write_inner_and_crash;
	CHECK(outer_victim() == 1);
	CHECK(inner_answer == INNER_RESCUED);
	munmap(area, AREA_PAGES * PAGE_SIZE);
	make_area();
	before = write_outer;
	inside = write_inner_and_crash;
	CHECK(outer_victim() == OUTER_RESCUED);
	CHECK(is_untouched());
	return 0;
}

TEST_F(nesting, exhausted_inside_goes_outside)
{
	int64_t value = INNER_RESCUED;
	struct rescue_point inner = {
		.function = inner_victim,
		.name = "inner",
		.value = &value,
		.budget_rescues = 1,
		.budget_seconds = 3600,
	};

	ASSERT_EQ(0, protect_as(outer_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, rescue_point_add(&inner));
	EXPECT_EQ(0, child_run(exhausted_program, NULL));
	EXPECT_EQ(1, refused_of("inner", REASSURE_REFUSED_BUDGET));
	EXPECT_EQ(1, events_of("outer", REASSURE_COUNTER_RESCUES));
}

static int other_signal_program(void *arg)
{
	make_area();
	inside = raise_floating_point_fault;
	CHECK(outer_victim() == OUTER_RESCUED);
	inside = crash;
	CHECK(outer_victim() == 1);
	return 0;
}

TEST_F(nesting, signal_of_the_outer_alone)
{
	int64_t value = INNER_RESCUED;
	struct rescue_point inner = {
		.function = inner_victim,
		.name = "inner",
		.value = &value,
		.signals = SIGNAL_BIT(SIGSEGV),
	};

	ASSERT_EQ(0, protect_as(outer_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, rescue_point_add(&inner));
	EXPECT_EQ(0, child_run(other_signal_program, NULL));
	EXPECT_EQ(1, refused_of("inner", REASSURE_REFUSED_SIGNAL));
}

/* Rescue points go while calls of theirs are open. */
static uint32_t *meeting;

static void wait_and_crash(void)
{
	write_inner();
	meet_signal(&meeting[0]);
	meet_await(&meeting[1]);
	crash();
}

static int waiting_program(void *arg)
{
	make_area();
	before = write_outer;
	inside = wait_and_crash;
	return outer_victim() == 1 ? inner_answer == INNER_RESCUED ? 1 : 2 :
	       is_untouched() ? 3 : 4;
}

static int delete_and_crash(const char *name)
{
	pid_t child;

	memset(meeting, 0, 2 * sizeof(*meeting));
	child = child_start(waiting_program, NULL);
	meet_await(&meeting[0]);
	if (rescue_point_delete(name))
		return -1000;
	meet_signal(&meeting[1]);
	return child_wait(child);
}

TEST_F(nesting, outer_is_deleted)
{
	meeting = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(1, delete_and_crash("outer"));
	EXPECT_EQ(1, events_of("inner", REASSURE_COUNTER_RESCUES));
}

TEST_F(nesting, inner_is_deleted)
{
	meeting = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(3, delete_and_crash("inner"));
	EXPECT_EQ(1, events_of("outer", REASSURE_COUNTER_RESCUES));
}

static int deleting_program(void *arg)
{
	make_area();
	before = write_outer;
	inside = wait_and_crash;
	outer_victim();
	return 0;
}

TEST_F(nesting, both_are_deleted)
{
	pid_t child;

	meeting = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, protect_both());
	child = child_start(deleting_program, NULL);
	meet_await(&meeting[0]);
	ASSERT_EQ(0, rescue_points_flush());
	meet_signal(&meeting[1]);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
}

/* The inner call is left without a return. */
static jmp_buf landing;

static void jump_out(void)
{
	write_inner();
	longjmp(landing, 1);
}

static long __noipa jumping_victim(bool crashes)
{
	char block[512];

	write_outer();
	if (!setjmp(landing)) {
		inside = jump_out;
		inner_victim();
	}
	memset(block, 1, sizeof(block));
	barrier();
	if (crashes)
		crash();
	return 1;
}

static int jumping_program(void *arg)
{
	int i;

	for (i = 0; i < 10; i++) {
		make_area();
		CHECK(jumping_victim(false) == 1);
		CHECK(begins_with(1, 'i') && begins_with(0, 'o'));
		munmap(area, AREA_PAGES * PAGE_SIZE);
		make_area();
		CHECK(jumping_victim(true) == OUTER_RESCUED);
		CHECK(is_untouched());
		munmap(area, AREA_PAGES * PAGE_SIZE);
	}
	return 0;
}

TEST_F(nesting, inner_is_left_by_longjmp)
{
	ASSERT_EQ(0, protect_as(jumping_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_as(inner_victim, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(jumping_program, NULL));
	EXPECT_EQ(10, events_of("outer", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_of("inner", REASSURE_COUNTER_RESCUES));
}

/* Mappings that the outer call has changed: it covers the inner one. */
static char *mapped;

static void map_something(void)
{
	mapped = private_memory(4 * PAGE_SIZE);
	memset(mapped, 1, 4 * PAGE_SIZE);
}

static int mapping_program(void *arg)
{
	int i;

	make_area();
	for (i = 0; i < 10; i++) {
		before = map_something;
		inside = write_inner_and_crash;
		CHECK(outer_victim() == OUTER_RESCUED);
		CHECK(is_untouched());
	}
	return 0;
}

TEST_F(nesting, mappings_changed_by_the_outer)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(mapping_program, NULL));
	EXPECT_EQ(10, events_of("outer", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_of("inner", REASSURE_COUNTER_CHECKPOINTS));
}

static void map_and_crash(void)
{
	map_something();
	munmap(page(1), PAGE_SIZE);
	crash();
}

static int inner_mapping_program(void *arg)
{
	int i;

	for (i = 0; i < 10; i++) {
		make_area();
		before = write_outer;
		inside = map_and_crash;
		after = i % 2 ? write_after_and_crash : NULL;
		if (i % 2) {
			CHECK(outer_victim() == OUTER_RESCUED);
			CHECK(is_untouched());
		} else {
			CHECK(outer_victim() == 1);
			CHECK(begins_with(1, 'o') && begins_with(2, 'e'));
		}
		munmap(area, AREA_PAGES * PAGE_SIZE);
	}
	return 0;
}

TEST_F(nesting, mappings_changed_by_the_inner)
{
	ASSERT_EQ(0, protect_both());
	EXPECT_EQ(0, child_run(inner_mapping_program, NULL));
	EXPECT_EQ(10, events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(5, events_of("outer", REASSURE_COUNTER_RESCUES));
}

/* Each has its deadline; it is the call that is late which is taken back. */
static void spin(void)
{
	write_inner();
	for (;;)
		barrier();
}

static int spinning_program(void *arg)
{
	make_area();
	before = write_outer;
	inside = spin;
	CHECK(outer_victim() == (long)arg);
	if ((long)arg == OUTER_RESCUED)
		CHECK(is_untouched());
	else
		CHECK(inner_answer == INNER_RESCUED && begins_with(1, 'o'));
	return 0;
}

static int protect_late(const void *function, const char *name, int64_t value,
			unsigned int milliseconds)
{
	struct rescue_point rp = {
		.function = function,
		.name = name,
		.value = &value,
		.deadline_ms = milliseconds,
	};

	return rescue_point_add(&rp);
}

TEST_F(nesting, deadline_of_the_outer)
{
	ASSERT_EQ(0, protect_late(outer_victim, "outer", OUTER_RESCUED, 50));
	ASSERT_EQ(0, protect_as(inner_victim, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(spinning_program, (void *)OUTER_RESCUED));
	EXPECT_EQ(1, events_of("outer", REASSURE_COUNTER_DEADLINES));
}

TEST_F(nesting, deadline_of_the_inner)
{
	ASSERT_EQ(0, protect_as(outer_victim, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_late(inner_victim, "inner", INNER_RESCUED, 50));
	EXPECT_EQ(0, child_run(spinning_program, (void *)1));
	EXPECT_EQ(1, events_of("inner", REASSURE_COUNTER_DEADLINES));
}

/* Beside a thread that is stopped for the outer call. */
#define THREAD_CALLS	100

struct account {
	long outer;
	long inner;
};

static __thread struct account account;
static __thread bool crashes;

static long __noipa threads_inner(void)
{
	account.inner++;
	if (crashes)
		crash();
	return 2;
}

static long __noipa threads_outer(void)
{
	account.outer++;
	return threads_inner();
}

static void *run_thread(void *arg)
{
	long i, rescued = 0;

	for (i = 0; i < THREAD_CALLS; i++) {
		crashes = i % 3 == 0;
		rescued += crashes;
		CHECK(threads_outer() == (crashes ? INNER_RESCUED : 2));
		CHECK(account.outer == i + 1);
		CHECK(account.inner == i + 1 - rescued);
	}
	return NULL;
}

static void *sleep_on(void *arg)
{
	pause();
	return NULL;
}

static int one_thread_program(void *arg)
{
	pthread_t thread;

	/* One that sleeps until the end. */
	CHECK(!pthread_create(&thread, NULL, sleep_on, NULL));
	usleep(100000);
	run_thread(NULL);
	return 0;
}

/* All of them inside calls inside calls, one after the other. */
#define NESTING_THREADS	4

static pthread_barrier_t nesting_barrier;

static void *run_among_threads(void *arg)
{
	/* A thread that comes or goes would have calls refused. */
	pthread_barrier_wait(&nesting_barrier);
	run_thread(arg);
	pthread_barrier_wait(&nesting_barrier);
	return NULL;
}

static int threads_program(void *arg)
{
	pthread_t threads[NESTING_THREADS];
	int i;

	CHECK(!pthread_barrier_init(&nesting_barrier, NULL, NESTING_THREADS));
	for (i = 0; i < NESTING_THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, run_among_threads,
				      NULL));
	for (i = 0; i < NESTING_THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return 0;
}

static int protect_patiently(const void *function, const char *name,
			     int64_t value)
{
	struct rescue_point rp = {
		.function = function,
		.name = name,
		.value = &value,
		.watchdog_ms = 10000,
	};

	return rescue_point_add(&rp);
}

TEST_F(nesting, in_all_threads)
{
	ASSERT_EQ(0, protect_patiently(threads_outer, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_patiently(threads_inner, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(threads_program, NULL));
	EXPECT_EQ(NESTING_THREADS * ((THREAD_CALLS + 2) / 3),
		  events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The outer call waits for one that is stopped, after an inner one was rescued. */
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *hold(void *arg)
{
	CHECK(!pthread_mutex_lock(&held));
	usleep(300000);
	CHECK(!pthread_mutex_unlock(&held));
	return NULL;
}

static long __noipa locking_outer(void)
{
	if (threads_inner() != INNER_RESCUED)
		return 0;
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	return 1;
}

static int locking_program(void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, hold, NULL));
	usleep(100000);
	crashes = true;
	CHECK(locking_outer() == 1);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

TEST_F(nesting, given_up_after_a_rescue_inside)
{
	ASSERT_EQ(0, protect_as(locking_outer, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_as(threads_inner, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(locking_program, NULL));
	EXPECT_EQ(1, events_of("inner", REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_of("outer", REASSURE_COUNTER_GIVEN_UP));
}

TEST_F(nesting, with_another_thread)
{
	ASSERT_EQ(0, protect_as(threads_outer, "outer", OUTER_RESCUED));
	ASSERT_EQ(0, protect_as(threads_inner, "inner", INNER_RESCUED));
	EXPECT_EQ(0, child_run(one_thread_program, NULL));
	EXPECT_EQ((THREAD_CALLS + 2) / 3,
		  events_of("inner", REASSURE_COUNTER_RESCUES));
}

/*
 * At random: calls inside calls, of two functions, that write to the pages of
 * an area.  Each call's entry state is in shared memory, where a rollback
 * changes nothing, and compared with what a rescue has left.
 */
#define RANDOM_PAGES	24
#define RANDOM_LEVELS	10
#define RANDOM_SIZE	(RANDOM_PAGES * PAGE_SIZE)

struct book {
	uint64_t seed;
	unsigned long rescues;
	unsigned long calls;
	int steps_left;
	char states[RANDOM_LEVELS][RANDOM_SIZE];
};

static struct book *book;
static char *random_area;

static unsigned int rnd(unsigned int below)
{
	book->seed = book->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (book->seed >> 33) % below;
}

static long random_one(int level);
static long random_two(int level);

static void random_steps(int level)
{
	char *at;
	long ret;

	while (book->steps_left > 0) {
		book->steps_left--;
		switch (rnd(8)) {
		case 0:
		case 1:
			if (level + 1 == RANDOM_LEVELS)
				break;
			memcpy(book->states[level + 1], random_area, RANDOM_SIZE);
			ret = rnd(2) ? random_one(level + 1) :
				       random_two(level + 1);
			if (ret == 1)
				break;
			book->rescues++;
			CHECK(ret == INNER_RESCUED);
			CHECK(!memcmp(book->states[level + 1], random_area,
				      RANDOM_SIZE));
			break;
		case 2:
			if (level)
				return;
			break;
		case 3:
			if (level && !rnd(2))
				crash();
			break;
		case 4:
			/* Where nothing is mapped any more, as after a read. */
			touch_read(random_area + rnd(RANDOM_SIZE));
			break;
		default:
			at = random_area + rnd(RANDOM_PAGES) * PAGE_SIZE;
			at[rnd(PAGE_SIZE)] = rnd(256);
		}
	}
}

static long __noipa random_one(int level)
{
	char on_stack[3000];

	book->calls++;
	memset(on_stack, level, sizeof(on_stack));
	barrier();
	random_steps(level);
	CHECK(memory_holds(on_stack, sizeof(on_stack), level));
	return 1;
}

static long __noipa random_two(int level)
{
	book->calls++;
	random_steps(level);
	return 1;
}

static int random_program(void *arg)
{
	long i;

	book->seed = (long)arg;
	for (i = 0; i < 30; i++) {
		random_area = private_memory(RANDOM_SIZE);
		/* Some pages exist, some do not. */
		memory_fill(random_area, rnd(RANDOM_SIZE), 7);
		book->steps_left = 300;
		random_steps(0);
		munmap(random_area, RANDOM_SIZE);
	}
	return 0;
}

static int protect_random(const void *function, const char *name)
{
	unsigned int often = 1000000;
	int64_t value = INNER_RESCUED;
	struct rescue_point rp = {
		.function = function,
		.name = name,
		.value = &value,
		.escalate = &often,
	};

	return rescue_point_add(&rp);
}

TEST_F_TIMEOUT(nesting, at_random, 600)
{
	unsigned long seed = number_from_environment("REASSURE_SEED", 1);
	unsigned long rounds = number_from_environment("REASSURE_SHORT", 0) ?
			       4 : 20;
	unsigned long i;

	book = shared_memory(sizeof(*book));
	ASSERT_EQ(0, protect_random(random_one, "one"));
	ASSERT_EQ(0, protect_random(random_two, "two"));
	for (i = 0; i < rounds; i++) {
		EXPECT_EQ(0, child_run(random_program, (void *)(seed + i)))
			TH_LOG("seed %lu", seed + i);
	}
	TH_LOG("%lu calls, %lu rescues", book->calls, book->rescues);
	EXPECT_LT(rounds, book->rescues);
	EXPECT_EQ(book->rescues, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
	/* None was covered by one around it. */
	EXPECT_EQ(book->calls, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

TEST_HARNESS_MAIN
