// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with threads that run, which stand still while another is inside: they
 * go on, or end, however the call is left and whatever becomes of the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define SIBLINGS	3
/* Longer than any test: what ends a call's wait is never the watchdog. */
#define NEVER_MS	60000
#define CORE		"/dev/shm/reassure-core"
#define CGROUP		"/sys/fs/cgroup/reassure-life/"
#define CHECKPOINTS	REASSURE_SYSFS "/rescue_points/test/checkpoints"

static struct page counts[SIBLINGS];

static bool end;

/* In shared memory: a call is inside; it is to go on; a sibling. */
static struct {
	uint32_t inside, go_on;
	pid_t sibling;
} *shared;

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void *count_up(void *arg)
{
	long i = (long)arg;

	if (!i)
		__atomic_store_n(&shared->sibling, gettid(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&end, __ATOMIC_RELAXED))
		counts[i].value++;
	return NULL;
}

static void see_all_run(void)
{
	long before, until = now_ms() + 20000;
	int i;

	for (i = 0; i < SIBLINGS; i++) {
		before = counts[i].value;
		while (counts[i].value == before)
			CHECK(now_ms() < until);
	}
}

static void see_nobody_run(void)
{
	long before[SIBLINGS], until;
	int i;

	for (i = 0; i < SIBLINGS; i++)
		before[i] = counts[i].value;
	for (until = now_ms() + 10; now_ms() < until;)
		;
	for (i = 0; i < SIBLINGS; i++)
		CHECK(counts[i].value == before[i]);
}

static pthread_t threads[SIBLINGS];

static void start_siblings(void)
{
	long i;

	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_create(&threads[i], NULL, count_up, (void *)i));
	see_all_run();
}

static void end_siblings(void)
{
	int i;

	__atomic_store_n(&end, true, __ATOMIC_RELAXED);
	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static struct rescue_point with_watchdog(unsigned int ms)
{
	return (struct rescue_point){
		.function = victim,
		.watchdog_ms = ms,
		.probe_exits = true,
		.landings = true,
	};
}

FIXTURE(life)
{
};

FIXTURE_SETUP(life)
{
	ASSERT_EQ(0, test_begin());
	shared = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(life)
{
	test_end(_metadata->passed);
}

/* Ways out of the call that are none of its returns. */
static jmp_buf out;

static void jump_out(void)
{
	see_nobody_run();
	longjmp(out, 1);
}

static void run_another_program(void)
{
	see_nobody_run();
	execl("/bin/sh", "sh", "-c", "exit 17", NULL);
}

static void exit_all(void)
{
	see_nobody_run();
	_exit(18);
}

static void end_thread(void)
{
	see_nobody_run();
	syscall(SYS_exit, 0);
}

static void end_thread_properly(void)
{
	see_nobody_run();
	pthread_exit(NULL);
}

static int left_program(void *leave)
{
	start_siblings();
	if (!setjmp(out)) {
		victim(leave, false);
		CHECK(false);
	}
	see_all_run();
	/* And the next call is protected. */
	expect_rescue(see_nobody_run);
	see_all_run();
	end_siblings();
	return 0;
}

TEST_F(life, when_the_call_is_left_by_a_jump)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(left_program, jump_out));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_ABANDONED));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

TEST_F(life, when_another_program_is_run)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(17, child_run(left_program, run_another_program));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

TEST_F(life, when_the_process_exits)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(18, child_run(left_program, exit_all));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

static void *call_and_end(void *leave)
{
	victim(leave, false);
	CHECK(false);
	return NULL;
}

static int thread_ends_program(void *leave)
{
	pthread_t thread;

	start_siblings();
	CHECK(!pthread_create(&thread, NULL, call_and_end, leave));
	CHECK(!pthread_join(thread, NULL));
	see_all_run();
	end_siblings();
	return 0;
}

TEST_F(life, when_the_thread_that_is_inside_ends)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(thread_ends_program, end_thread));
	EXPECT_EQ(0, child_run(thread_ends_program, end_thread_properly));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

/* The unwinder finds the end of the stack where the return probe leads to. */
TEST_F(life, when_the_thread_that_is_inside_ends_with_a_return_probe)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	rp.probe_exits = false;
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(thread_ends_program, end_thread));
	EXPECT_EQ(0, child_run(thread_ends_program, end_thread_properly));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The process is stopped, traced, killed or dumped from outside. */
static void stay(void)
{
	see_nobody_run();
	meet_signal(&shared->inside);
	meet_await(&shared->go_on);
}

static int staying_program(void *arg)
{
	start_siblings();
	CHECK(victim(stay, false) == 1);
	see_all_run();
	end_siblings();
	return 0;
}

/*
 * Those that stand still do not stop, and the one that is inside does: the
 * watchdog lets them go, and they stop, too.
 */
TEST_F(life, when_it_is_stopped)
{
	struct rescue_point rp = with_watchdog(20);
	int status;
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(staying_program, NULL);
	meet_await(&shared->inside);
	ASSERT_EQ(0, kill(child, SIGSTOP));
	ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(child, SIGCONT));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

/* A debugger that stops one of them has it when the call is over. */
TEST_F(life, when_one_is_stopped_by_a_debugger)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);
	pid_t child, sibling;
	int status;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(staying_program, NULL);
	meet_await(&shared->inside);
	sibling = shared->sibling;
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, sibling, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, sibling, NULL, NULL));
	usleep(100000);
	EXPECT_EQ(0, waitpid(sibling, &status, __WALL | WNOHANG));
	meet_signal(&shared->go_on);
	EXPECT_EQ(sibling, waitpid(sibling, &status, __WALL));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, sibling, NULL, NULL));
	EXPECT_EQ(0, child_wait(child));
}

/*
 * Frozen by its cgroup, the one that is inside is frozen first.  Those that stand
 * still run none of the program's code either, but are not frozen before the call
 * is given up.
 */
static bool is_frozen(bool frozen)
{
	return file_has(CGROUP "cgroup.events", frozen ? "frozen 1" : "frozen 0");
}

static bool set_frozen(bool frozen)
{
	int i;

	if (write_text(CGROUP "cgroup.freeze", frozen ? "1" : "0"))
		return false;
	for (i = 0; i < 6000 && !is_frozen(frozen); i++)
		usleep(10000);
	return is_frozen(frozen);
}

static bool move_to_cgroup(pid_t pid)
{
	char text[20];

	snprintf(text, sizeof(text), "%d", pid);
	return (!mkdir(CGROUP, 0700) || errno == EEXIST) &&
	       !write_text(CGROUP "cgroup.procs", text);
}

static bool remove_cgroup(void)
{
	int i;

	/* The process that has ended is on its way out. */
	for (i = 0; i < 1000 && rmdir(CGROUP) && errno == EBUSY; i++)
		usleep(10000);
	return access(CGROUP, F_OK);
}

static int frozen_program(void *arg)
{
	start_siblings();
	CHECK(victim(stay, false) == 1);
	see_all_run();
	end_siblings();
	/* And the next is protected. */
	expect_rescue(NULL);
	return 0;
}

TEST_F(life, when_it_is_frozen)
{
	struct rescue_point rp = with_watchdog(500);
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(frozen_program, NULL);
	meet_await(&shared->inside);
	ASSERT_TRUE(move_to_cgroup(child));
	EXPECT_TRUE(set_frozen(true));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_TRUE(set_frozen(false));
	meet_signal(&shared->go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_TRUE(remove_cgroup());
}

/* With a watchdog that has more patience it is not frozen, but can be thawed. */
TEST_F(life, when_it_is_frozen_and_not_given_up)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(frozen_program, NULL);
	meet_await(&shared->inside);
	ASSERT_TRUE(move_to_cgroup(child));
	ASSERT_EQ(0, write_text(CGROUP "cgroup.freeze", "1"));
	usleep(300000);
	EXPECT_FALSE(is_frozen(true));
	/* Frozen is the one that is inside, which would go on otherwise. */
	meet_signal(&shared->go_on);
	usleep(300000);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_TRUE(set_frozen(false));
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_TRUE(remove_cgroup());
}

TEST_F(life, when_it_is_frozen_and_killed)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(frozen_program, NULL);
	meet_await(&shared->inside);
	ASSERT_TRUE(move_to_cgroup(child));
	ASSERT_EQ(0, write_text(CGROUP "cgroup.freeze", "1"));
	usleep(100000);
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_TRUE(remove_cgroup());
}

/* seccomp ends the thread that is inside, or all. */
static void call_forbidden(void)
{
	see_nobody_run();
	syscall(SYS_getppid);
}

static void *call_and_be_killed(void *action)
{
	forbid_system_call(SYS_getppid, (unsigned long)action);
	victim(call_forbidden, false);
	CHECK(false);
	return NULL;
}

static int forbidding_program(void *action)
{
	pthread_t thread;

	start_siblings();
	CHECK(!pthread_create(&thread, NULL, call_and_be_killed, action));
	/* Who waits for it is woken. */
	CHECK(!pthread_join(thread, NULL));
	see_all_run();
	/* And the next is protected. */
	expect_rescue(see_nobody_run);
	end_siblings();
	return 0;
}

TEST_F(life, when_seccomp_ends_the_thread_that_is_inside)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	rp.signals = DEFAULT_SIGNALS | SIGNAL_BIT(SIGSYS);
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(forbidding_program,
			       (void *)(long)SECCOMP_RET_KILL_THREAD));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(-SIGSYS, child_run(forbidding_program,
				     (void *)(long)SECCOMP_RET_KILL_PROCESS));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
}

/* Or one that stands still, by the system call that it comes to after the call. */
static void *make_forbidden_calls(void *arg)
{
	forbid_system_call(SYS_getppid, SECCOMP_RET_KILL_THREAD);
	__atomic_store_n(&shared->sibling, gettid(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->go_on, __ATOMIC_ACQUIRE))
		;
	syscall(SYS_getppid);
	return NULL;
}

static void tell_and_see(void)
{
	meet_signal(&shared->go_on);
	see_nobody_run();
	/* It is there still. */
	CHECK(!syscall(SYS_tgkill, getpid(), shared->sibling, 0));
}

static int parked_is_killed_program(void *arg)
{
	pthread_t thread;

	start_siblings();
	CHECK(!pthread_create(&thread, NULL, make_forbidden_calls, NULL));
	while (!__atomic_load_n(&shared->sibling, __ATOMIC_SEQ_CST))
		usleep(1000);
	expect_rescue(tell_and_see);
	CHECK(!pthread_join(thread, NULL));
	expect_rescue(see_nobody_run);
	end_siblings();
	return 0;
}

TEST_F(life, when_seccomp_ends_one_that_stood_still)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(parked_is_killed_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(life, when_it_is_killed)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(staying_program, NULL);
	meet_await(&shared->inside);
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

static int dumped_program(void *arg)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	CHECK(!setrlimit(RLIMIT_CORE, &limit));
	start_siblings();
	victim(see_nobody_run, true);
	return 1;
}

TEST_F(life, when_it_is_dumped)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);
	char before[256];

	rp.signals = SIGNAL_BIT(SIGFPE);
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, read_text("/proc/sys/kernel/core_pattern", before,
			       sizeof(before)));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/core_pattern", CORE));
	unlink(CORE);
	EXPECT_EQ(-SIGSEGV, child_run(dumped_program, NULL));
	EXPECT_EQ(0, unlink(CORE));
	EXPECT_EQ(0, write_text("/proc/sys/kernel/core_pattern", before));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SIGNAL));
}

/*
 * Threads end while another is inside.  Who waits for one is woken when it has
 * ended, once, whatever becomes of the call.
 */
#define ENDING		3
#define ENDING_ROUNDS	40

static sigjmp_buf refused_call;

static void on_fault(int sig)
{
	siglongjmp(refused_call, 1);
}

static struct {
	pthread_t thread, joiner;
} ending[ENDING];

/* In shared memory. */
static struct {
	uint32_t end;
	int ended[ENDING], joined[ENDING];
} *ends;

static int joined_pipe[2];

static void *end_soon(void *arg)
{
	long i = (long)arg;

	usleep(i * 370 + random() % 1000);
	__atomic_add_fetch(&ends->ended[i], 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void *end_when_told(void *arg)
{
	long i = (long)arg;

	while (!__atomic_load_n(&ends->end, __ATOMIC_ACQUIRE))
		;
	__atomic_add_fetch(&ends->ended[i], 1, __ATOMIC_SEQ_CST);
	return arg;
}

static void *join_one(void *arg)
{
	long i = (long)arg;
	void *result;

	CHECK(!pthread_join(ending[i].thread, &result) && result == arg);
	__atomic_add_fetch(&ends->joined[i], 1, __ATOMIC_SEQ_CST);
	CHECK(write(joined_pipe[1], "", 1) == 1);
	return NULL;
}

static void start_ending(void *(*body)(void *arg))
{
	long i;

	for (i = 0; i < ENDING; i++) {
		CHECK(!pthread_create(&ending[i].thread, NULL, body, (void *)i));
		CHECK(!pthread_create(&ending[i].joiner, NULL, join_one,
				      (void *)i));
	}
}

/* All have ended and been waited for, so often since the beginning. */
static void see_all_joined(int times)
{
	int i;

	for (i = 0; i < ENDING; i++) {
		CHECK(!pthread_join(ending[i].joiner, NULL));
		CHECK(ends->ended[i] == times);
		CHECK(ends->joined[i] == times);
	}
}

static int ending_program(void *arg)
{
	int round;

	CHECK(!pipe(joined_pipe));
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	for (round = 0; round < ENDING_ROUNDS; round++) {
		start_ending(end_soon);
		if (!sigsetjmp(refused_call, 1))
			CHECK(victim(NULL, true) == RESCUED);
		see_all_joined(round + 1);
	}
	return 0;
}

TEST_F(life, when_threads_end)
{
	struct rescue_point rp = with_watchdog(10000);

	ends = shared_memory(sizeof(*ends));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(ending_program, NULL));
	EXPECT_EQ(ENDING_ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES) +
				 all_refused_since_mark());
}

/* The call waits until all have ended and those that wait for them gone on. */
static void let_them_end(void)
{
	char byte;
	int i;

	meet_signal(&ends->end);
	for (i = 0; i < ENDING; i++)
		CHECK(read(joined_pipe[0], &byte, 1) == 1);
}

static int all_end_program(void *arg)
{
	CHECK(!pipe(joined_pipe));
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	start_ending(end_when_told);
	if (!sigsetjmp(refused_call, 1)) {
		victim(let_them_end, true);
		return 1;
	}
	see_all_joined(1);
	expect_rescue(NULL);
	return 0;
}

/* Where others run they end inside, for certain, and the call is given up. */
TEST_F(life, when_all_threads_end_inside)
{
	struct rescue_point rp = with_watchdog(NEVER_MS);

	rp.threads = REASSURE_THREADS_RUN;
	ends = shared_memory(sizeof(*ends));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(all_end_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Where they stand still they end when the call is given up for that. */
TEST_F(life, when_the_call_waits_for_threads_to_end)
{
	struct rescue_point rp = with_watchdog(1000);

	ends = shared_memory(sizeof(*ends));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(all_end_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_WATCHDOG));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Busy or blocked for longer than a watchdog that has no reason to bark. */
static void spin_long(void)
{
	long until = now_ms() + 1000;

	while (now_ms() < until)
		;
}

static void sleep_long(void)
{
	usleep(1000000);
}

static int busy_call_program(void *arg)
{
	start_siblings();
	expect_rescue(spin_long);
	end_siblings();
	return 0;
}

TEST_F(life, when_the_call_is_busy)
{
	/* It may be inside for fifty times as long. */
	struct rescue_point rp = with_watchdog(200);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(busy_call_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static int idle_siblings_program(void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_create(&thread, NULL, sleep_for_ever, NULL));
	usleep(100000);
	expect_rescue(sleep_long);
	return 0;
}

TEST_F(life, when_nobody_waits_for_the_call)
{
	struct rescue_point rp = with_watchdog(200);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(idle_siblings_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

/*
 * A call that is given up and stays inside: for some time nobody else stops
 * anybody, and then they do again.
 */
static int blocked_pipe[2];

static void block(void)
{
	char byte;

	meet_signal(&shared->inside);
	CHECK(read(blocked_pipe[0], &byte, 1) == 1);
}

static void *call_and_block(void *arg)
{
	CHECK(victim(block, false) == 1);
	return NULL;
}

static int blocked_program(void *arg)
{
	long until = now_ms() + 60000;
	pthread_t thread;

	CHECK(!pipe(blocked_pipe));
	start_siblings();
	CHECK(!pthread_create(&thread, NULL, call_and_block, NULL));
	meet_await(&shared->inside);
	/* When they run, it has been given up. */
	see_all_run();
	CHECK(victim(see_all_run, false) == 1);
	while (number_in(CHECKPOINTS, NULL) < 2) {
		CHECK(victim(NULL, false) == 1);
		CHECK(now_ms() < until);
		usleep(10000);
	}
	expect_rescue(see_nobody_run);
	CHECK(write(blocked_pipe[1], "", 1) == 1);
	CHECK(!pthread_join(thread, NULL));
	end_siblings();
	return 0;
}

TEST_F(life, when_the_call_stays_blocked)
{
	struct rescue_point rp = with_watchdog(20);

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(blocked_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
