// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks that overflow, are smashed, are left by longjmp() or are not the
 * usual ones.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

/* Deeper than the kernel nests return probes. */
#define DEEP		150

static int written = 1;

FIXTURE(stack)
{
};

FIXTURE_SETUP(stack)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(stack)
{
	test_end(_metadata->passed);
}

static void small_stack(void)
{
	struct rlimit limit = { 600000, 600000 };

	CHECK(!setrlimit(RLIMIT_STACK, &limit));
}

/* Overflow. */
static long __noipa recurse(long depth)
{
	char local[300];

	memset(local, depth, sizeof(local));
	asm volatile("" : : "r" (local) : "memory");
	return depth ? recurse(depth - 1) + local[7] : local[9];
}

static long __noipa overflowing_victim(void)
{
	written = 2;
	return recurse(1L << 40);
}

static int overflowing_program(void *arg)
{
	char local[5000];
	size_t i;
	int round;

	small_stack();
	for (round = 0; round < 3; round++) {
		memset(local, 0x42 + round, sizeof(local));
		barrier();
		CHECK(overflowing_victim() == RESCUED);
		CHECK(written == 1);
		for (i = 0; i < sizeof(local); i++)
			CHECK(local[i] == 0x42 + round);
		CHECK(recurse(100));
	}
	return 0;
}

TEST_F(stack, overflow_by_recursion)
{
	ASSERT_EQ(0, rescue_point_protect(overflowing_victim));
	EXPECT_EQ(0, child_run(overflowing_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The fault comes from the emulated or stepped push of a probe's function. */
/* So many calls of a thread can be open: the kernel probes no more returns. */
#define LEVELS	64

static int overflowing_inside_program(void *arg)
{
	/* All but the innermost add the last byte of how deep they are. */
	long expected = RESCUED - (LEVELS - 2) * (LEVELS - 3) / 2;
	int round;

	small_stack();
	for (round = 0; round < 3; round++) {
		CHECK(overflowing_victim() == expected);
		CHECK(written == 2);
		CHECK(recurse(100));
	}
	return 0;
}

TEST_F(stack, overflow_at_a_probed_instruction)
{
	struct rescue_point inner = { .function = recurse, .name = "inner" };

	ASSERT_EQ(0, rescue_point_protect(overflowing_victim));
	ASSERT_EQ(0, rescue_point_add(&inner));
	EXPECT_EQ(0, child_run(overflowing_inside_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The rescue point calls itself. */
static long __noipa recursive_victim(long depth, bool fault)
{
	char local[500];
	long below;

	memset(local, depth, sizeof(local));
	asm volatile("" : : "r" (local) : "memory");
	written = 2;
	if (!depth && fault)
		touch_read(BAD_ADDRESS);
	below = depth ? recursive_victim(depth - 1, fault) : 0;
	return below + (local[7] == (char)depth);
}

static int recursing_program(void *arg)
{
	/* Without and with more frames than the kernel can probe. */
	CHECK(recursive_victim(20, false) == 21);
	CHECK(recursive_victim(DEEP, false) == DEEP + 1);
	CHECK(written == 2);
	/* The innermost call that has a checkpoint returns; the others add 1. */
	CHECK(recursive_victim(20, true) == RESCUED + 20);
	CHECK(recursive_victim(DEEP, true) == RESCUED + LEVELS - 1);
	CHECK(recursive_victim(DEEP, false) == DEEP + 1);
	small_stack();
	CHECK(recursive_victim(1L << 40, false) == RESCUED + LEVELS - 1);
	CHECK(recursive_victim(3, false) == 4);
	return 0;
}

TEST_F(stack, recursion_of_the_rescue_point)
{
	ASSERT_EQ(0, rescue_point_protect(recursive_victim));
	EXPECT_EQ(0, child_run(recursing_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Smashed: the return address and what lies above it are overwritten. */
static unsigned long smash_with;
static int smash_words;

static long __noipa smashing_victim(void)
{
	unsigned long *frame = __builtin_frame_address(0);
	int i;

	written = 2;
	for (i = 0; i < smash_words; i++) {
		frame[i] = smash_with;
		barrier();
	}
	return 1;
}

struct smash {
	unsigned long with;
	int words;
};

static int smashing_program(void *arg)
{
	const struct smash *smash = arg;
	char local[3000];
	int round;
	size_t i;

	smash_with = smash->with;
	smash_words = smash->words;
	for (round = 0; round < 3; round++) {
		memset(local, 0x42 + round, sizeof(local));
		barrier();
		CHECK(smashing_victim() == RESCUED);
		CHECK(written == 1);
		for (i = 0; i < sizeof(local); i++)
			CHECK(local[i] == 0x42 + round);
	}
	return 0;
}

FIXTURE(smashed)
{
};

FIXTURE_VARIANT(smashed)
{
	struct smash smash;
};

/* The saved frame pointer and the return address; or much of the caller's. */
FIXTURE_VARIANT_ADD(smashed, null) { .smash = { 0, 2 } };
FIXTURE_VARIANT_ADD(smashed, unmapped) { .smash = { 0x41414141, 2 } };
FIXTURE_VARIANT_ADD(smashed, text) { .smash = { 0x4141414141414141, 2 } };
FIXTURE_VARIANT_ADD(smashed, caller) { .smash = { 0x41414141, 200 } };
FIXTURE_VARIANT_ADD(smashed, caller_by_text) {
	.smash = { 0x4141414141414141, 200 }
};

FIXTURE_SETUP(smashed)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(smashed)
{
	test_end(_metadata->passed);
}

TEST_F(smashed, return_address)
{
	ASSERT_EQ(0, rescue_point_protect(smashing_victim));
	EXPECT_EQ(0, child_run(smashing_program, (void *)&variant->smash));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* A function below the rescue point returns to nowhere. */
static long __noipa calling_victim(void)
{
	long ret = smashing_victim();

	barrier();
	return ret;
}

static int smashed_below_program(void *arg)
{
	smash_with = 0x41414141;
	smash_words = 2;
	CHECK(calling_victim() == RESCUED);
	CHECK(written == 1);
	smash_words = 100;
	CHECK(calling_victim() == RESCUED);
	CHECK(written == 1);
	return 0;
}

TEST_F(stack, smashed_below_the_rescue_point)
{
	ASSERT_EQ(0, rescue_point_protect(calling_victim));
	EXPECT_EQ(0, child_run(smashed_below_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Alternate signal stacks. */
static char *altstack;
static int *handled;

static void use_altstack(void)
{
	stack_t stack = { .ss_size = 65536 };

	altstack = private_memory(65536);
	stack.ss_sp = altstack;
	CHECK(!sigaltstack(&stack, NULL));
}

static void handle(int sig, void (*handler)(int sig))
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_ONSTACK,
	};

	CHECK(!sigaction(sig, &action, NULL));
}

static void faulting_handler(int sig)
{
	char local;

	CHECK(&local >= altstack && &local < altstack + 65536);
	touch_read(BAD_ADDRESS);
}

static long __noipa signalled_victim(void)
{
	written = 2;
	raise(SIGUSR1);
	return 1;
}

static int altstack_program(void *arg)
{
	sigset_t mask;
	stack_t stack;
	int i;

	use_altstack();
	handle(SIGUSR1, faulting_handler);
	for (i = 0; i < 3; i++) {
		CHECK(signalled_victim() == RESCUED);
		CHECK(written == 1);
		CHECK(!sigaltstack(NULL, &stack));
		CHECK(!(stack.ss_flags & (SS_ONSTACK | SS_DISABLE)));
		CHECK(stack.ss_sp == altstack);
		CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
		CHECK(!sigismember(&mask, SIGUSR1));
	}
	return 0;
}

TEST_F(stack, alternate_in_a_handler)
{
	ASSERT_EQ(0, rescue_point_protect(signalled_victim));
	EXPECT_EQ(0, child_run(altstack_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static void count_handler(int sig)
{
	++*handled;
	_exit(42);
}

static long __noipa plain_victim(void)
{
	written = 2;
	touch_read(BAD_ADDRESS);
	return 1;
}

static int handler_program(void *arg)
{
	use_altstack();
	handle(SIGSEGV, count_handler);
	CHECK(plain_victim() == RESCUED);
	small_stack();
	CHECK(overflowing_victim() == RESCUED);
	CHECK(written == 1);
	return 0;
}

TEST_F(stack, alternate_for_a_handler_that_does_not_run)
{
	struct rescue_point plain = { .function = plain_victim, .name = "plain" };

	handled = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_protect(overflowing_victim));
	ASSERT_EQ(0, rescue_point_add(&plain));
	EXPECT_EQ(0, child_run(handler_program, NULL));
	EXPECT_EQ(0, *handled);
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The rescue point itself runs on the alternate stack. */
static int rescued_in_handler;

static void calling_handler(int sig)
{
	char local;

	CHECK(&local >= altstack && &local < altstack + 65536);
	rescued_in_handler += plain_victim() == RESCUED;
}

static int handler_calls_program(void *arg)
{
	use_altstack();
	handle(SIGUSR1, calling_handler);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(rescued_in_handler == 2);
	CHECK(written == 1);
	CHECK(plain_victim() == RESCUED);
	return 0;
}

TEST_F(stack, alternate_with_the_rescue_point_on_it)
{
	ASSERT_EQ(0, rescue_point_protect(plain_victim));
	EXPECT_EQ(0, child_run(handler_calls_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* longjmp() out of a call. */
static jmp_buf environment;
static sigjmp_buf signal_environment;

static long __noipa jumping_victim(void)
{
	char local[2000];

	memset(local, 1, sizeof(local));
	asm volatile("" : : "r" (local) : "memory");
	written = 2;
	longjmp(environment, 1);
}

static int __noipa jump_out(void)
{
	if (setjmp(environment))
		return 1;
	jumping_victim();
	return 0;
}

static int jump_and_fault_program(void *arg)
{
	CHECK(jump_out());
	CHECK(written == 2);
	touch_read(BAD_ADDRESS);
	return 0;
}

TEST_F(stack, left_by_longjmp_then_fault)
{
	ASSERT_EQ(0, rescue_point_protect(jumping_victim));
	EXPECT_EQ(-SIGSEGV, child_run(jump_and_fault_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

/*
 * The same, where the stack is deeper than the call that was left.  If that
 * goes unnoticed, all is taken back to the entry, the jump included.
 */
static int jump_and_fault_deeper_program(void *arg)
{
	/* No page fault of the stack tells that the call was left. */
	recurse(100);
	if (jump_out()) {
		recursive_victim(10, true);
		return 1;
	}
	CHECK(written == 1);
	return 0;
}

TEST_F(stack, left_by_longjmp_then_deeper_fault)
{
	int ended;

	ASSERT_EQ(0, rescue_point_protect(jumping_victim));
	ended = child_run(jump_and_fault_deeper_program, NULL);
	/* Documented: whole either way, never a mixture. */
	if (events_since_mark(REASSURE_COUNTER_RESCUES)) {
		EXPECT_EQ(0, ended);
	} else {
		EXPECT_EQ(-SIGSEGV, ended);
		EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_LEFT));
	}
}

/* Where landings are probed it does not go unnoticed. */
TEST_F(stack, left_by_longjmp_then_deeper_fault_with_landings)
{
	struct rescue_point rp = {
		.function = jumping_victim,
		.landings = true,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(jump_and_fault_deeper_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	/* None is open any more that could refuse. */
	EXPECT_EQ(0, all_refused_since_mark());
}

static int jump_and_call_program(void *arg)
{
	int i;

	for (i = 0; i < 10; i++) {
		written = 1;
		CHECK(jump_out());
		CHECK(written == 2);
		/* Is kept by the next call's checkpoint. */
		written = 5 + i;
		CHECK(plain_victim() == RESCUED);
		CHECK(written == 5 + i);
	}
	/* Again and again the same one. */
	for (i = 0; i < 100; i++)
		CHECK(jump_out());
	CHECK(plain_victim() == RESCUED);
	return 0;
}

TEST_F(stack, left_by_longjmp_then_called_again)
{
	struct rescue_point plain = { .function = plain_victim, .name = "plain" };

	ASSERT_EQ(0, rescue_point_protect(jumping_victim));
	ASSERT_EQ(0, rescue_point_add(&plain));
	EXPECT_EQ(0, child_run(jump_and_call_program, NULL));
	EXPECT_EQ(11, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(110, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

static void jumping_handler(int sig)
{
	siglongjmp(signal_environment, 1);
}

static int __noipa jump_out_of_handler(void)
{
	if (sigsetjmp(signal_environment, 1))
		return 1;
	signalled_victim();
	return 0;
}

static int siglongjmp_program(void *arg)
{
	int i;

	use_altstack();
	handle(SIGUSR1, jumping_handler);
	for (i = 0; i < 5; i++) {
		CHECK(jump_out_of_handler());
		CHECK(written == 2);
		written = 1;
		CHECK(plain_victim() == RESCUED);
		CHECK(written == 1);
	}
	return 0;
}

TEST_F(stack, left_by_siglongjmp)
{
	struct rescue_point plain = { .function = plain_victim, .name = "plain" };

	ASSERT_EQ(0, rescue_point_protect(signalled_victim));
	ASSERT_EQ(0, rescue_point_add(&plain));
	EXPECT_EQ(0, child_run(siglongjmp_program, NULL));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

/* The program's own recovery, with the signal that we look at. */
static int own_recovery_program(void *arg)
{
	int i;

	handle(SIGSEGV, jumping_handler);
	for (i = 0; i < 5; i++) {
		if (!sigsetjmp(signal_environment, 1)) {
			plain_victim();
			CHECK(0);
		}
		CHECK(written == 2);
	}
	return 0;
}

TEST_F(stack, left_by_the_programs_own_recovery)
{
	struct rescue_point rp = {
		.function = plain_victim,
		.handled = REASSURE_HANDLED_LEAVE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(own_recovery_program, NULL));
	EXPECT_EQ(5, refused_since_mark(REASSURE_REFUSED_HANDLED));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(5, events_awaited(REASSURE_COUNTER_ABANDONED, 5));
}

TEST_HARNESS_MAIN
