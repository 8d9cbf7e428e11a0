// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of a rescue point whose budget is spent return their error at once,
 * when it says so.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

/* What the children count, for the parent. */
static unsigned int *runs;

long __noipa run_and_fault(void)
{
	__atomic_add_fetch(runs, 1, __ATOMIC_RELAXED);
	touch_read(BAD_ADDRESS);
	return 1;
}

/* Functions whose first instruction is, or is not, emulated by the kernel. */
typeof(run_and_fault) begins_with_push, begins_with_mov, begins_with_endbr,
	begins_with_nop, begins_with_call, begins_with_jump, begins_with_sub;

#define VICTIM(name, first)					\
asm(".text\n"							\
	".globl " #name "\n"					\
	".type " #name ", @function\n"				\
	#name ":\n"						\
	first "\n"						\
	"jmp run_and_fault\n"					\
	".size " #name ", . - " #name "\n")

VICTIM(begins_with_push, "push %rbx; pop %rbx");
VICTIM(begins_with_mov, "mov %rsp, %rax");
VICTIM(begins_with_endbr, "endbr64");
VICTIM(begins_with_nop, "nopl 0(%rax)");
VICTIM(begins_with_call, "call 1f; 1: add $8, %rsp");
VICTIM(begins_with_jump, "jmp 1f; 1:");
VICTIM(begins_with_sub, "sub $24, %rsp; add $24, %rsp");

FIXTURE(skip)
{
};

FIXTURE_SETUP(skip)
{
	ASSERT_EQ(0, test_begin());
	runs = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(skip)
{
	munmap(runs, PAGE_SIZE);
	test_end(_metadata->passed);
}

static int protect(long (*function)(void), unsigned int seconds)
{
	struct rescue_point rp = {
		.function = function,
		.budget_rescues = 1,
		.budget_seconds = seconds,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
	};

	return rescue_point_add(&rp);
}

FIXTURE(function)
{
};

FIXTURE_VARIANT(function)
{
	long (*function)(void);
};

#define FUNCTION(name) FIXTURE_VARIANT_ADD(function, name) { .function = name }

FUNCTION(begins_with_push);
FUNCTION(begins_with_mov);
FUNCTION(begins_with_endbr);
FUNCTION(begins_with_nop);
FUNCTION(begins_with_call);
FUNCTION(begins_with_jump);
FUNCTION(begins_with_sub);

FIXTURE_SETUP(function)
{
	ASSERT_EQ(0, test_begin());
	runs = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(function)
{
	munmap(runs, PAGE_SIZE);
	test_end(_metadata->passed);
}

static int calling_program(void *arg)
{
	long (*function)(void) = arg;
	int i;

	for (i = 0; i < 100; i++)
		CHECK(function() == RESCUED);
	return 0;
}

TEST_F(function, returns_at_once)
{
	ASSERT_EQ(0, protect(variant->function, 3600));
	EXPECT_EQ(0, child_run(calling_program, variant->function));
	EXPECT_EQ(1, *runs);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(99, events_since_mark(REASSURE_COUNTER_SKIPPED));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* By default the next fault is fatal. */
TEST_F(skip, not_unless_told)
{
	struct rescue_point rp = {
		.function = run_and_fault,
		.budget_rescues = 1,
		.budget_seconds = 3600,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(calling_program, run_and_fault));
	EXPECT_EQ(2, *runs);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_SKIPPED));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_BUDGET));
}

static int refilling_program(void *arg)
{
	CHECK(run_and_fault() == RESCUED);
	/* Until it runs again. */
	while (*runs < 2) {
		CHECK(run_and_fault() == RESCUED);
		usleep(10000);
	}
	return 0;
}

TEST_F(skip, until_the_budget_has_refilled)
{
	char line[1024];
	int log = kernel_log_open();

	ASSERT_EQ(0, protect(run_and_fault, 1));
	EXPECT_EQ(0, child_run(refilling_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_LT(0, events_since_mark(REASSURE_COUNTER_SKIPPED));
	EXPECT_EQ(0, all_refused_since_mark());
	/* Told once for a time, not for each call. */
	EXPECT_TRUE(kernel_log_has(log, "return at once", line, sizeof(line)));
	EXPECT_FALSE(kernel_log_has(log, "return at once", line, sizeof(line)));
	close(log);
}

/* A function without a value leaves rax alone. */
static int void_program(void *arg)
{
	long rax;
	int i;

	for (i = 0; i < 3; i++) {
		asm volatile("call run_and_fault"
			     : "=a" (rax) : "a" (0x1234567890abcdef)
			     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
			       "r11", "memory", "cc");
		CHECK(rax == 0x1234567890abcdef);
	}
	return 0;
}

TEST_F(skip, function_without_a_value)
{
	struct rescue_point rp = {
		.function = run_and_fault,
		.returns_void = true,
		.budget_rescues = 1,
		.budget_seconds = 3600,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(void_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

/* All threads of a process, which cannot have a checkpoint. */
static void *calling_thread(void *arg)
{
	calling_program(run_and_fault);
	return NULL;
}

static int threaded_program(void *arg)
{
	pthread_t threads[4];
	int i;

	CHECK(run_and_fault() == RESCUED);
	for (i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, calling_thread, NULL));
	for (i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return 0;
}

TEST_F(skip, in_all_threads)
{
	ASSERT_EQ(0, protect(run_and_fault, 3600));
	EXPECT_EQ(0, child_run(threaded_program, NULL));
	EXPECT_EQ(1, *runs);
	EXPECT_EQ(400, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

/* Inside another's call, which is rescued afterwards. */
static long __noipa outer_victim(int *counter)
{
	++*counter;
	CHECK(run_and_fault() == RESCUED);
	touch_read(BAD_ADDRESS);
	return 1;
}

static int nested_program(void *arg)
{
	int counter = 0;

	CHECK(run_and_fault() == RESCUED);
	CHECK(outer_victim(&counter) == RESCUED);
	CHECK(outer_victim(&counter) == RESCUED);
	CHECK(!counter);
	return 0;
}

TEST_F(skip, inside_another_call)
{
	struct rescue_point outer = {
		.function = outer_victim,
		.name = "outer",
	};

	ASSERT_EQ(0, protect(run_and_fault, 3600));
	ASSERT_EQ(0, rescue_point_add(&outer));
	EXPECT_EQ(0, child_run(nested_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

/* More deeply than the kernel has return probes for a thread. */
static long __noipa deep_victim(int depth)
{
	long value = depth ? deep_victim(depth - 1) : run_and_fault();

	barrier();
	return value;
}

static int deep_program(void *arg)
{
	CHECK(run_and_fault() == RESCUED);
	CHECK(deep_victim(100) == RESCUED);
	CHECK(deep_victim(100) == RESCUED);
	return 0;
}

TEST_F(skip, without_a_return_probe)
{
	struct rescue_point deep = {
		.function = deep_victim,
		.name = "deep",
	};

	ASSERT_EQ(0, protect(run_and_fault, 3600));
	ASSERT_EQ(0, rescue_point_add(&deep));
	EXPECT_EQ(0, child_run(deep_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_SKIPPED));
	EXPECT_EQ(1, *runs);
}

/* Signals come while calls are on their way out. */
static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	signals++;
}

static int disturbed_program(void *arg)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } };

	signal(SIGALRM, count_signal);
	CHECK(run_and_fault() == RESCUED);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	while (signals < 200)
		CHECK(run_and_fault() == RESCUED);
	return 0;
}

TEST_F(skip, among_signals)
{
	ASSERT_EQ(0, protect(run_and_fault, 3600));
	EXPECT_EQ(0, child_run(disturbed_program, NULL));
	EXPECT_EQ(1, *runs);
}

/*
 * The rescue point comes and goes while calls are skipped: each is rescued,
 * skipped, or faults as without the module.
 */
static sigjmp_buf way_out;

static void jump_out(int sig)
{
	siglongjmp(way_out, 1);
}

static int surviving_program(void *arg)
{
	signal(SIGSEGV, jump_out);
	meet_signal(&runs[1]);
	while (!__atomic_load_n(&runs[2], __ATOMIC_ACQUIRE))
		if (!sigsetjmp(way_out, 1))
			CHECK(run_and_fault() == RESCUED);
	return 0;
}

TEST_F(skip, deleted_meanwhile)
{
	pid_t children[2];
	int i;

	for (i = 0; i < 2; i++)
		children[i] = child_start(surviving_program, NULL);
	meet_await(&runs[1]);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, protect(run_and_fault, 3600));
		EXPECT_LT(0, events_awaited(REASSURE_COUNTER_SKIPPED, 1));
		ASSERT_EQ(0, rescue_point_delete("test"));
		counters_mark();
	}
	meet_signal(&runs[2]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, child_wait(children[i]));
}

TEST_HARNESS_MAIN
