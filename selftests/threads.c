// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with several threads: while one is inside, the others run no user
 * code, and nothing of theirs is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define SIBLINGS	4
#define ROUNDS		50

/* On pages of their own. */
static struct page counts[SIBLINGS];
static struct page buffer;

FIXTURE(threads)
{
};

FIXTURE_SETUP(threads)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(threads)
{
	test_end(_metadata->passed);
}

static void pause_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time))
		;
}

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Without the kernel. */
static void spin_ms(unsigned int ms)
{
	long until = now_ms() + ms;

	while (now_ms() < until)
		;
}

/* Of those that were started below. */
static long threads_left;

static pthread_t start(void *(*body)(void *arg), void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, body, arg));
	threads_left++;
	return thread;
}

/*
 * Who waits for a thread hears of its end while it still has the descriptors,
 * for which a call would be refused.
 */
static void *end_of(pthread_t thread)
{
	int attempts = 5000;
	void *result;

	CHECK(!pthread_join(thread, &result));
	threads_left--;
	while (number_in("/proc/self/status", "Threads:") > threads_left + 1 &&
	       attempts--)
		usleep(1000);
	return result;
}

/* So that no call is given up because the machine is slow. */
static int protect_patiently(const void *function)
{
	struct rescue_point rp = { .function = function, .watchdog_ms = 10000 };

	return rescue_point_add(&rp);
}

/* Threads that sleep. */
static unsigned int sleeping;

static void *sleep_for_ever(void *arg)
{
	__atomic_add_fetch(&sleeping, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

/* What a thread does in the kernel when it starts may be in the way. */
static void start_sleeper(void)
{
	unsigned int before = __atomic_load_n(&sleeping, __ATOMIC_SEQ_CST);

	start(sleep_for_ever, NULL);
	while (__atomic_load_n(&sleeping, __ATOMIC_SEQ_CST) == before)
		;
}

static int idle_program(void *arg)
{
	int i;

	for (i = 0; i < SIBLINGS; i++)
		start_sleeper();
	for (i = 0; i < ROUNDS; i++) {
		expect_rescue(NULL);
		CHECK(victim(NULL, false) == 1);
	}
	CHECK(written.value == ROUNDS);
	return 0;
}

TEST_F(threads, that_sleep)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(idle_program, NULL));
	EXPECT_EQ(ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(ROUNDS, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Threads that run. */
static bool busy_end;

static void *count_up(void *arg)
{
	struct page *count = arg;

	while (!__atomic_load_n(&busy_end, __ATOMIC_RELAXED))
		count->value++;
	return NULL;
}

/* None of them has run for all the time that the call is inside. */
static void see_nobody_run(void)
{
	long before[SIBLINGS];
	int i;

	for (i = 0; i < SIBLINGS; i++)
		before[i] = counts[i].value;
	spin_ms(10);
	for (i = 0; i < SIBLINGS; i++)
		CHECK(counts[i].value == before[i]);
}

static void see_all_run(void)
{
	long before, until;
	int i;

	for (i = 0; i < SIBLINGS; i++) {
		before = counts[i].value;
		until = now_ms() + 20000;
		while (counts[i].value == before)
			CHECK(now_ms() < until);
	}
}

static int busy_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	int i;

	for (i = 0; i < SIBLINGS; i++)
		threads[i] = start(count_up, &counts[i]);
	for (i = 0; i < ROUNDS / 5; i++) {
		see_all_run();
		expect_rescue(see_nobody_run);
		see_all_run();
		CHECK(victim(see_nobody_run, false) == 1);
	}
	__atomic_store_n(&busy_end, true, __ATOMIC_RELAXED);
	for (i = 0; i < SIBLINGS; i++)
		end_of(threads[i]);
	return 0;
}

TEST_F(threads, that_run)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(busy_program, NULL));
	EXPECT_EQ(ROUNDS / 5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* All inside in turn. */
static long __noipa add_one(volatile long *sum, bool faults)
{
	*sum += 1;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 0;
}

/* As another rescue point. */
static long __noipa add_one_elsewhere(volatile long *sum, bool faults)
{
	*sum += 1;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 0;
}

static bool elsewhere;
static int rounds = ROUNDS;
static pthread_barrier_t barrier;
static struct page shared_sum;
static pthread_mutex_t sum_mutex = PTHREAD_MUTEX_INITIALIZER;

static void *call_often(void *arg)
{
	struct page *own = arg;
	long (*add)(volatile long *sum, bool faults) =
		elsewhere && (own - counts) % 2 ? add_one_elsewhere : add_one;
	int i;

	/* A thread that is made meanwhile makes the rescue impossible. */
	pthread_barrier_wait(&barrier);
	for (i = 0; i < rounds; i++) {
		CHECK(add(&own->value, false) == 0);
		CHECK(add(&own->value, true) == RESCUED);
		/* What is done between calls is never undone. */
		CHECK(!pthread_mutex_lock(&sum_mutex));
		shared_sum.value++;
		CHECK(!pthread_mutex_unlock(&sum_mutex));
	}
	/* So does one that ends. */
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int calling_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	int i;

	CHECK(!pthread_barrier_init(&barrier, NULL, SIBLINGS + 1));
	for (i = 0; i < SIBLINGS; i++)
		threads[i] = start(call_often, &counts[i]);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < SIBLINGS; i++)
		end_of(threads[i]);
	for (i = 0; i < SIBLINGS; i++)
		CHECK(counts[i].value == rounds);
	CHECK(shared_sum.value == SIBLINGS * rounds);
	return 0;
}

TEST_F(threads, that_are_all_inside)
{
	ASSERT_EQ(0, protect_patiently(add_one));
	EXPECT_EQ(0, child_run(calling_program, NULL));
	EXPECT_EQ(SIBLINGS * ROUNDS,
		  events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(threads, that_are_inside_two_rescue_points)
{
	struct rescue_point other = {
		.function = add_one_elsewhere,
		.name = "elsewhere",
		.watchdog_ms = 10000,
	};

	elsewhere = true;
	rounds = 4 * ROUNDS;
	ASSERT_EQ(0, protect_patiently(add_one));
	ASSERT_EQ(0, rescue_point_add(&other));
	EXPECT_EQ(0, child_run(calling_program, NULL));
	EXPECT_EQ(SIBLINGS * rounds,
		  events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* System calls of siblings. */
static int pipe_ends[2];
static int go_on[2];

static void write_to_pipe(void)
{
	CHECK(write(pipe_ends[1], "data", 4) == 4);
}

/* What the sibling is, once it has nothing left to do but its system call. */
static pid_t sibling;
static long switches_before;

static void tell_sibling(void)
{
	__atomic_store_n(&sibling, gettid(), __ATOMIC_SEQ_CST);
}

static long switches_of_sibling(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", sibling);
	return number_in(path, "voluntary_ctxt_switches:");
}

/* It sleeps in that system call, as the kernel says. */
static void await_asleep_in(int number)
{
	char path[64], text[256], wanted[16];
	long until = now_ms() + 60000;

	snprintf(wanted, sizeof(wanted), "%d ", number);
	do {
		CHECK(now_ms() < until);
		pause_ms(1);
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall",
			 __atomic_load_n(&sibling, __ATOMIC_SEQ_CST));
	} while (read_text(path, text, sizeof(text)) ||
		 strncmp(text, wanted, strlen(wanted)));
	switches_before = switches_of_sibling();
	CHECK(switches_before >= 0);
}

/* It has been woken, and sleeps where it has to wait for the call. */
static void await_woken(void)
{
	long until = now_ms() + 5000;

	while (switches_of_sibling() == switches_before) {
		CHECK(now_ms() < until);
		pause_ms(1);
	}
}

static void let_it_read(void)
{
	write_to_pipe();
	await_woken();
}

/* Into the page that the call has written to: it is there before the fault. */
static void await_byte(const volatile void *where, char wanted)
{
	long until = now_ms() + 5000;

	while (*(const volatile char *)where != wanted) {
		CHECK(now_ms() < until);
		pause_ms(1);
	}
}

static void let_it_read_beside(void)
{
	let_it_read();
	await_byte(&written.value + 1, 'd');
}

static void *read_into(void *arg)
{
	tell_sibling();
	CHECK(read(pipe_ends[0], arg, 4) == 4);
	CHECK(!memcmp(arg, "data", 4));
	/* It is there when all others have seen so. */
	CHECK(write(go_on[1], "", 1) == 1);
	return NULL;
}

static void await_reader(void)
{
	char byte;

	CHECK(read(go_on[0], &byte, 1) == 1);
}

static int reading_program(void *arg)
{
	pthread_t thread;

	CHECK(!pipe(pipe_ends) && !pipe(go_on));
	thread = start(read_into, (void *)&buffer);
	await_asleep_in(SYS_read);
	expect_rescue(let_it_read);
	await_reader();
	end_of(thread);
	CHECK(!memcmp((void *)&buffer, "data", 4));
	return 0;
}

/* Another page, which makes it wait until the call is over. */
TEST_F(threads, read_while_another_is_inside)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(reading_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int same_page_program(void *arg)
{
	pthread_t thread;

	/* It exists, and is not only zero. */
	written.value++;
	CHECK(!pipe(pipe_ends) && !pipe(go_on));
	thread = start(read_into, (void *)(&written.value + 1));
	await_asleep_in(SYS_read);
	expect_rescue(let_it_read_beside);
	await_reader();
	end_of(thread);
	CHECK(!memcmp((void *)(&written.value + 1), "data", 4));
	return 0;
}

/* The same page, where it does not have to wait: nothing must be lost. */
TEST_F(threads, read_into_a_page_that_the_call_has_written)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(same_page_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* What has happened to each file stays, with what had not happened. */
static void *poll_there(void *arg)
{
	struct pollfd *fds = arg;
	int i;

	for (i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ pipe_ends[i], POLLIN, 0x7777 };
	tell_sibling();
	CHECK(poll(fds, 2, -1) == 1);
	for (i = 0; i < 2; i++) {
		CHECK(fds[i].fd == pipe_ends[i] && fds[i].events == POLLIN);
		CHECK(fds[i].revents == (i ? 0 : POLLIN));
	}
	CHECK(write(go_on[1], "", 1) == 1);
	return NULL;
}

static void let_it_poll_beside(void)
{
	const struct pollfd *fds = (const void *)(&written.value + 1);

	let_it_read();
	/* Little-endian. */
	await_byte(&fds[0].revents, POLLIN);
	await_byte(&fds[1].revents, 0);
}

static int polling_program(void *arg)
{
	pthread_t thread;

	written.value++;
	CHECK(!pipe(pipe_ends) && !pipe(go_on));
	thread = start(poll_there, (void *)(&written.value + 1));
	await_asleep_in(SYS_poll);
	expect_rescue(let_it_poll_beside);
	await_reader();
	end_of(thread);
	return 0;
}

TEST_F(threads, poll_in_a_page_that_the_call_has_written)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(polling_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static struct page fresh;

static void let_it_read_there(void)
{
	fresh.value++;
	let_it_read();
	await_byte(&fresh.value + 1, 'd');
}

static int fresh_page_program(void *arg)
{
	CHECK(!pipe(pipe_ends) && !pipe(go_on));
	start(read_into, (void *)(&fresh.value + 1));
	await_asleep_in(SYS_read);
	victim(let_it_read_there, true);
	return 1;
}

/* A rollback would take the whole page away. */
TEST_F(threads, read_into_a_page_that_the_call_has_touched_first)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(-SIGSEGV, child_run(fresh_page_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
}

/* A system call of which nobody knows what it may have done. */
static int semaphore;

static void add_to_semaphore(int number)
{
	struct sembuf operation = { .sem_op = number };

	/* Not by whatever else the C library may do it with. */
	CHECK(!syscall(SYS_semop, semaphore, &operation, 1));
}

static void *await_semaphore(void *arg)
{
	tell_sibling();
	add_to_semaphore(-1);
	return NULL;
}

static void let_it_go_on(void)
{
	add_to_semaphore(1);
	await_woken();
}

static int semaphore_program(void *arg)
{
	start(await_semaphore, NULL);
	await_asleep_in(SYS_semop);
	victim(let_it_go_on, true);
	return 1;
}

TEST_F(threads, that_end_an_unknown_system_call)
{
	ASSERT_EQ(0, protect_patiently(victim));
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	ASSERT_GE(semaphore, 0);
	EXPECT_EQ(-SIGSEGV, child_run(semaphore_program, NULL));
	semctl(semaphore, 0, IPC_RMID);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Closing it asks the file system, where someone else may have to answer. */
#define MOUNT	"/tmp/reassure-threads"

static void open_mounted(void)
{
	CHECK(open(MOUNT, O_RDONLY | O_DIRECTORY) >= 0);
	CHECK(open(MOUNT "/sh", O_RDONLY) >= 0);
}

static int opening_program(void *with_thread)
{
	if (with_thread)
		start(await_semaphore, NULL);
	expect_rescue(open_mounted);
	return 0;
}

TEST_F(threads, beside_a_file_whose_closing_is_seen)
{
	int mounted;

	ASSERT_EQ(0, protect_patiently(victim));
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	mkdir(MOUNT, 0700);
	mounted = mount("overlay", MOUNT, "overlay", MS_RDONLY,
			"lowerdir=/bin:/dev/shm");
	if (!mounted) {
		EXPECT_EQ(0, child_run(opening_program, NULL));
		EXPECT_EQ(0, all_refused_since_mark());
		EXPECT_EQ(-SIGSEGV, child_run(opening_program, &semaphore));
		EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
		EXPECT_EQ(1, all_refused_since_mark());
		umount2(MOUNT, MNT_DETACH);
	}
	rmdir(MOUNT);
	semctl(semaphore, 0, IPC_RMID);
	if (mounted)
		SKIP(return, "no overlay");
}

/* A hot one, which is writable from the entry on. */
static int hot_page_program(void *arg)
{
	int i;

	for (i = 0; i < 5; i++)
		CHECK(victim(NULL, false) == 1);
	return same_page_program(arg);
}

TEST_F(threads, read_into_a_hot_page)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(hot_page_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* One that has not read yet when the call faults, but soon does. */
static int later_program(void *arg)
{
	pthread_t thread;

	CHECK(!pipe(pipe_ends) && !pipe(go_on));
	thread = start(read_into, (void *)(&written.value + 1));
	await_asleep_in(SYS_read);
	expect_rescue(NULL);
	write_to_pipe();
	await_reader();
	end_of(thread);
	CHECK(!memcmp((void *)(&written.value + 1), "data", 4));
	return 0;
}

TEST_F(threads, read_when_the_call_is_over)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(later_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Sleeping threads are not disturbed. */
static int epoll_fd, listener, event_pipe[2];
static uint32_t futex_word;
static unsigned int undisturbed;
static struct sockaddr_in address = { .sin_family = AF_INET };

static void count_undisturbed(bool condition)
{
	if (condition)
		__atomic_add_fetch(&undisturbed, 1, __ATOMIC_SEQ_CST);
}

static void *in_epoll_wait(void *arg)
{
	struct epoll_event event;

	count_undisturbed(epoll_wait(epoll_fd, &event, 1, -1) == 1);
	return NULL;
}

static void *in_futex(void *arg)
{
	count_undisturbed(!syscall(SYS_futex, &futex_word, 0, 0, NULL, NULL, 0));
	return NULL;
}

static void *in_read(void *arg)
{
	char byte;

	count_undisturbed(read(pipe_ends[0], &byte, 1) == 1);
	return NULL;
}

/* For longer than all the calls take. */
static void *in_nanosleep(void *arg)
{
	struct timespec time = { .tv_sec = 5 };

	count_undisturbed(!nanosleep(&time, NULL));
	return NULL;
}

static void *in_accept(void *arg)
{
	int fd = accept(listener, NULL, NULL);

	count_undisturbed(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
	return NULL;
}

static void *(*const sleepers[])(void *arg) = {
	in_epoll_wait, in_futex, in_read, in_nanosleep, in_accept
};

#define SLEEPERS	(sizeof(sleepers) / sizeof(*sleepers))

static int client_fd;

/* They sleep when it returns. */
static void start_sleepers(pthread_t *threads)
{
	struct epoll_event event = { .events = EPOLLIN };
	socklen_t size = sizeof(address);
	unsigned int i;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!pipe(pipe_ends) && !pipe(event_pipe));
	epoll_fd = epoll_create1(0);
	CHECK(!epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_pipe[0], &event));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(listener, (void *)&address, size));
	CHECK(!listen(listener, 1));
	CHECK(!getsockname(listener, (void *)&address, &size));
	client_fd = socket(AF_INET, SOCK_STREAM, 0);
	for (i = 0; i < SLEEPERS; i++)
		threads[i] = start(sleepers[i], NULL);
	pause_ms(50);
}

/* What those wait for that do not sleep by the clock. */
static void wake_sleepers(void)
{
	CHECK(write(event_pipe[1], "", 1) == 1);
	CHECK(write(pipe_ends[1], "", 1) == 1);
	CHECK(syscall(SYS_futex, &futex_word, 1, 1, NULL, NULL, 0) == 1);
	CHECK(!connect(client_fd, (void *)&address, sizeof(address)));
}

static void await_sleepers(const pthread_t *threads)
{
	unsigned int i;

	for (i = 0; i < SLEEPERS; i++)
		end_of(threads[i]);
	CHECK(undisturbed == SLEEPERS);
}

static int undisturbed_program(void *arg)
{
	pthread_t threads[SLEEPERS];
	int i;

	start_sleepers(threads);
	for (i = 0; i < ROUNDS; i++)
		expect_rescue(NULL);
	CHECK(undisturbed == 0);
	wake_sleepers();
	await_sleepers(threads);
	return 0;
}

TEST_F(threads, that_sleep_are_not_disturbed)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(undisturbed_program, NULL));
	EXPECT_EQ(ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* They wake up while the call is inside. */
static void wake_all(void)
{
	wake_sleepers();
	pause_ms(20);
}

static int waking_program(void *arg)
{
	pthread_t threads[SLEEPERS];

	start_sleepers(threads);
	expect_rescue(wake_all);
	await_sleepers(threads);
	return 0;
}

/* What they got is theirs: the connection is open, the data there. */
TEST_F(threads, that_wake_up_while_another_is_inside)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(waking_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The call waits for a thread that waits for the call. */
static void *write_when_it_runs(void *arg)
{
	long *start_at = arg;

	while (!__atomic_load_n(start_at, __ATOMIC_RELAXED))
		;
	/* The call is inside by now, so this comes when it is given up. */
	CHECK(write(pipe_ends[1], "", 1) == 1);
	return NULL;
}

static long begun;

static void wait_for_sibling(void)
{
	char byte;

	__atomic_store_n(&begun, 1, __ATOMIC_RELAXED);
	CHECK(read(pipe_ends[0], &byte, 1) == 1);
}

static int waiting_program(void *arg)
{
	pthread_t thread;

	CHECK(!pipe(pipe_ends));
	thread = start(write_when_it_runs, &begun);
	CHECK(victim(wait_for_sibling, false) == 1);
	end_of(thread);
	/* And the next is protected again. */
	expect_rescue(NULL);
	return 0;
}

TEST_F(threads, for_which_the_call_waits)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(waiting_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int given_up_program(void *arg)
{
	CHECK(!pipe(pipe_ends));
	start(write_when_it_runs, &begun);
	victim(wait_for_sibling, true);
	return 1;
}

TEST_F(threads, for_which_a_call_waits_that_faults_then)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(given_up_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_WATCHDOG));
}

/* The same, by a lock that is not a system call. */
static void *hold_spinlock(void *arg)
{
	__atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
	spin_ms(100);
	__atomic_store_n(&begun, 2, __ATOMIC_SEQ_CST);
	return NULL;
}

static void spin_for_sibling(void)
{
	while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) != 2)
		;
}

static int spinning_program(void *arg)
{
	pthread_t thread = start(hold_spinlock, NULL);

	while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST))
		;
	CHECK(victim(spin_for_sibling, false) == 1);
	end_of(thread);
	return 0;
}

TEST_F(threads, for_which_the_call_spins)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 4 };

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(spinning_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
}

/* One call that is blocked for long does not stop the others again. */
static int blocked_pipe[2];

static void block(void)
{
	char byte;

	__atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
	CHECK(read(blocked_pipe[0], &byte, 1) == 1);
}

static void *call_and_block(void *arg)
{
	CHECK(victim(block, false) == 1);
	return NULL;
}

static int convoy_program(void *arg)
{
	pthread_t thread;
	long start_ms;
	int i;

	CHECK(!pipe(blocked_pipe));
	thread = start(call_and_block, NULL);
	while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST))
		;
	/* It has been given up by now, or is when we come. */
	start_ms = now_ms();
	for (i = 0; i < 100; i++)
		CHECK(victim(NULL, false) == 1);
	CHECK(now_ms() - start_ms < 100 * 1000);
	CHECK(write(blocked_pipe[1], "", 1) == 1);
	end_of(thread);
	expect_rescue(NULL);
	return 0;
}

TEST_F(threads, beside_a_call_that_is_blocked)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 1000 };

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(convoy_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	/* That call, and the one after it. */
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Locks, which are memory. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static struct page turn;

static void lock_and_signal(void)
{
	CHECK(!pthread_mutex_lock(&mutex));
	turn.value++;
	CHECK(!pthread_cond_broadcast(&condition));
}

static void *await_turn(void *arg)
{
	CHECK(!pthread_mutex_lock(&mutex));
	while (turn.value != 1)
		CHECK(!pthread_cond_wait(&condition, &mutex));
	CHECK(!pthread_mutex_unlock(&mutex));
	return NULL;
}

static int locking_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	int i;

	for (i = 0; i < SIBLINGS; i++)
		threads[i] = start(await_turn, NULL);
	pause_ms(50);
	for (i = 0; i < ROUNDS; i++) {
		/* It faults with the mutex locked. */
		expect_rescue(lock_and_signal);
		CHECK(turn.value == 0);
		CHECK(!pthread_mutex_lock(&mutex));
		CHECK(!pthread_mutex_unlock(&mutex));
	}
	lock_and_signal();
	CHECK(!pthread_mutex_unlock(&mutex));
	for (i = 0; i < SIBLINGS; i++)
		end_of(threads[i]);
	return 0;
}

TEST_F(threads, that_wait_for_a_lock)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(locking_program, NULL));
	EXPECT_EQ(ROUNDS, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Threads that come and go all the time. */
static void *come_and_go(void *arg)
{
	struct page *count = arg;
	int i;

	for (i = 0; i < 20; i++)
		add_one(&count->value, false);
	return NULL;
}

static int pool_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SIBLINGS; i++)
			threads[i] = start(come_and_go, &counts[i]);
		add_one(&written.value, false);
		for (i = 0; i < SIBLINGS; i++)
			end_of(threads[i]);
	}
	for (i = 0; i < SIBLINGS; i++)
		CHECK(counts[i].value == 20 * ROUNDS);
	CHECK(written.value == ROUNDS);
	return 0;
}

TEST_F(threads, that_come_and_go)
{
	ASSERT_EQ(0, rescue_point_protect(add_one));
	EXPECT_EQ(0, child_run(pool_program, NULL));
}

/* The end of all while they wait. */
static uint32_t *inside_now;

static void stay_inside(void)
{
	meet_signal(inside_now);
	for (;;)
		;
}

static int staying_program(void *arg)
{
	int i;

	for (i = 0; i < SIBLINGS; i++)
		start(count_up, &counts[i]);
	victim(stay_inside, false);
	return 1;
}

TEST_F(threads, that_are_killed_while_they_wait)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 60000 };
	pid_t child;

	inside_now = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(staying_program, NULL);
	meet_await(inside_now);
	pause_ms(20);
	kill(child, SIGKILL);
	EXPECT_EQ(-SIGKILL, child_wait(child));
}

/* All go on when the rescue point goes. */
TEST_F(threads, that_wait_when_the_rescue_point_goes)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 60000 };
	pid_t child;
	long start_ms;

	inside_now = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(staying_program, NULL);
	meet_await(inside_now);
	pause_ms(20);
	start_ms = now_ms();
	EXPECT_EQ(0, rescue_point_delete("test"));
	EXPECT_LT(now_ms() - start_ms, 10000);
	kill(child, SIGKILL);
	EXPECT_EQ(-SIGKILL, child_wait(child));
}

/* Made or ended inside: see also refused.c. */
static void *nothing(void *arg)
{
	return NULL;
}

static void make_and_join(void)
{
	end_of(start(nothing, NULL));
}

static int making_program(void *arg)
{
	start_sleeper();
	victim(make_and_join, true);
	return 1;
}

TEST_F(threads, made_inside_beside_others)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(making_program, NULL));
	EXPECT_EQ(1, all_refused_since_mark());
}

static void spawn(void)
{
	pid_t child = vfork();

	if (!child)
		_exit(0);
	CHECK(waitpid(child, NULL, 0) == child);
}

static void fork_and_wait(void)
{
	pid_t child = fork();

	if (!child)
		_exit(written.value == 1 ? 0 : 1);
	CHECK(waitpid(child, NULL, 0) == child);
}

static int forking_program(void *arg)
{
	start_sleeper();
	victim(arg, true);
	return 0;
}

TEST_F(threads, and_processes_made_inside)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(forking_program, fork_and_wait));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, child_run(forking_program, spawn));
}

/* Which has the same memory at the fault. */
static int stay_with_parent(void *parent)
{
	die_with_parent(*(pid_t *)parent);
	for (;;)
		pause();
	return 0;
}

static void share_memory(void)
{
	static char stack[16 * PAGE_SIZE];
	static pid_t self;

	self = getpid();
	CHECK(clone(stay_with_parent, stack + sizeof(stack), CLONE_VM | SIGCHLD,
		    &self) > 0);
}

TEST_F(threads, and_a_process_with_their_memory)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(forking_program, share_memory));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
}

/* A child has one thread, whatever its parent has. */
static int forked_program(void *arg)
{
	pid_t child;
	int status;

	start_sleeper();
	expect_rescue(NULL);
	child = fork();
	if (!child) {
		expect_rescue(NULL);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && !status);
	expect_rescue(NULL);
	return 0;
}

TEST_F(threads, and_a_child_that_has_none)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(forked_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Signals for a thread that waits come when it goes on. */
static unsigned int handled;

static void count_signal(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static pthread_t target;

static void signal_sibling(void)
{
	CHECK(!pthread_kill(target, SIGUSR1));
	spin_ms(10);
	CHECK(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 0);
}

static int signal_program(void *arg)
{
	long until = now_ms() + 20000;

	signal(SIGUSR1, count_signal);
	target = start(count_up, &counts[0]);
	while (!counts[0].value)
		;
	expect_rescue(signal_sibling);
	while (!__atomic_load_n(&handled, __ATOMIC_SEQ_CST))
		CHECK(now_ms() < until);
	return 0;
}

TEST_F(threads, that_get_a_signal)
{
	ASSERT_EQ(0, protect_patiently(victim));
	EXPECT_EQ(0, child_run(signal_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
