// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that are inside for longer than the rescue point allows.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/cpu.h"
#include "lib/reassure_test.h"

#define DEADLINE_MS	60

/* Long enough for a deadline to pass, and seldom waited for. */
#define FOREVER_S	100

/* Where parent and child meet. */
static uint32_t *points;

/* Memory that calls change. */
static int changed;
static char *page;

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What calls do for longer than they may. */
static void spin(void)
{
	for (;;)
		barrier();
}

static void sleep_long(void)
{
	struct timespec pause = { .tv_sec = FOREVER_S };

	nanosleep(&pause, NULL);
}

static void wait_for_signal(void)
{
	pause();
}

static void read_nothing(void)
{
	int ends[2];
	char c;

	CHECK(!pipe(ends));
	CHECK(read(ends[0], &c, 1) != 1);
}

static void poll_nothing(void)
{
	poll(NULL, 0, FOREVER_S * 1000);
}

static void wait_for_events(void)
{
	struct epoll_event event;

	epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, FOREVER_S * 1000);
}

static void wait_for_futex(void)
{
	uint32_t word = 0;

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void receive_nothing(void)
{
	int ends[2];
	char c;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(recv(ends[0], &c, 1, 0) != 1);
}

static long __noipa victim(void (*inside)(void))
{
	changed++;
	*page = 1;
	inside();
	return 1;
}

/* Without a deadline. */
static long __noipa other_victim(void (*inside)(void))
{
	changed++;
	inside();
	return 2;
}

static int protect(unsigned int deadline_ms)
{
	struct rescue_point rp = {
		.function = victim,
		.deadline_ms = deadline_ms,
	};

	return rescue_point_add(&rp);
}

FIXTURE(deadline)
{
};

FIXTURE_SETUP(deadline)
{
	ASSERT_EQ(0, test_begin());
	points = shared_memory(PAGE_SIZE);
	page = private_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(deadline)
{
	munmap(points, PAGE_SIZE);
	munmap(page, PAGE_SIZE);
	test_end(_metadata->passed);
}

FIXTURE(inside)
{
};

FIXTURE_VARIANT(inside)
{
	void (*inside)(void);
};

#define INSIDE(name) FIXTURE_VARIANT_ADD(inside, name) { .inside = name }

INSIDE(spin);
INSIDE(sleep_long);
INSIDE(wait_for_signal);
INSIDE(read_nothing);
INSIDE(poll_nothing);
INSIDE(wait_for_events);
INSIDE(wait_for_futex);
INSIDE(receive_nothing);

FIXTURE_SETUP(inside)
{
	ASSERT_EQ(0, test_begin());
	page = private_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(inside)
{
	munmap(page, PAGE_SIZE);
	test_end(_metadata->passed);
}

static int late_program(void *inside)
{
	int i;

	for (i = 0; i < 3; i++) {
		unsigned long start = now_ms();

		CHECK(victim(inside) == RESCUED);
		CHECK(now_ms() - start >= DEADLINE_MS);
		CHECK(!changed && !*page);
	}
	return 0;
}

TEST_F(inside, is_rolled_back)
{
	ASSERT_EQ(0, protect(DEADLINE_MS));
	EXPECT_EQ(0, child_run(late_program, variant->inside));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_DEADLINES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The same beside other threads, which stand still meanwhile, or run. */
#define SIBLINGS	2

/* In shared memory, which stays as it is. */
static struct {
	long counts[SIBLINGS];
	unsigned int calls;
	bool seen;		/* a call has, what the others do */
} *book;

static long count_of(int i)
{
	return __atomic_load_n(&book->counts[i], __ATOMIC_SEQ_CST);
}

static void *count_up(void *count)
{
	for (;;)
		__atomic_add_fetch((long *)count, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void see_all_run(void)
{
	long before;
	int i;

	for (i = 0; i < SIBLINGS; i++)
		for (before = count_of(i); count_of(i) == before;)
			barrier();
}

static void spin_while_they_run(void)
{
	see_all_run();
	book->seen = true;
	spin();
}

static void spin_while_they_stand(void)
{
	long before[SIBLINGS];
	int i;

	for (i = 0; i < SIBLINGS; i++)
		before[i] = count_of(i);
	book->seen = true;
	for (i = 0;; i = (i + 1) % SIBLINGS)
		CHECK(count_of(i) == before[i]);
}

static void sleep_beside(void)
{
	book->seen = true;
	sleep_long();
}

static void read_beside(void)
{
	book->seen = true;
	read_nothing();
}

FIXTURE(beside)
{
};

FIXTURE_VARIANT(beside)
{
	enum reassure_threads threads;
	void (*inside)(void);
};

#define BESIDE(name, mode, function) \
	FIXTURE_VARIANT_ADD(beside, name) { \
		.threads = REASSURE_THREADS_##mode, .inside = function, \
	}

BESIDE(that_stand, STOP, spin_while_they_stand);
BESIDE(that_run, RUN, spin_while_they_run);
BESIDE(that_stand_while_it_sleeps, STOP, sleep_beside);
BESIDE(that_run_while_it_sleeps, RUN, sleep_beside);
BESIDE(that_stand_while_it_reads, STOP, read_beside);

FIXTURE_SETUP(beside)
{
	ASSERT_EQ(0, test_begin());
	page = private_memory(PAGE_SIZE);
	book = shared_memory(sizeof(*book));
}

FIXTURE_TEARDOWN(beside)
{
	munmap(page, PAGE_SIZE);
	munmap(book, sizeof(*book));
	test_end(_metadata->passed);
}

static int late_beside_program(void *inside)
{
	pthread_t thread;
	unsigned long start;
	int i;

	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_create(&thread, NULL, count_up,
				      &book->counts[i]));
	see_all_run();
	/* On a slow machine it may be late before it has seen anything. */
	while (book->calls < 3 || !book->seen) {
		book->calls++;
		start = now_ms();
		CHECK(victim(inside) == RESCUED);
		CHECK(now_ms() - start >= DEADLINE_MS);
		CHECK(!changed && !*page);
		see_all_run();
	}
	return 0;
}

TEST_F(beside, is_rolled_back)
{
	struct rescue_point rp = {
		.function = victim,
		.deadline_ms = DEADLINE_MS,
		.threads = variant->threads,
		/* Nobody gives it up before. */
		.watchdog_ms = 10000,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(late_beside_program, variant->inside));
	EXPECT_EQ(book->calls, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(book->calls, events_since_mark(REASSURE_COUNTER_DEADLINES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Ten milliseconds or a tick; a slow machine gets many attempts. */
#define ATTEMPTS	30

static int punctual_program(void *arg)
{
	unsigned long start, late, least = 1000;
	int i;

	for (i = 0; i < ATTEMPTS && least > 10; i++) {
		start = now_ms();
		CHECK(victim(spin) == RESCUED);
		late = now_ms() - start - DEADLINE_MS;
		if (late < least)
			least = late;
	}
	if (least > 10)
		printf("# at best %lu ms late\n", least);
	return least <= 10 ? 0 : 1;
}

TEST_F(deadline, is_met)
{
	if (is_debug_kernel())
		SKIP(return, "this kernel is slow");
	ASSERT_EQ(0, protect(DEADLINE_MS));
	EXPECT_EQ(0, child_run(punctual_program, NULL));
}

static void nothing(void)
{
}

/* For what has to be done by then. */
static long long_deadline(void)
{
	return is_debug_kernel() ? 4 * DEADLINE_MS : DEADLINE_MS;
}

/* No timer outlives its call, nor interrupts what comes after it. */
static void wait_past_deadline(void)
{
	struct timespec pause = { .tv_nsec = 3 * long_deadline() * 1000000 };
	struct epoll_event event;

	/* Not begun anew by the kernel when it is interrupted. */
	CHECK(!epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1,
			  3 * long_deadline()));
	CHECK(!nanosleep(&pause, NULL));
}

static int in_time_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(victim(nothing) == 1);
		wait_past_deadline();
		CHECK(victim(nothing) == 1);
		CHECK(other_victim(wait_past_deadline) == 2);
	}
	CHECK(changed == 9);
	return 0;
}

TEST_F(deadline, leaves_calls_in_time_alone)
{
	struct rescue_point other = {
		.function = other_victim,
		.name = "other",
	};

	ASSERT_EQ(0, protect(long_deadline()));
	ASSERT_EQ(0, rescue_point_add(&other));
	EXPECT_EQ(0, child_run(in_time_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(9, events_since_mark(REASSURE_COUNTER_COMMITS));
}

/* A call that cannot be rolled back is not even interrupted. */
static int known_socket;

static void close_socket_and_wait(void)
{
	CHECK(!close(known_socket));
	wait_past_deadline();
}

static int refused_program(void *arg)
{
	known_socket = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(victim(close_socket_and_wait) == 1);
	CHECK(changed == 1);
	return 0;
}

TEST_F(deadline, leaves_what_cannot_be_rolled_back)
{
	ASSERT_EQ(0, protect(long_deadline()));
	EXPECT_EQ(0, child_run(refused_program, NULL));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
}

/* The budget is for both. */
static void spin_past_deadline(void)
{
	unsigned long start = now_ms();

	while (now_ms() - start < 3 * DEADLINE_MS)
		barrier();
}

static int spending_program(void *arg)
{
	CHECK(victim(spin_past_deadline) == RESCUED);
	CHECK(victim(spin_past_deadline) == 1);
	return 0;
}

TEST_F(deadline, costs_budget)
{
	struct rescue_point rp = {
		.function = victim,
		.deadline_ms = DEADLINE_MS,
		.budget_rescues = 1,
		.budget_seconds = 3600,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(spending_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_DEADLINES));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_BUDGET));
}

/* Faults come before, at, and after the expiry. */
static unsigned int fault_after_us;

static void spin_and_fault(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000 +
		 (now.tv_nsec - start.tv_nsec) / 1000 < fault_after_us);
	touch_read(BAD_ADDRESS);
}

static int faulting_program(void *arg)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		fault_after_us = 1500 + 5 * i;
		CHECK(victim(spin_and_fault) == RESCUED);
		CHECK(!changed && !*page);
	}
	return 0;
}

TEST_F(deadline, meets_faults)
{
	ASSERT_EQ(0, protect(2));
	EXPECT_EQ(0, child_run(faulting_program, NULL));
	EXPECT_EQ(200, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_LT(0, events_since_mark(REASSURE_COUNTER_DEADLINES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Signals of the program's own are delivered, before or after. */
static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	signals++;
}

static void signal_and_spin(void)
{
	kill(getpid(), SIGUSR1);
	spin();
}

static int signalled_program(void *arg)
{
	sigset_t mask;

	signal(SIGUSR1, count_signal);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
	CHECK(victim(signal_and_spin) == RESCUED);
	CHECK(!signals);
	CHECK(!sigprocmask(SIG_UNBLOCK, &mask, NULL));
	CHECK(signals == 1);
	return 0;
}

TEST_F(deadline, keeps_other_signals)
{
	ASSERT_EQ(0, protect(DEADLINE_MS));
	EXPECT_EQ(0, child_run(signalled_program, NULL));
}

/* The memory of the entry names the CPU of the entry. */
static void change_cpu_and_spin(void)
{
	go_to_cpu(1);
	CHECK(rseq_area()->cpu_id == 1);
	spin();
}

static int moved_program(void *arg)
{
	long ret;
	int i;

	for (i = 0; i < 20; i++) {
		go_to_cpu(0);
		ret = victim(change_cpu_and_spin);
		/* Before anything else makes the kernel look at it. */
		CHECK(rseq_area()->cpu_id == 1);
		CHECK(ret == RESCUED);
	}
	return 0;
}

TEST_F(deadline, tells_the_number_of_the_cpu)
{
	if (!cpu_changes_are_told())
		SKIP(return, "no rseq, or one CPU");
	ASSERT_EQ(0, protect(long_deadline()));
	EXPECT_EQ(0, child_run(moved_program, NULL));
}

/* The rescue point goes while a call is inside, which then goes on. */
static void tell_and_spin(void)
{
	meet_signal(&points[0]);
	while (!__atomic_load_n(&points[1], __ATOMIC_ACQUIRE))
		barrier();
}

static int told_program(void *arg)
{
	CHECK(victim(tell_and_spin) == 1);
	CHECK(changed == 1);
	return 0;
}

TEST_F(deadline, goes_with_the_rescue_point)
{
	struct timespec pause = { .tv_sec = 2 };
	pid_t child;

	ASSERT_EQ(0, protect(1000));
	child = child_start(told_program, NULL);
	meet_await(&points[0]);
	ASSERT_EQ(0, rescue_point_delete("test"));
	nanosleep(&pause, NULL);
	meet_signal(&points[1]);
	EXPECT_EQ(0, child_wait(child));
}

/* The process goes while a call is inside. */
static void end_process(void)
{
	_exit(7);
}

static void kill_process(void)
{
	raise(SIGKILL);
}

static void execute(void)
{
	execl("/bin/sleep", "sleep", "0.3", NULL);
}

static int ending_program(void *inside)
{
	victim(inside);
	return 1;
}

TEST_F(deadline, goes_with_the_process)
{
	struct timespec pause = { .tv_nsec = 3 * DEADLINE_MS * 1000000 };

	ASSERT_EQ(0, protect(DEADLINE_MS));
	EXPECT_EQ(7, child_run(ending_program, end_process));
	EXPECT_EQ(-SIGKILL, child_run(ending_program, kill_process));
	EXPECT_EQ(0, child_run(ending_program, execute));
	nanosleep(&pause, NULL);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(3, events_awaited(REASSURE_COUNTER_ABANDONED, 3));
}

TEST_HARNESS_MAIN
