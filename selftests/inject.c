// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that an administrator injects: in which calls they strike, what the
 * program sees of them, and what ends them.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define CALLERS		4
#define CALLS		25

static uint32_t *inside_now, *go_on, *stop, *rescued;

FIXTURE(inject)
{
};

FIXTURE_SETUP(inject)
{
	ASSERT_EQ(0, test_begin());
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	stop = inside_now + 2;
	rescued = inside_now + 3;
}

FIXTURE_TEARDOWN(inject)
{
	test_end(_metadata->passed);
}

static int inject(int sig, uint32_t count, uint32_t every)
{
	const struct rescue_point_injection injection = {
		.signal = sig,
		.count = count ? &count : NULL,
		.every = every ? &every : NULL,
	};

	return rescue_point_inject("test", &injection);
}

static int inject_off(void)
{
	const struct rescue_point_injection injection = { .off = true };

	return rescue_point_inject("test", &injection);
}

static int faulting_once_program(void *arg)
{
	CHECK(victim(NULL, false) == RESCUED);
	CHECK(written.value == 0);
	CHECK(victim(NULL, false) == 1);
	CHECK(written.value == 1);
	return 0;
}

static int returning_program(void *arg)
{
	int i;

	for (i = 1; i < 4; i++) {
		CHECK(victim(NULL, false) == 1);
		CHECK(written.value == i);
	}
	return 0;
}

TEST_F(inject, the_next_call)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(returning_program, NULL));
	ASSERT_EQ(0, inject(SIGSEGV, 0, 0));
	EXPECT_EQ(1, rescue_point_injections_left("test"));
	EXPECT_EQ(0, child_run(faulting_once_program, NULL));
	EXPECT_EQ(0, rescue_point_injections_left("test"));
	EXPECT_EQ(0, child_run(returning_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_INJECTED));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Each call is whole, or is rescued whole. */
static int calling_program(void *arg)
{
	long before;
	int i;

	for (i = 0; i < CALLS; i++) {
		before = written.value;
		if (victim(NULL, false) == 1) {
			CHECK(written.value == before + 1);
			continue;
		}
		CHECK(written.value == before);
		__atomic_add_fetch(rescued, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

TEST_F(inject, so_many_calls_of_all_processes)
{
	pid_t children[CALLERS];
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, inject(SIGBUS, 37, 0));
	EXPECT_EQ(37, rescue_point_injections_left("test"));
	for (i = 0; i < CALLERS; i++)
		children[i] = child_start(calling_program, NULL);
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, child_wait(children[i]));
	EXPECT_EQ(37, *rescued);
	EXPECT_EQ(37, events_since_mark(REASSURE_COUNTER_INJECTED));
	EXPECT_EQ(37, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, rescue_point_injections_left("test"));
}

static void *calling_thread(void *arg)
{
	int i;

	for (i = 0; i < CALLS; i++)
		if (victim(NULL, false) != 1)
			__atomic_add_fetch(rescued, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

FIXTURE(threads)
{
};

FIXTURE_VARIANT(threads)
{
	unsigned int threads;
};

FIXTURE_VARIANT_ADD(threads, that_stop)
{
	.threads = REASSURE_THREADS_STOP,
};

FIXTURE_VARIANT_ADD(threads, that_run)
{
	.threads = REASSURE_THREADS_RUN,
};

FIXTURE_SETUP(threads)
{
	ASSERT_EQ(0, test_begin());
	rescued = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(threads)
{
	test_end(_metadata->passed);
}

/*
 * A thread that comes or goes while another is at its entry has that one refused,
 * so they are there before.
 */
static pthread_barrier_t all_there;

static void *calling_among_others(void *arg)
{
	pthread_barrier_wait(&all_there);
	calling_thread(NULL);
	pthread_barrier_wait(&all_there);
	return NULL;
}

static int threads_program(void *arg)
{
	pthread_t threads[CALLERS];
	int i;

	pthread_barrier_init(&all_there, NULL, CALLERS);
	for (i = 0; i < CALLERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, calling_among_others,
				      NULL));
	for (i = 0; i < CALLERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return 0;
}

TEST_F(threads, are_counted_together)
{
	const struct rescue_point rp = {
		.function = victim,
		.threads = variant->threads,
		.watchdog_ms = REASSURE_WATCHDOG_MAX,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, inject(SIGSEGV, 7, 0));
	EXPECT_EQ(0, child_run(threads_program, NULL));
	EXPECT_EQ(7, *rescued);
	EXPECT_EQ(7, events_since_mark(REASSURE_COUNTER_INJECTED));
}

static int every_third_program(void *arg)
{
	int i;

	for (i = 1; i <= 30; i++)
		CHECK(victim(NULL, false) == (i % 3 ? 1 : RESCUED));
	CHECK(written.value == 20);
	return 0;
}

TEST_F(inject, every_third_call_until_it_is_ended)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, inject(SIGSEGV, 0, 3));
	EXPECT_EQ(0, child_run(every_third_program, NULL));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_INJECTED));
	/* It begins to count anew. */
	ASSERT_EQ(0, inject(SIGSEGV, 0, 3));
	EXPECT_EQ(0, child_run(every_third_program, NULL));
	ASSERT_EQ(0, inject_off());
	EXPECT_EQ(0, child_run(returning_program, NULL));
	ASSERT_EQ(0, inject_off());
	EXPECT_EQ(20, events_since_mark(REASSURE_COUNTER_INJECTED));
}

static const int all_signals[] = {
	SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS
};

#define SIGNALS		(sizeof(all_signals) / sizeof(*all_signals))

/* As if nothing had been, with the signal blocked or ignored, too. */
static int blocking_program(void *arg)
{
	struct sigaction action;
	int sig = *(int *)arg;
	sigset_t set;

	CHECK(signal(sig, SIG_IGN) != SIG_ERR);
	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	CHECK(!faulting_once_program(NULL));
	CHECK(!sigaction(sig, NULL, &action));
	CHECK(action.sa_handler == SIG_IGN);
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, sig));
	CHECK(!sigpending(&set));
	CHECK(!sigismember(&set, sig));
	return 0;
}

TEST_F(inject, each_signal)
{
	struct rescue_point rp = { .function = victim };
	int sig, i;

	for (i = 0; i < SIGNALS; i++)
		rp.signals |= SIGNAL_BIT(all_signals[i]);
	ASSERT_EQ(0, rescue_point_add(&rp));
	for (i = 0; i < SIGNALS; i++) {
		sig = all_signals[i];
		ASSERT_EQ(0, inject(sig, 1, 0));
		EXPECT_EQ(0, child_run(faulting_once_program, NULL));
		ASSERT_EQ(0, inject(sig, 1, 0));
		EXPECT_EQ(0, child_run(blocking_program, &sig));
	}
	EXPECT_EQ(2 * SIGNALS, events_since_mark(REASSURE_COUNTER_INJECTED));
}

static int dying_the_second_time_program(void *arg)
{
	CHECK(victim(NULL, false) == RESCUED);
	victim(NULL, false);
	return 0;
}

TEST_F(inject, and_the_program_dies_when_the_budget_is_spent)
{
	struct rescue_point rp = {
		.function = victim,
		.budget_rescues = 1,
		.budget_seconds = 1000000,
	};
	int i;

	for (i = 0; i < SIGNALS; i++)
		rp.signals |= SIGNAL_BIT(all_signals[i]);
	for (i = 0; i < SIGNALS; i++) {
		ASSERT_EQ(0, rescue_point_add(&rp));
		ASSERT_EQ(0, inject(all_signals[i], 2, 0));
		EXPECT_EQ(-all_signals[i],
			  child_run(dying_the_second_time_program, NULL));
		ASSERT_EQ(0, rescue_point_delete("test"));
	}
	EXPECT_EQ(SIGNALS, refused_since_mark(REASSURE_REFUSED_BUDGET));
	EXPECT_EQ(SIGNALS, all_refused_since_mark());
	EXPECT_EQ(2 * SIGNALS, events_since_mark(REASSURE_COUNTER_INJECTED));
}

static volatile sig_atomic_t handled;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	CHECK(sig == SIGSEGV);
	CHECK(info->si_code == SI_KERNEL);
	handled++;
}

static int handling_program(void *arg)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO,
	};

	/* It goes on when the handler returns. */
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(victim(NULL, false) == 1);
	CHECK(handled == 1);
	/* Which is the end of it. */
	CHECK(victim(NULL, false) == 1);
	CHECK(handled == 1);
	CHECK(written.value == 2);
	return 0;
}

TEST_F(inject, and_a_handler_has_what_is_left_to_it)
{
	const struct rescue_point rp = {
		.function = victim,
		.handled = REASSURE_HANDLED_LEAVE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, inject(SIGSEGV, 0, 1));
	EXPECT_EQ(0, child_run(handling_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_HANDLED));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_INJECTED));
}

/* Its first instruction is none that the kernel emulates. */
static long __noipa constant(void)
{
	return 1;
}

static int constant_program(void *arg)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO,
	};

	CHECK(constant() == RESCUED);
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(constant() == 1);
	CHECK(handled == 1);
	CHECK(constant() == 1);
	CHECK(handled == 1);
	return 0;
}

/* A handler goes on where it begins, which is no other call. */
TEST_F(inject, whatever_a_function_begins_with)
{
	const struct rescue_point rp = {
		.function = constant,
		.handled = REASSURE_HANDLED_LEAVE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, inject(SIGSEGV, 0, 1));
	EXPECT_EQ(0, child_run(constant_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_HANDLED));
}

static int sharing_program(void *arg)
{
	CHECK(victim(NULL, false) == 1);
	_exit(0);
}

/* In whose address space another process is has no checkpoint. */
static int shared_program(void *arg)
{
	static _Alignas(16) char stack[65536];
	int status;
	pid_t pid;

	pid = clone(sharing_program, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		    NULL);
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
	CHECK(victim(NULL, false) == RESCUED);
	CHECK(written.value == 1);
	return 0;
}

TEST_F(inject, only_calls_that_can_be_rescued)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, inject(SIGSEGV, 1, 0));
	EXPECT_EQ(0, child_run(shared_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_INJECTED));
}

static int outside_program(void *arg)
{
	touch_read(BAD_ADDRESS);
	return 0;
}

TEST_F(inject, nothing_outside_of_calls)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, inject(SIGSEGV, 1, 0));
	EXPECT_EQ(-SIGSEGV, child_run(outside_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_INJECTED));
	EXPECT_EQ(1, rescue_point_injections_left("test"));
	EXPECT_EQ(0, child_run(faulting_once_program, NULL));
}

static long __noipa outer_victim(void)
{
	int i;

	for (i = 0; i < 5; i++)
		CHECK(victim(NULL, false) == RESCUED);
	return 2;
}

static int outer_program(void *arg)
{
	CHECK(outer_victim() == RESCUED);
	CHECK(written.value == 0);
	return 0;
}

/* As any other fault, a call around is taken back for it. */
TEST_F(inject, in_calls_inside_of_others)
{
	const struct rescue_point around = {
		.function = outer_victim,
		.name = "outer",
	};

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&around));
	ASSERT_EQ(0, inject(SIGSEGV, 0, 1));
	EXPECT_EQ(0, child_run(outer_program, NULL));
	EXPECT_EQ(REASSURE_ESCALATE_DEFAULT + 1,
		  events_since_mark(REASSURE_COUNTER_INJECTED));
	EXPECT_EQ(REASSURE_ESCALATE_DEFAULT + 1,
		  events_since_mark(REASSURE_COUNTER_RESCUES));
}

static void expect_error(struct __test_metadata *_metadata, int error,
			 const char *text, const char *name,
			 const struct rescue_point_injection *injection)
{
	EXPECT_EQ(error, rescue_point_inject(name, injection));
	EXPECT_NE(NULL, strstr(rescue_point_error(), text)) {
		TH_LOG("'%s' is not in '%s'", text, rescue_point_error());
	}
}

#define EXPECT_ERROR(error, text, ...) \
	expect_error(_metadata, error, text, "test", \
		     &(const struct rescue_point_injection){ __VA_ARGS__ })

TEST_F(inject, nothing_for_bad_messages)
{
	const uint32_t none = 0, one = 1, too_many = REASSURE_INJECT_MAX + 1;
	const struct rescue_point_injection good = { .signal = SIGSEGV };

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, inject(SIGSEGV, 5, 0));
	expect_error(_metadata, -ENOENT, "no rescue point of this name", "tset",
		     &good);
	expect_error(_metadata, -EINVAL, "name is missing", NULL, &good);
	expect_error(_metadata, -EINVAL, "a name has", "a/b", &good);
	EXPECT_ERROR(-EINVAL, "signal of the faults", .signal = 0);
	EXPECT_ERROR(-EINVAL, "signal of the faults", .count = &one);
	EXPECT_ERROR(-EINVAL, "one signal is needed", .signal = SIGKILL);
	EXPECT_ERROR(-EINVAL, "one signal is needed", .signal = 65);
	EXPECT_ERROR(-EINVAL, "one signal is needed", .signal = -1);
	EXPECT_ERROR(-EINVAL, "none of those of the rescue point",
		     .signal = SIGTRAP);
	EXPECT_ERROR(-ERANGE, "out of range", .signal = SIGSEGV, .count = &none);
	EXPECT_ERROR(-ERANGE, "out of range", .signal = SIGSEGV, .every = &none);
	EXPECT_ERROR(-ERANGE, "out of range", .signal = SIGSEGV,
		     .count = &too_many);
	EXPECT_ERROR(-EINVAL, "either so many calls", .signal = SIGSEGV,
		     .count = &one, .every = &one);
	EXPECT_ERROR(-EINVAL, "either injected or not", .signal = SIGSEGV,
		     .off = true);
	EXPECT_ERROR(-EINVAL, "either injected or not", .count = &one,
		     .off = true);
	/* What was armed still is. */
	EXPECT_EQ(5, rescue_point_injections_left("test"));
}

TEST_F(inject, nothing_where_it_would_kill)
{
	const uint32_t observe = REASSURE_MODE_OBSERVE;
	const uint32_t rescue = REASSURE_MODE_RESCUE;
	const bool yes = true, no = false;
	struct rescue_point_change change = { .mode = &observe };

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_ERROR(-EOPNOTSUPP, "only observes", .signal = SIGSEGV);
	change.mode = &rescue;
	change.enabled = &no;
	ASSERT_EQ(0, rescue_point_set("test", &change));
	EXPECT_ERROR(-EOPNOTSUPP, "is disabled", .signal = SIGSEGV);
	change.enabled = &yes;
	ASSERT_EQ(0, rescue_point_set("test", &change));
	ASSERT_EQ(0, module_switch(false));
	EXPECT_ERROR(-EOPNOTSUPP, "is switched off", .signal = SIGSEGV);
	EXPECT_EQ(0, inject_off());
	ASSERT_EQ(0, module_switch(true));
	EXPECT_EQ(0, child_run(returning_program, NULL));
}

static int change_it(void)
{
	const struct rescue_point_change change = { .watchdog_ms = &(uint32_t){ 30 } };

	return rescue_point_set("test", &change);
}

static int disable_it(void)
{
	struct rescue_point_change change = { .enabled = &(bool){ false } };
	int ret = rescue_point_set("test", &change);

	change.enabled = &(bool){ true };
	return ret ?: rescue_point_set("test", &change);
}

static int switch_off(void)
{
	return module_switch(false) ?: module_switch(true);
}

static int delete_it(void)
{
	return rescue_point_delete("test") ?: rescue_point_protect(victim);
}

static int move_it(void)
{
	struct rescue_point rp = { .function = victim };

	return rescue_point_rebind(&rp);
}

static int apply_it(void)
{
	struct rescue_point rp = { .function = victim };
	size_t which;

	return rescue_points_apply(&rp, 1, false, &which);
}

static int unload_it(void)
{
	int ret = rescue_points_flush() ?: module_unload() ?: module_load();

	counters_mark();
	return ret ?: rescue_point_protect(victim);
}

TEST_F(inject, until_the_rescue_point_changes)
{
	int (*const changes[])(void) = {
		change_it, disable_it, switch_off, delete_it, move_it, apply_it,
		unload_it,
	};
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		ASSERT_EQ(0, inject(SIGSEGV, 0, 1));
		ASSERT_EQ(0, changes[i]());
		EXPECT_EQ(0, child_run(returning_program, NULL)) {
			TH_LOG("after change %d", i);
		}
		EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_INJECTED));
	}
}

/* Nobody dies, whatever is done to the rescue point between. */
static int calling_on_program(void *arg)
{
	meet_signal(inside_now);
	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST))
		calling_program(NULL);
	return 0;
}

TEST_F(inject, again_and_again_while_programs_call)
{
	int (*const changes[])(void) = {
		disable_it, change_it, switch_off, delete_it, move_it,
	};
	int n = sizeof(changes) / sizeof(*changes), i;
	pid_t children[CALLERS];

	ASSERT_EQ(0, rescue_point_protect(victim));
	for (i = 0; i < CALLERS; i++)
		children[i] = child_start(calling_on_program, NULL);
	meet_await(inside_now);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, inject(i % 2 ? SIGSEGV : SIGFPE, 0, 1 + i % 3));
		usleep(2000);
		ASSERT_EQ(0, changes[i % n]());
	}
	__atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, child_wait(children[i]));
	EXPECT_LT(0, *rescued);
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_HARNESS_MAIN
