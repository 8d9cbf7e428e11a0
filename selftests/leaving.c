// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are left in other ways than by their return, and functions with
 * several exits, which are probed.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "leaving_throw.h"

#define STACK_SIZE	(256 << 10)

static int changed;

void crash(void)
{
	touch_read(BAD_ADDRESS);
}

static int protect_exits(const void *function)
{
	struct rescue_point rp = {
		.function = function,
		.probe_exits = true,
	};

	return rescue_point_add(&rp);
}

/* Far below, so that what stands on the stack between is let be. */
static __always_inline void fault_far_below(void)
{
	asm volatile("sub $32768, %%rsp\n"
		     "movb 8, %%al\n"
		     "add $32768, %%rsp\n" : : : "rax", "cc", "memory");
}

/* With and without exit probes. */
static int protect_landings(const void *function, bool probe_exits)
{
	struct rescue_point rp = {
		.function = function,
		.probe_exits = probe_exits,
		.landings = true,
	};

	return rescue_point_add(&rp);
}

FIXTURE(leaving)
{
};

FIXTURE_SETUP(leaving)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(leaving)
{
	test_end(_metadata->passed);
}

/* All ways to return that a compiler makes, by which way they are taken. */
static long __noipa other(long value)
{
	changed++;
	return value + 1000;
}

/* A tail call, as -O2 would make it. */
long many_exits(long way, bool crashes);
asm(".pushsection .text\n"
	".type many_exits, @function\n"
	"many_exits:\n"
	"	push %rbx\n"
	"	mov %rdi, %rbx\n"
	"	incl changed(%rip)\n"
	"	test %sil, %sil\n"
	"	je 1f\n"
	"	mov 8, %al\n"
	"1:	cmp $1, %rbx\n"
	"	je 2f\n"
	"	cmp $2, %rbx\n"
	"	je 3f\n"
	"	cmp $3, %rbx\n"
	"	je 4f\n"
	"	mov $10, %eax\n"
	"	pop %rbx\n"
	"	ret\n"
	"2:	mov $11, %eax\n"
	"	pop %rbx\n"
	"	rep ret\n"
	"3:	mov $12, %edi\n"
	"	pop %rbx\n"
	"	jmp other\n"
	"4:	mov $13, %edi\n"
	"	pop %rbx\n"
	"	lea other(%rip), %rax\n"
	"	jmp *%rax\n"
	".size many_exits, .-many_exits\n"
	".popsection\n");

#define WAYS	4

static int many_exits_program(void *arg)
{
	static const long returned[WAYS] = { 10, 11, 1012, 1013 };
	long way;

	for (way = 0; way < WAYS; way++) {
		changed = 0;
		CHECK(many_exits(way, false) == returned[way]);
		CHECK(changed == (way < 2 ? 1 : 2));
		CHECK(many_exits(way, true) == RESCUED);
		CHECK(changed == (way < 2 ? 1 : 2));
	}
	return 0;
}

TEST_F(leaving, by_many_exits)
{
	CHECK(other(0) == 1000);
	ASSERT_EQ(0, protect_exits(many_exits));
	EXPECT_EQ(0, child_run(many_exits_program, NULL));
	EXPECT_EQ(WAYS, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(WAYS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

/*
 * A call that is refused, of a process that shares its memory with another,
 * whose return address is another than at its entry.
 */
void swaps_its_return(void);
asm(".pushsection .text\n"
	".type swaps_its_return, @function\n"
	"swaps_its_return:\n"
	"	lea 1f(%rip), %rax\n"
	"	mov (%rsp), %rdx\n"
	"	mov %rax, (%rsp)\n"
	"	ret\n"
	"1:	jmp *%rdx\n"
	".size swaps_its_return, .-swaps_its_return\n"
	".popsection\n");

static int swapping_program(void *arg)
{
	pid_t child = vfork();
	int status;

	if (!child) {
		swaps_its_return();
		swaps_its_return();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

TEST_F(leaving, refused_and_with_another_return_address)
{
	ASSERT_EQ(0, protect_exits(swaps_its_return));
	EXPECT_EQ(0, child_run(swapping_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

/* What a call did after it was left is not undone. */
static int fault_after_program(void *arg)
{
	CHECK(many_exits((long)arg, false));
	crash();
	return 0;
}

TEST_F(leaving, then_a_fault_is_fatal)
{
	long way;

	ASSERT_EQ(0, protect_exits(many_exits));
	for (way = 0; way < WAYS; way++)
		EXPECT_EQ(-SIGSEGV,
			  child_run(fault_after_program, (void *)way));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(WAYS, events_since_mark(REASSURE_COUNTER_COMMITS));
}

/* The exits of an inner call do not end the outer one. */
static long __noipa recursive_victim(long depth)
{
	long value = 0;

	changed++;
	if (depth)
		value = recursive_victim(depth - 1) + 1;
	else
		changed++;
	if (depth == 50 && changed > 100)
		crash();
	return value;
}

static int recursive_program(void *arg)
{
	CHECK(recursive_victim(20) == 20);
	CHECK(changed == 22);
	changed = 100;
	CHECK(recursive_victim(50) == RESCUED);
	CHECK(changed == 100);
	changed = -10000;
	/* Deeper than the kernel nests return probes. */
	CHECK(recursive_victim(1000) == 1000);
	return 0;
}

TEST_F(leaving, by_recursion)
{
	ASSERT_EQ(0, protect_exits(recursive_victim));
	EXPECT_EQ(0, child_run(recursive_program, NULL));
	/* Of a thread 64 calls are open at most. */
	EXPECT_EQ(21 + 50 + 64, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* By a C++ exception, or with one inside. */
static int exception_program(void *arg)
{
	int i;

	for (i = 0; i < 10; i++) {
		thrown_state = 0;
		CHECK(catch_thrown(THROW_NOTHING) == 1);
		CHECK(thrown_state == 21);
		CHECK(catch_thrown(THROW_OUT) == CAUGHT);
		CHECK(thrown_state == 42);
		CHECK(catch_thrown(THROW_INSIDE) == RESCUED);
		CHECK(catch_thrown(THROW_CRASH) == RESCUED);
		CHECK(thrown_state == 42);
	}
	return 0;
}

TEST_F(leaving, by_exception)
{
	ASSERT_EQ(0, protect_exits(throwing_victim));
	EXPECT_EQ(0, child_run(exception_program, NULL));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(20, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/*
 * With a return probe the unwinder finds no frame behind the call, and the program
 * is aborted before anything is destroyed: that is a fault inside.
 */
static int uncaught_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(catch_thrown(THROW_OUT) == RESCUED);
		CHECK(thrown_state == 0);
		CHECK(catch_thrown(THROW_INSIDE) == RESCUED);
		CHECK(thrown_state == 0);
		CHECK(catch_thrown(THROW_NOTHING) == 1);
		CHECK(thrown_state == 21);
		thrown_state = 0;
	}
	return 0;
}

static void by_exception_with_return_probe(struct __test_metadata *_metadata,
					   bool landings)
{
	struct rescue_point rp = {
		.function = throwing_victim,
		.landings = landings,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(uncaught_program, NULL));
	EXPECT_EQ(6, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_ABANDONED));
	ASSERT_EQ(0, rescue_point_delete("test"));
	/* Where that is not one to rescue from, the program ends. */
	rp.signals = SIGNAL_BIT(SIGSEGV);
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGABRT, child_run(uncaught_program, NULL));
}

TEST_F(leaving, by_exception_is_a_fault_with_a_return_probe)
{
	by_exception_with_return_probe(_metadata, false);
}

TEST_F(leaving, by_exception_is_a_fault_with_a_return_probe_and_landings)
{
	by_exception_with_return_probe(_metadata, true);
}

static int fault_after_exception_program(void *arg)
{
	CHECK(catch_thrown(THROW_OUT) == CAUGHT);
	crash();
	return 0;
}

TEST_F(leaving, by_exception_then_a_fault_is_fatal)
{
	ASSERT_EQ(0, protect_exits(throwing_victim));
	EXPECT_EQ(-SIGSEGV, child_run(fault_after_exception_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The thread ends inside; its clean-up handlers run. */
static void clean_up(void *arg)
{
	changed += 10;
}

static long __noipa exiting_victim(bool ends)
{
	changed++;
	pthread_cleanup_push(clean_up, NULL);
	if (ends)
		pthread_exit(NULL);
	pthread_cleanup_pop(0);
	return 1;
}

static void check_cleaned_up(void)
{
	/* The status of a process whose last thread has ended is 0. */
	if (changed != 11)
		_exit(1);
}

static int exiting_program(void *arg)
{
	CHECK(exiting_victim(false) == 1);
	changed = 0;
	atexit(check_cleaned_up);
	exiting_victim(true);
	return 1;
}

TEST_F(leaving, by_pthread_exit)
{
	ASSERT_EQ(0, protect_exits(exiting_victim));
	EXPECT_EQ(0, child_run(exiting_program, NULL));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

static void *exiting_thread(void *arg)
{
	exiting_victim(true);
	CHECK(false);
	return NULL;
}

static int exiting_thread_program(void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, exiting_thread, NULL));
	CHECK(!pthread_join(thread, NULL));
	CHECK(changed == 11);
	CHECK(exiting_victim(false) == 1);
	return 0;
}

static void by_pthread_exit_with_return_probe(struct __test_metadata *_metadata,
					      bool landings)
{
	struct rescue_point rp = {
		.function = exiting_victim,
		.landings = landings,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(exiting_program, NULL));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_EQ(0, child_run(exiting_thread_program, NULL));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The same, where the unwinder finds no more frames behind the call. */
TEST_F(leaving, by_pthread_exit_with_a_return_probe)
{
	by_pthread_exit_with_return_probe(_metadata, false);
}

TEST_F(leaving, by_pthread_exit_with_a_return_probe_and_landings)
{
	by_pthread_exit_with_return_probe(_metadata, true);
}

/* By a switch to another stack, on which the same function runs. */
static ucontext_t here, there;

static long __noipa switching_victim(ucontext_t *from, ucontext_t *to)
{
	changed++;
	if (from)
		CHECK(!swapcontext(from, to));
	else
		crash();
	changed++;
	return 5;
}

static void other_stack(void)
{
	int i;

	for (i = 0; ; i++) {
		CHECK(switching_victim(NULL, NULL) == RESCUED);
		CHECK(switching_victim(&there, &here) == 5);
	}
}

static void make_context(void (*body)(void))
{
	char *stack = private_memory(STACK_SIZE);

	CHECK(!getcontext(&there));
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = STACK_SIZE;
	makecontext(&there, body, 0);
}

static int switching_program(void *arg)
{
	int i;

	make_context(other_stack);
	for (i = 0; i < 10; i++) {
		CHECK(switching_victim(&here, &there) == 5);
		CHECK(switching_victim(NULL, NULL) == RESCUED);
	}
	return 0;
}

TEST_F(leaving, by_switches_of_the_stack)
{
	ASSERT_EQ(0, protect_exits(switching_victim));
	EXPECT_EQ(0, child_run(switching_program, NULL));
	EXPECT_LE(10, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/*
 * Where a return probe is asked for, the kernel would kill the program: it is
 * not protected any more, and goes on.
 */
static void other_stack_for_long(void)
{
	for (;;)
		CHECK(switching_victim(&there, &here) == 5);
}

static int not_killed_program(void *arg)
{
	int i;

	make_context(other_stack_for_long);
	for (i = 0; i < 10; i++)
		CHECK(switching_victim(&here, &there) == 5);
	return 0;
}

TEST_F(leaving, is_not_killed_by_a_return_probe)
{
	ASSERT_EQ(0, rescue_point_protect(switching_victim));
	EXPECT_EQ(0, child_run(not_killed_program, NULL));
	/* The breakpoint goes with the first. */
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PROBE));
}

/*
 * Left for a place further up, and then a fault in a frame below, where the
 * call's return address stands still: it is not the call's.
 */
static sigjmp_buf out;
static ucontext_t outside;
static bool is_out;

static void on_signal(int sig)
{
	siglongjmp(out, 1);
}

static void take_signal(void (*handler)(int sig), int flags)
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = flags,
	};

	CHECK(!sigaction(SIGUSR1, &action, NULL));
}

static void use_signal_stack(void)
{
	stack_t stack = {
		.ss_sp = private_memory(STACK_SIZE),
		.ss_size = STACK_SIZE,
	};

	CHECK(!sigaltstack(&stack, NULL));
	take_signal(on_signal, SA_ONSTACK);
}

enum jump { LONGJMP, SIGLONGJMP, SETCONTEXT, SIGNAL, JUMPS };

static long __noipa jumping_victim(enum jump how)
{
	changed++;
	switch (how) {
	case LONGJMP:
		longjmp(out, 1);
	case SIGLONGJMP:
		siglongjmp(out, 1);
	case SETCONTEXT:
		setcontext(&outside);
		break;
	case SIGNAL:
		raise(SIGUSR1);
		break;
	default:
		break;
	}
	return 1;
}

/* So far that nothing on the way out comes to the call's stack. */
static long __noipa jump_from_afar(enum jump how)
{
	char unused[16384];

	asm volatile("" : : "r" (unused) : "memory");
	return jumping_victim(how) + 1;
}

/* To the very caller: what lands has the least stack pointer that is outside. */
static int jump_to_caller_program(void *arg)
{
	CHECK(!getcontext(&outside));
	if (!is_out) {
		is_out = true;
		jumping_victim((long)arg);
		return 1;
	}
	fault_far_below();
	return 2;
}

static int jump_program(void *arg)
{
	enum jump how = (long)arg;

	if (how == SIGNAL)
		use_signal_stack();
	if (how == SETCONTEXT) {
		CHECK(!getcontext(&outside));
		if (!is_out) {
			is_out = true;
			jump_from_afar(how);
			return 1;
		}
	} else if (!sigsetjmp(out, how != LONGJMP)) {
		jump_from_afar(how);
		return 1;
	}
	CHECK(changed == 1);
	fault_far_below();
	return 2;
}

static void leave_by_jumps(struct __test_metadata *_metadata, bool probe_exits)
{
	long how;

	ASSERT_EQ(0, protect_landings(jumping_victim, probe_exits));
	for (how = 0; how < JUMPS; how++)
		EXPECT_EQ(-SIGSEGV, child_run(jump_program, (void *)how));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(JUMPS, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(JUMPS, events_since_mark(REASSURE_COUNTER_ABANDONED));
	/* None is open any more that could refuse. */
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(leaving, by_a_jump_to_its_caller)
{
	ASSERT_EQ(0, protect_landings(jumping_victim, true));
	EXPECT_EQ(-SIGSEGV, child_run(jump_to_caller_program,
				      (void *)SETCONTEXT));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(leaving, by_jumps_then_a_fault_below_is_fatal)
{
	leave_by_jumps(_metadata, false);
}

TEST_F(leaving, by_jumps_past_its_exits_then_a_fault_below_is_fatal)
{
	leave_by_jumps(_metadata, true);
}

static int fault_below_exception_program(void *arg)
{
	CHECK(catch_from_afar(THROW_OUT) == CAUGHT);
	fault_far_below();
	return 2;
}

TEST_F(leaving, by_exception_then_a_fault_below_is_fatal)
{
	ASSERT_EQ(0, protect_landings(throwing_victim, true));
	EXPECT_EQ(-SIGSEGV, child_run(fault_below_exception_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Exceptions that stay inside leave it protected, too. */
TEST_F(leaving, by_exception_with_landings)
{
	ASSERT_EQ(0, protect_landings(throwing_victim, true));
	EXPECT_EQ(0, child_run(exception_program, NULL));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(20, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A call on the stack of signals, left for the other stack. */
static void handler_that_jumps(int sig)
{
	if (is_out)
		fault_far_below();
	is_out = true;
	jumping_victim(SIGLONGJMP);
}

static int signal_stack_program(void *arg)
{
	use_signal_stack();
	take_signal(handler_that_jumps, SA_ONSTACK);
	if (!sigsetjmp(out, true)) {
		raise(SIGUSR1);
		return 1;
	}
	/* The same frames again. */
	raise(SIGUSR1);
	return 2;
}

TEST_F(leaving, a_call_on_the_stack_of_signals)
{
	ASSERT_EQ(0, protect_landings(jumping_victim, false));
	EXPECT_EQ(-SIGSEGV, child_run(signal_stack_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* What lands inside has not left. */
static long __noipa landing_victim(void)
{
	volatile int times = 0;

	changed++;
	setjmp(out);
	if (times++ < 3)
		longjmp(out, 1);
	/* From the stack of signals. */
	if (!sigsetjmp(out, true))
		raise(SIGUSR1);
	CHECK(!getcontext(&outside));
	if (times++ < 8)
		setcontext(&outside);
	crash();
	return 1;
}

static int landing_program(void *arg)
{
	int i;

	use_signal_stack();
	for (i = 0; i < 3; i++) {
		CHECK(landing_victim() == RESCUED);
		CHECK(!changed);
	}
	return 0;
}

TEST_F(leaving, not_by_what_lands_inside)
{
	ASSERT_EQ(0, protect_landings(landing_victim, false));
	EXPECT_EQ(0, child_run(landing_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

/* Nor by what happens on another stack, to which it switches and back. */
static void jump_on_other_stack(void)
{
	for (;;) {
		if (!setjmp(out))
			longjmp(out, 1);
		CHECK(!swapcontext(&there, &here));
	}
}

static long __noipa coroutine_victim(bool crashes)
{
	changed++;
	CHECK(!swapcontext(&here, &there));
	if (crashes)
		crash();
	return 1;
}

static int coroutine_program(void *arg)
{
	int i;

	make_context(jump_on_other_stack);
	for (i = 0; i < 3; i++) {
		CHECK(coroutine_victim(true) == RESCUED);
		CHECK(!changed);
	}
	return 0;
}

/* The other way round: the first stack is the other one, and above. */
static void call_on_other_stack(void)
{
	int i;

	for (i = 0; i < 3; i++)
		CHECK(coroutine_victim(false) == 1);
	is_out = true;
	CHECK(!swapcontext(&here, &there));
}

static int called_by_coroutine_program(void *arg)
{
	make_context(call_on_other_stack);
	here = there;
	while (!is_out) {
		CHECK(!swapcontext(&there, &here));
		if (!setjmp(out))
			longjmp(out, 1);
	}
	return 0;
}

TEST_F(leaving, not_by_jumps_on_another_stack)
{
	ASSERT_EQ(0, protect_landings(coroutine_victim, true));
	EXPECT_EQ(0, child_run(coroutine_program, NULL));
	EXPECT_EQ(0, child_run(called_by_coroutine_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

/* They come and go with the rescue point, in programs that run. */
static int coming_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(!protect_landings(jumping_victim, false));
		if (!sigsetjmp(out, true))
			jumping_victim(SIGLONGJMP);
		CHECK(!rescue_point_delete("test"));
		if (!sigsetjmp(out, true))
			jumping_victim(SIGLONGJMP);
	}
	return 0;
}

TEST_F(leaving, while_landings_come_and_go)
{
	EXPECT_EQ(0, child_run(coming_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_ABANDONED));
}

/* Without its breakpoint at the exit a call is not seen to end. */
typeof(long (void)) unseen_victim;
typeof(void (void)) unseen_exit;
asm(".pushsection .text\n"
	".globl unseen_victim, unseen_exit\n"
	".type unseen_victim, @function\n"
	"unseen_victim:\n"
	"push %rbx\n"
	"mov $5, %eax\n"
	"pop %rbx\n"
	"unseen_exit:\n"
	"ret\n"
	".size unseen_victim, . - unseen_victim\n"
	".popsection\n");

static int unseen_program(void *arg)
{
	unsigned char *exit = (void *)unseen_exit;

	CHECK(!mprotect((void *)((unsigned long)exit & -PAGE_SIZE), PAGE_SIZE,
			PROT_READ | PROT_WRITE | PROT_EXEC));
	CHECK(*exit == 0xcc);
	*exit = 0xc3;
	/* The fault is far below the return address, which stands there. */
	asm volatile("sub $256, %%rsp\n"
		     "call unseen_victim\n"
		     "sub $8192, %%rsp\n"
		     "movb 8, %%al\n"
		     "add $8448, %%rsp\n" : : :
		     "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		     "r11", "cc", "memory");
	return 0;
}

TEST_F(leaving, by_an_exit_that_is_not_probed)
{
	ASSERT_EQ(0, protect_exits(unseen_victim));
	EXPECT_EQ(-SIGSEGV, child_run(unseen_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_PROBE));
}

/* A handler that runs inside may fault, and what it calls. */
static void faulting_handler(int sig)
{
	changed += 10;
	crash();
}

static long __noipa signalled_victim(void)
{
	changed++;
	raise(SIGUSR1);
	return 1;
}

static int handler_program(void *arg)
{
	int i;

	signal(SIGUSR1, faulting_handler);
	for (i = 0; i < 3; i++) {
		CHECK(signalled_victim() == RESCUED);
		CHECK(!changed);
	}
	return 0;
}

TEST_F(leaving, not_by_a_handler_that_faults)
{
	ASSERT_EQ(0, protect_exits(signalled_victim));
	EXPECT_EQ(0, child_run(handler_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
