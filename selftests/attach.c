// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points come, change and go while programs are inside them.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define WORKERS		8
#define AREA_PAGES	6
#define AREA_SIZE	(AREA_PAGES * PAGE_SIZE)

enum fault { NO_FAULT, SEGV_FAULT, FPE_FAULT, FAULTS };

static struct {
	/* Ends the workers. */
	uint32_t end;
	/* How often faults were rescued, and how often not. */
	uint32_t rescued, survived;
	uint32_t inside, go_on;
	/* What another thread counts. */
	uint32_t beside;
} *shared;

static unsigned char *area;

/* Where a fault that is not rescued goes on. */
typeof(void (void)) after_segv, after_fpe;

static long __noipa victim(enum fault fault, void (*inside)(void))
{
	memset(area, 2, AREA_SIZE);
	if (inside)
		inside();
	if (fault == SEGV_FAULT)
		asm volatile("movb 8, %%al\n"
			     ".globl after_segv\n"
			     "after_segv:\n" : : : "rax", "memory");
	if (fault == FPE_FAULT)
		asm volatile("xor %%ecx, %%ecx\n"
			     "xor %%edx, %%edx\n"
			     "div %%ecx\n"
			     ".globl after_fpe\n"
			     "after_fpe:\n" : : : "rax", "rcx", "rdx");
	return 5;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	registers[REG_RIP] = (greg_t)(sig == SIGSEGV ? after_segv : after_fpe);
}

static void survive_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO,
	};

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(!sigaction(SIGFPE, &action, NULL));
}

static bool area_holds(int value)
{
	return memory_holds(area, AREA_SIZE, value);
}

/* Whether it was rescued and returned @value; else it has gone on. */
static bool is_rescued(enum fault fault, long value)
{
	long ret;

	memset(area, 1, AREA_SIZE);
	ret = victim(fault, NULL);
	if (ret == 5) {
		CHECK(area_holds(2));
		return false;
	}
	CHECK(fault != NO_FAULT);
	if (ret != value)
		printf("# fault %d returned %ld\n", fault, ret);
	CHECK(ret == value);
	CHECK(area_holds(1));
	return true;
}

/* One of two sets of settings holds; which, the value tells. */
static const int64_t segv_value = -1, fpe_value = -2;

static const struct rescue_point_change rescue_segv = {
	.value = &segv_value,
	.signals = SIGNAL_BIT(SIGSEGV),
};

static const struct rescue_point_change rescue_fpe = {
	.value = &fpe_value,
	.signals = SIGNAL_BIT(SIGFPE),
};

static int worker(void *arg)
{
	unsigned int i = (unsigned long)arg;
	enum fault fault;
	uint32_t *count;

	survive_faults();
	area = private_memory(AREA_SIZE);
	while (!__atomic_load_n(&shared->end, __ATOMIC_ACQUIRE)) {
		fault = i++ % FAULTS;
		count = is_rescued(fault, fault == SEGV_FAULT ? segv_value :
				   fpe_value) ? &shared->rescued :
						&shared->survived;
		if (fault != NO_FAULT)
			__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Gives up when all workers must be gone. */
static int await_more(uint32_t *count)
{
	uint32_t before = __atomic_load_n(count, __ATOMIC_ACQUIRE);
	int ms;

	for (ms = 0; ms < 60000; ms++) {
		if (__atomic_load_n(count, __ATOMIC_ACQUIRE) != before)
			return 0;
		usleep(1000);
	}
	return -ETIME;
}

FIXTURE(attach)
{
};

FIXTURE_SETUP(attach)
{
	ASSERT_EQ(0, test_begin());
	shared = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(attach)
{
	test_end(_metadata->passed);
	munmap(shared, PAGE_SIZE);
}

static uint64_t all_ended(void)
{
	return events_since_mark(REASSURE_COUNTER_COMMITS) +
	       events_since_mark(REASSURE_COUNTER_ABANDONED) +
	       events_since_mark(REASSURE_COUNTER_RESCUES);
}

/* The workers leave little of two processors. */
static void go_first(bool first)
{
	struct sched_param param = { .sched_priority = first };

	CHECK(!sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param));
}

/* How often a rescue point comes and goes. */
static int rounds(void)
{
	if (is_debug_kernel())
		return 60;
	return getenv("REASSURE_SHORT") ? 200 : 1000;
}

static int come_change_and_go(int round)
{
	const struct rescue_point rp = {
		.function = victim,
		.value = &segv_value,
		.signals = SIGNAL_BIT(SIGSEGV),
	};
	/* Every now and then each state lasts until it was seen. */
	bool wait = round % 16 == 0;
	int ret;

	usleep(1000);
	ret = rescue_point_add(&rp);
	if (wait)
		ret = ret ?: await_more(&shared->rescued);
	ret = ret ?: rescue_point_set("test", &rescue_fpe);
	if (wait)
		ret = ret ?: await_more(&shared->rescued);
	ret = ret ?: rescue_point_set("test", &rescue_segv);
	ret = ret ?: rescue_point_set("test", &rescue_fpe);
	ret = ret ?: rescue_point_delete("test");
	if (wait)
		ret = ret ?: await_more(&shared->survived);
	return ret;
}

TEST_F_TIMEOUT(attach, and_detach_while_programs_are_inside, 800)
{
	pid_t workers[WORKERS];
	int i, count = rounds();

	for (i = 0; i < WORKERS; i++)
		workers[i] = child_start(worker, (void *)(long)i);
	go_first(true);
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, come_change_and_go(i));
	go_first(false);
	meet_signal(&shared->end);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(workers[i]));
	/* Each call that was protected has ended in one way. */
	EXPECT_EQ(events_since_mark(REASSURE_COUNTER_CHECKPOINTS), all_ended());
	EXPECT_EQ(shared->rescued, events_since_mark(REASSURE_COUNTER_RESCUES));
	/* None of them has returned unseen. */
	EXPECT_EQ(all_refused_since_mark(),
		  refused_since_mark(REASSURE_REFUSED_SIGNAL));
}

TEST_F_TIMEOUT(attach, and_change_while_programs_are_inside, 300)
{
	const struct rescue_point rp = {
		.function = victim,
		.value = &segv_value,
		.signals = SIGNAL_BIT(SIGSEGV),
	};
	pid_t workers[WORKERS];
	int i, count = rounds();

	ASSERT_EQ(0, rescue_point_add(&rp));
	for (i = 0; i < WORKERS; i++)
		workers[i] = child_start(worker, (void *)(long)i);
	go_first(true);
	for (i = 0; i < count; i++) {
		usleep(1000);
		if (i % 16 == 0)
			ASSERT_EQ(0, await_more(&shared->rescued));
		ASSERT_EQ(0, rescue_point_set("test", i % 2 ? &rescue_segv :
							      &rescue_fpe));
	}
	go_first(false);
	meet_signal(&shared->end);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(workers[i]));
	EXPECT_EQ(shared->rescued, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(all_refused_since_mark(),
		  refused_since_mark(REASSURE_REFUSED_SIGNAL));
}

static void wait_inside(void)
{
	meet_signal(&shared->inside);
	meet_await(&shared->go_on);
}

static int changed_program(void *arg)
{
	survive_faults();
	area = private_memory(AREA_SIZE);
	memset(area, 1, AREA_SIZE);
	/* By what held at its entry. */
	CHECK(victim(SEGV_FAULT, wait_inside) == segv_value);
	CHECK(area_holds(1));
	/* And the next by what holds now. */
	CHECK(!is_rescued(SEGV_FAULT, 0));
	CHECK(is_rescued(FPE_FAULT, fpe_value));
	return 0;
}

TEST_F(attach, and_change_what_later_calls_get)
{
	const struct rescue_point rp = {
		.function = victim,
		.value = &segv_value,
		.signals = SIGNAL_BIT(SIGSEGV),
	};
	struct counters counters;
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(changed_program, NULL);
	meet_await(&shared->inside);
	EXPECT_EQ(0, rescue_point_set("test", &rescue_fpe));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	/* The counters are those of before. */
	EXPECT_EQ(0, counters_read("test", &counters));
	EXPECT_EQ(2, counters.events[REASSURE_COUNTER_RESCUES]);
	EXPECT_EQ(1, counters.refused[REASSURE_REFUSED_SIGNAL]);
}

/* Each setting, one at a time. */
static const uint32_t leave = REASSURE_HANDLED_LEAVE, none, soon = 20;
static const uint32_t skip = REASSURE_EXHAUSTED_SKIP;
static const uint32_t die = REASSURE_EXHAUSTED_DIE;
static const uint32_t refuse = REASSURE_SHARED_REFUSE;
static const uint32_t leave_shared = REASSURE_SHARED_LEAVE;
static const uint32_t observe = REASSURE_MODE_OBSERVE;
static const uint32_t rescue = REASSURE_MODE_RESCUE;
static const uint32_t threads_stop = REASSURE_THREADS_STOP;
static const uint32_t threads_run = REASSURE_THREADS_RUN;
static const uint32_t one = 1, long_after = 60000;

static void set(struct rescue_point_change change)
{
	CHECK(!rescue_point_set("test", &change));
}

#define SET(...) set((struct rescue_point_change) { __VA_ARGS__ })

static void sleep_long(void)
{
	usleep(200000);
}

static void write_shared(void)
{
	__atomic_add_fetch(&shared->inside, 1, __ATOMIC_RELAXED);
}

/* Takes back the fault of the call inside it, or not. */
static long __noipa around(void)
{
	return victim(SEGV_FAULT, NULL) == 5 ? 7 : 6;
}

static void change_escalation(void)
{
	CHECK(around() == 6);
	SET(.escalate = &none);
	CHECK(around() == RESCUED);
	SET(.escalate = &one);
	CHECK(around() == 6);
}

static void *count_beside(void *arg)
{
	for (;;)
		__atomic_add_fetch(&shared->beside, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static uint32_t counted_beside(void)
{
	return __atomic_load_n(&shared->beside, __ATOMIC_SEQ_CST);
}

static void see_it_run(void)
{
	uint32_t before = counted_beside();

	while (counted_beside() == before)
		usleep(1000);
}

static void see_it_stand(void)
{
	uint32_t before = counted_beside();

	sleep_long();
	CHECK(counted_beside() == before);
}

/* A call of a thread that is not alone. */
static void change_what_others_do(long value)
{
	time_t start;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, count_beside, NULL));
	see_it_run();
	/* Longer than the default, after which it would not be rescued. */
	SET(.watchdog_ms = &long_after);
	CHECK(victim(SEGV_FAULT, see_it_stand) == value);
	SET(.threads = &threads_run);
	CHECK(victim(SEGV_FAULT, see_it_run) == value);
	SET(.threads = &threads_stop);
	CHECK(victim(SEGV_FAULT, see_it_stand) == value);
	/* It runs when the call is given up; by what held before, after 10 s. */
	start = time(NULL);
	SET(.watchdog_ms = &one);
	CHECK(victim(SEGV_FAULT, see_it_run) == 5);
	CHECK(time(NULL) - start < 8);
	SET(.watchdog_ms = &long_after);
}

static int every_setting_program(void *arg)
{
	static const int64_t value = 1234;

	survive_faults();
	area = private_memory(AREA_SIZE);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	SET(.value = &value);
	CHECK(is_rescued(SEGV_FAULT, value));
	SET(.signals = SIGNAL_BIT(SIGFPE));
	CHECK(!is_rescued(SEGV_FAULT, value));
	CHECK(is_rescued(FPE_FAULT, value));
	SET(.signals = DEFAULT_SIGNALS);
	SET(.handled = &leave);
	CHECK(!is_rescued(SEGV_FAULT, value));
	SET(.handled = &none);
	CHECK(is_rescued(SEGV_FAULT, value));
	SET(.deadline_ms = &soon);
	CHECK(victim(NO_FAULT, sleep_long) == value);
	SET(.deadline_ms = &none);
	CHECK(victim(NO_FAULT, sleep_long) == 5);
	CHECK(victim(SEGV_FAULT, write_shared) == value);
	SET(.shared = &refuse);
	CHECK(victim(SEGV_FAULT, write_shared) == 5);
	SET(.shared = &leave_shared);
	SET(.mode = &observe);
	CHECK(!is_rescued(SEGV_FAULT, value));
	SET(.mode = &rescue);
	CHECK(is_rescued(SEGV_FAULT, value));
	change_escalation();
	change_what_others_do(value);
	/* What is in the register then is not ours. */
	SET(.returns_void = true);
	memset(area, 1, AREA_SIZE);
	CHECK(victim(SEGV_FAULT, NULL) != value && area_holds(1));
	return 0;
}

TEST_F(attach, and_change_every_setting)
{
	const struct rescue_point rp = { .function = around, .name = "around" };

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(every_setting_program, NULL));
}

/* Rescues that were made before count, where there was a limit. */
static int budget_program(void *arg)
{
	survive_faults();
	area = private_memory(AREA_SIZE);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	SET(.budget_rescues = 3, .budget_seconds = 3600);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	SET(.budget_rescues = 1, .budget_seconds = 3600);
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	/* Does not run: the area is as before. */
	SET(.exhausted = &skip);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	SET(.exhausted = &die);
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	SET(.unlimited = true);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	SET(.budget_rescues = 1, .budget_seconds = 3600);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	/* A larger ring with an older one in it. */
	SET(.budget_rescues = 1000, .budget_seconds = 3600);
	CHECK(is_rescued(SEGV_FAULT, RESCUED));
	SET(.budget_rescues = 2, .budget_seconds = 3600);
	CHECK(!is_rescued(SEGV_FAULT, RESCUED));
	return 0;
}

TEST_F(attach, and_change_the_budget)
{
	const struct rescue_point rp = {
		.function = victim,
		.budget_rescues = 2,
		.budget_seconds = 3600,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(budget_program, NULL));
	EXPECT_EQ(6, refused_since_mark(REASSURE_REFUSED_BUDGET));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

TEST_HARNESS_MAIN
