// SPDX-License-Identifier: GPL-2.0
/*
 * A rescued call leaves the registers as the calling convention says that a
 * function leaves them, whatever it has done to them.
 */
#include <asm/prctl.h>
#include <fenv.h>
#include <signal.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "registers_calls.h"

#define FLAG_TRAP	0x100
#define FLAG_DIRECTION	0x400
#define FLAG_ALIGNMENT	0x40000

/* Control words that are neither the default nor what the victim sets. */
#define X87_CONTROL	0x0c7f
#define MXCSR		0x5f80
#define MXCSR_CONTROL	0xffc0

/* Filled by call_and_look(); outside of what a rollback touches. */
struct state *current_state;
int has_avx;

/* As a function does that has used them; else what comes next is slow. */
static void check_upper_halves(const struct state *state)
{
	int i;

	for (i = 0; i < 16; i++)
		CHECK(!state->vectors[i][2] && !state->vectors[i][3]);
}

static void check_state(const struct state *state)
{
	CHECK(state->rax == (uint64_t)RESCUED);
	CHECK(state->rbx == 0x1111111111111111);
	CHECK(state->rbp == 0x2222222222222222);
	CHECK(state->r12 == 0x3333333333333333);
	CHECK(state->r13 == 0x4444444444444444);
	CHECK(state->r14 == 0x5555555555555555);
	CHECK(state->r15 == 0x6666666666666666);
	CHECK(state->rsp_after == state->rsp_before);
	CHECK(!(state->flags & (FLAG_DIRECTION | FLAG_TRAP | FLAG_ALIGNMENT)));
	CHECK((state->mxcsr & MXCSR_CONTROL) == (MXCSR & MXCSR_CONTROL));
	CHECK((state->x87_control & 0xffff) == X87_CONTROL);
	/* Every register of the x87 stack is empty, its top is 0. */
	CHECK((state->x87_environment[2] & 0xffff) == 0xffff);
	CHECK(!(state->x87_environment[1] & 0x3800));
	check_upper_halves(state);
}

static int looking_program(void *function)
{
	struct state *state = shared_memory(sizeof(*state));
	int i;

	current_state = state;
	for (i = 0; i < 3; i++) {
		memset(state, 0, sizeof(*state));
		call_and_look(state, (void (*)(void))function);
		check_state(state);
		CHECK(fegetround() == FE_TONEAREST);
	}
	return 0;
}

FIXTURE(registers)
{
};

FIXTURE_SETUP(registers)
{
	ASSERT_EQ(0, test_begin());
	has_avx = __builtin_cpu_supports("avx");
}

FIXTURE_TEARDOWN(registers)
{
	test_end(_metadata->passed);
}

TEST_F(registers, are_kept_as_by_any_function)
{
	ASSERT_EQ(0, rescue_point_protect(mess_and_fault));
	EXPECT_EQ(0, child_run(looking_program, mess_and_fault));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(registers, are_kept_when_the_call_is_skipped)
{
	struct rescue_point rp = {
		.function = mess_and_fault,
		.budget_rescues = 1,
		.budget_seconds = 3600,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(looking_program, mess_and_fault));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

TEST_F(registers, upper_halves_are_clear)
{
	if (!has_avx)
		SKIP(return, "the processor has no AVX");
	ASSERT_EQ(0, rescue_point_protect(mess_and_fault));
	EXPECT_EQ(0, child_run(looking_program, mess_and_fault));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(registers, x87_stack_is_empty_after_mmx)
{
	ASSERT_EQ(0, rescue_point_protect(mmx_and_fault));
	EXPECT_EQ(0, child_run(looking_program, mmx_and_fault));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static long __noipa blocking_victim(void)
{
	sigset_t mask;

	sigfillset(&mask);
	sigdelset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	touch_read(BAD_ADDRESS);
	return 1;
}

static int masking_program(void *arg)
{
	sigset_t before, after;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	sigaddset(&before, SIGRTMIN + 3);
	CHECK(!sigprocmask(SIG_SETMASK, &before, NULL));
	CHECK(blocking_victim() == RESCUED);
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &after));
	CHECK(!memcmp(&before, &after, 8));
	return 0;
}

TEST_F(registers, signal_mask_is_as_at_entry)
{
	ASSERT_EQ(0, rescue_point_protect(blocking_victim));
	EXPECT_EQ(0, child_run(masking_program, NULL));
}

static __thread int thread_local = 3;

/* Without thread-local storage there is no errno and no way to return. */
static long __noipa moving_victim(void)
{
	static unsigned long elsewhere[512];
	long ret;

	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234);
	asm volatile("syscall; movq 8, %%rax" : "=a" (ret)
		     : "a" (SYS_arch_prctl), "D" (ARCH_SET_FS),
		     "S" (elsewhere + 256) : "rcx", "r11", "memory");
	return ret;
}

static int moving_program(void *arg)
{
	unsigned long gs = 1;
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(moving_victim() == RESCUED);
		CHECK(thread_local == 3);
		CHECK(!syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
		CHECK(!gs);
	}
	return 0;
}

TEST_F(registers, segment_bases_are_as_at_entry)
{
	ASSERT_EQ(0, rescue_point_protect(moving_victim));
	EXPECT_EQ(0, child_run(moving_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* What a protection key that is nobody's allows. */
#define RIGHTS	0x30000000

static uint32_t read_rights(void)
{
	uint32_t rights, none;

	asm volatile("rdpkru" : "=a" (rights), "=d" (none) : "c" (0));
	return rights;
}

static void write_rights(uint32_t rights)
{
	asm volatile("wrpkru" : : "a" (rights), "c" (0), "d" (0) : "memory");
}

static long __noipa forbidding_victim(void)
{
	write_rights(read_rights() ^ RIGHTS);
	touch_read(BAD_ADDRESS);
	return 1;
}

/* CR4.PKE, as cpuid tells. */
static bool has_rights(void)
{
	uint32_t a = 7, b, c = 0, d;

	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
	return c & 1 << 4;
}

static int forbidding_program(void *arg)
{
	uint32_t before;
	int i;

	for (i = 0; i < 4; i++) {
		write_rights(read_rights() ^ RIGHTS);
		before = read_rights();
		CHECK(forbidding_victim() == RESCUED);
		CHECK(read_rights() == before);
	}
	return 0;
}

TEST_F(registers, protection_keys_are_as_at_entry)
{
	if (!has_rights())
		SKIP(return, "the processor has no protection keys");
	ASSERT_EQ(0, rescue_point_protect(forbidding_victim));
	EXPECT_EQ(0, child_run(forbidding_program, NULL));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/*
 * A handler that faults while sigsuspend() waits: the mask that the system
 * call would have put back must not come later.
 */
static void faulting_handler(int sig)
{
	touch_read(BAD_ADDRESS);
}

static long __noipa suspended_victim(void)
{
	sigset_t none;

	sigemptyset(&none);
	raise(SIGUSR1);
	sigsuspend(&none);
	return 1;
}

static int suspending_program(void *arg)
{
	sigset_t before, after;

	signal(SIGUSR1, faulting_handler);
	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	sigaddset(&before, SIGUSR2);
	CHECK(!sigprocmask(SIG_SETMASK, &before, NULL));
	CHECK(suspended_victim() == RESCUED);
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &after));
	CHECK(!memcmp(&before, &after, 8));
	return 0;
}

TEST_F(registers, mask_of_sigsuspend_does_not_stay)
{
	ASSERT_EQ(0, rescue_point_protect(suspended_victim));
	EXPECT_EQ(0, child_run(suspending_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
