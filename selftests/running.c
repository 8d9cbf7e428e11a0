// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with several threads that run while one is inside: they stand still
 * only while the call begins and while it is rolled back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define SIBLINGS	4
#define SLEEPERS	5
#define ROUNDS		50

/* On pages of their own. */

FIXTURE(running)
{
};

FIXTURE_SETUP(running)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(running)
{
	test_end(_metadata->passed);
}

/* So that no call is given up because the machine is slow. */
static int protect(const void *function)
{
	struct rescue_point rp = {
		.function = function,
		.threads = REASSURE_THREADS_RUN,
		.watchdog_ms = 10000,
	};

	return rescue_point_add(&rp);
}

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void pause_ms(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&time, &time))
		;
}

static pthread_t start(void *(*body)(void *arg), void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, body, arg));
	return thread;
}

/* What a sibling tells and is told is in shared memory, which stays as it is. */
static struct {
	long counts[SIBLINGS], woken[SLEEPERS], sleeping[SLEEPERS];
	int end, order, answer;	/* numbers of orders; negative: end */
	pthread_barrier_t barrier;
} *shared;

static void make_shared(void)
{
	shared = shared_memory(sizeof(*shared));
}

static long get(const long *number)
{
	return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void await_change(const long *number)
{
	long until = now_ms() + 100000, before = get(number);

	while (get(number) == before)
		CHECK(now_ms() < until);
}

/* Its own stack stays what it is, several pages of it. */
static void *count_on_stack(void *arg)
{
	volatile long numbers[3 * PAGE_SIZE / sizeof(long)] = {};
	int i = (long)arg;
	long count = 0, n;

	while (!__atomic_load_n(&shared->end, __ATOMIC_SEQ_CST)) {
		n = count % (sizeof(numbers) / sizeof(long));
		CHECK(numbers[n] == count / (long)(sizeof(numbers) / sizeof(long)));
		numbers[n]++;
		count++;
		__atomic_store_n(&shared->counts[i], count, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void see_all_run(void)
{
	int i;

	for (i = 0; i < SIBLINGS; i++)
		await_change(&shared->counts[i]);
}

static void start_counting(pthread_t *threads)
{
	long i;

	make_shared();
	for (i = 0; i < SIBLINGS; i++)
		threads[i] = start(count_on_stack, (void *)i);
	see_all_run();
}

static void end_counting(const pthread_t *threads)
{
	int i;

	__atomic_store_n(&shared->end, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

static int busy_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	long i;

	start_counting(threads);
	for (i = 0; i < ROUNDS / 5; i++) {
		expect_rescue(see_all_run);
		see_all_run();
		CHECK(victim(see_all_run, false) == 1);
	}
	CHECK(written.value == ROUNDS / 5);
	end_counting(threads);
	return 0;
}

TEST_F(running, meanwhile)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(busy_program, NULL));
	EXPECT_EQ(ROUNDS / 5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(ROUNDS / 5, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* A sibling does what it is told and says so. */
static void (*orders[4])(void);

static void *obey(void *arg)
{
	int done = 0, order;

	for (;;) {
		order = __atomic_load_n(&shared->order, __ATOMIC_SEQ_CST);
		if (order == done)
			continue;
		if (order < 0)
			return NULL;
		orders[order]();
		done = order;
		__atomic_store_n(&shared->answer, order, __ATOMIC_SEQ_CST);
	}
}

static void give_order(int order)
{
	long until = now_ms() + 100000;

	__atomic_store_n(&shared->order, order, __ATOMIC_SEQ_CST);
	while (order > 0 &&
	       __atomic_load_n(&shared->answer, __ATOMIC_SEQ_CST) != order)
		CHECK(now_ms() < until);
}

static void order_one(void)
{
	give_order(1);
}

static void order_two(void)
{
	give_order(2);
}

static void do_nothing(void)
{
}

static pthread_t start_obedient(void)
{
	pthread_t thread;

	make_shared();
	thread = start(obey, NULL);
	orders[3] = do_nothing;
	give_order(3);
	return thread;
}

/* Goes down to pages of its stack that were not there before, and stays there. */
static void __noipa stay_below(void)
{
	volatile char deep[16 * PAGE_SIZE];
	long i;

	for (i = 0; i < sizeof(deep); i++)
		deep[i] = 0x5a;
	__atomic_store_n(&shared->answer, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->order, __ATOMIC_SEQ_CST) == 1)
		;
	for (i = 0; i < sizeof(deep); i++)
		CHECK(deep[i] == 0x5a);
}

static int deep_program(void *arg)
{
	pthread_t thread;

	CHECK(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	thread = start_obedient();
	orders[1] = stay_below;
	expect_rescue(order_one);
	give_order(3);
	give_order(-1);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

TEST_F(running, on_stacks_that_grow)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(deep_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static struct page other_page;

static void write_elsewhere(void)
{
	other_page.value++;
	written.value += 1000;
}

/* On no stack, what others wrote is taken back, too. */
static int writing_program(void *arg)
{
	pthread_t thread = start_obedient();

	orders[1] = write_elsewhere;
	expect_rescue(order_one);
	CHECK(other_page.value == 0);
	orders[2] = write_elsewhere;
	CHECK(victim(order_two, false) == 1);
	CHECK(other_page.value == 1);
	CHECK(written.value == 1001);
	give_order(-1);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

TEST_F(running, and_what_they_write_is_taken_back)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(writing_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

static bool waits_in(pid_t thread, int system_call)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", thread);
	/* Or it is "running". */
	return !read_text(path, text, sizeof(text)) && *text >= '0' &&
	       *text <= '9' && atoi(text) == system_call;
}

static bool waits_for_futex(pid_t thread)
{
	return waits_in(thread, SYS_futex);
}

/* A worker is inside, and the first thread sleeps all the time. */
static pthread_mutex_t *lock_on_stack;
static __thread long own;

static void lock_that(void)
{
	CHECK(!pthread_mutex_lock(lock_on_stack));
	own++;
}

static void *call_from_worker(void *arg)
{
	char deep[2 * PAGE_SIZE];

	lock_on_stack = arg;
	memset(deep, 1, sizeof(deep));
	barrier();
	while (!waits_for_futex(getpid()))
		usleep(1000);
	expect_rescue(lock_that);
	CHECK(own == 0);
	CHECK(memory_holds((void *)deep, sizeof(deep), 1));
	return NULL;
}

static int joining_program(void *arg)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int i;

	for (i = 0; i < 5; i++) {
		CHECK(!pthread_join(start(call_from_worker, &mutex), NULL));
		CHECK(!pthread_mutex_trylock(&mutex));
		CHECK(!pthread_mutex_unlock(&mutex));
	}
	return 0;
}

TEST_F(running, on_whose_stack_the_call_writes)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(joining_program, NULL));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Its thread-local variables and stack lie beside those of the first thread. */
static void *call_beside_first(void *arg)
{
	int i;

	for (i = 0; i < 5; i++) {
		expect_rescue(lock_that);
		CHECK(own == 0);
	}
	__atomic_store_n(&shared->end, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int beside_program(void *arg)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	lock_on_stack = malloc(sizeof(mutex));
	CHECK(lock_on_stack);
	*lock_on_stack = mutex;
	/* It takes the place below what the C library has mapped last. */
	thread = start(call_beside_first, NULL);
	while (!shared || !__atomic_load_n(&shared->end, __ATOMIC_SEQ_CST))
		own++;
	CHECK(!pthread_join(thread, NULL));
	CHECK(!pthread_mutex_trylock(lock_on_stack));
	return 0;
}

TEST_F(running, beside_the_first_thread)
{
	make_shared();
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(beside_program, NULL));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static void set_flag(void)
{
	CHECK(!fcntl(0, F_SETFD, FD_CLOEXEC));
	order_one();
}

static int flag_program(void *arg)
{
	start_obedient();
	orders[1] = do_nothing;
	victim(set_flag, true);
	return 0;
}

/* What others do that cannot be told from what the call does, or not undone. */
static int refused_program(void *arg)
{
	start_obedient();
	orders[1] = arg;
	victim(order_one, true);
	return 0;
}

static void open_descriptor(void)
{
	CHECK(open("/dev/null", O_RDONLY) >= 0);
}

static int tail;

static void close_descriptor(void)
{
	CHECK(!close(tail));
}

static void read_on(void)
{
	char byte;

	CHECK(read(tail, &byte, 1) == 1);
}

static int refused_with_file_program(void *arg)
{
	tail = open("/proc/self/exe", O_RDONLY);
	CHECK(tail >= 0);
	return refused_program(arg);
}

/* Which nobody could tell afterwards. */
static void close_and_open_again(void)
{
	int fd;

	CHECK(!close(tail));
	fd = open("/dev/null", O_RDONLY);
	CHECK(fd == tail);
}

static void attach_and_detach(void)
{
	int id = shmget(IPC_PRIVATE, PAGE_SIZE, IPC_CREAT | 0600);
	void *start = shmat(id, NULL, 0);

	CHECK(id >= 0 && start != (void *)-1);
	CHECK(!shmctl(id, IPC_RMID, NULL));
	CHECK(!shmdt(start));
}

static void change_action(void)
{
	CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
}

static void lock_owned_futex(void)
{
	static uint32_t futex;

	CHECK(!syscall(SYS_futex, &futex, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
}

static void map_memory(void)
{
	CHECK(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void *nothing(void *arg)
{
	return NULL;
}

/* Without anything that glibc does for it. */
static void make_thread(void)
{
	static char stack[16 * PAGE_SIZE];
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstack(&attributes, stack, sizeof(stack)));
	CHECK(!pthread_create(&thread, &attributes, nothing, NULL));
	CHECK(!pthread_join(thread, NULL));
}

static void on_signal(int sig)
{
	__atomic_store_n(&shared->answer, 1, __ATOMIC_SEQ_CST);
	for (;;)
		;
}

static void stay_on_signal_stack(void)
{
	static char memory[16 * PAGE_SIZE];
	stack_t stack = { .ss_sp = memory, .ss_size = sizeof(memory) };

	CHECK(!sigaltstack(&stack, NULL));
	raise(SIGUSR1);
}

static int signalled_program(void *arg)
{
	struct sigaction action = {
		.sa_handler = on_signal, .sa_flags = SA_ONSTACK,
	};

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	return refused_program(stay_on_signal_stack);
}

static pid_t ending;

static void end_thread(void)
{
	ending = syscall(SYS_gettid);
	__atomic_store_n(&shared->answer, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_exit, 0);
}

static void await_end_of_thread(void)
{
	order_one();
	while (!syscall(SYS_tgkill, getpid(), ending, 0))
		usleep(1000);
}

static int ending_program(void *arg)
{
	start_obedient();
	orders[1] = end_thread;
	victim(await_end_of_thread, true);
	return 0;
}

TEST_F(running, and_descriptors)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, open_descriptor));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV,
		  child_run(refused_with_file_program, close_descriptor));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(refused_with_file_program, read_on));
	EXPECT_EQ(3, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(refused_with_file_program,
				      close_and_open_again));
	EXPECT_EQ(4, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(-SIGSEGV, child_run(flag_program, NULL));
	EXPECT_EQ(5, refused_since_mark(REASSURE_REFUSED_DESCRIPTOR));
	EXPECT_EQ(5, all_refused_since_mark());
}

TEST_F(running, and_state)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, change_action));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, lock_owned_futex));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_STATE));
	EXPECT_EQ(2, all_refused_since_mark());
}

TEST_F(running, and_mappings)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, map_memory));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, attach_and_detach));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(2, all_refused_since_mark());
}

/* One of them waits for what the first thread has, and the kernel knows. */
static uint32_t owned;

static void *await_owned_futex(void *arg)
{
	CHECK(!syscall(SYS_futex, &owned, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	return NULL;
}

static int amid_a_call_program(void *arg)
{
	pthread_t thread;

	CHECK(!syscall(SYS_futex, &owned, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	thread = start(await_owned_futex, NULL);
	while (!(__atomic_load_n(&owned, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		pause_ms(1);
	if (arg) {
		victim(NULL, true);
		return 1;
	}
	CHECK(!syscall(SYS_futex, &owned, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	CHECK(!pthread_join(thread, NULL));
	expect_rescue(NULL);
	return 0;
}

TEST_F(running, and_are_amid_a_system_call)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(amid_a_call_program, "faults"));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(0, child_run(amid_a_call_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* What the call takes away would be set aside, and others miss it. */
static char *taken;

static void discard(void)
{
	CHECK(!madvise(taken, PAGE_SIZE, MADV_DONTNEED));
}

static void unmap(void)
{
	CHECK(!munmap(taken, PAGE_SIZE));
}

static void add_mapping(void)
{
	char *start = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(start != MAP_FAILED);
	start[0] = 1;
}

static int taking_program(void *arg)
{
	start_obedient();
	taken = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(taken != MAP_FAILED);
	taken[0] = 1;
	expect_rescue(add_mapping);
	victim(arg, true);
	return 0;
}

TEST_F(running, and_nothing_is_taken_from_them)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(taking_program, discard));
	EXPECT_EQ(-SIGSEGV, child_run(taking_program, unmap));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_MAPPING));
	EXPECT_EQ(2, all_refused_since_mark());
}

TEST_F(running, and_share_nothing_that_is_restored)
{
	struct rescue_point rp = {
		.function = victim,
		.threads = REASSURE_THREADS_RUN,
		.shared = TEST_SHARED_RESTORE,
	};

	EXPECT_EQ(-EINVAL, rescue_point_add(&rp));
}

/* A stack in one mapping with other memory, which is rolled back. */
#define STACK_PAGES	16

static struct {
	struct page before;
	_Alignas(PAGE_SIZE) char stack[STACK_PAGES * PAGE_SIZE];
	struct page between, after;
} *amid;

static void write_beside_stack(void)
{
	amid->before.value++;
	amid->after.value++;
	/* Below where the thread is, dead. */
	amid->stack[0]++;
	see_all_run();
}

static int amid_program(void *arg)
{
	pthread_attr_t attributes;
	pthread_t threads[SIBLINGS];
	long i;

	make_shared();
	amid = mmap(NULL, sizeof(*amid), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(amid != MAP_FAILED);
	CHECK(!pthread_attr_init(&attributes));
	CHECK(!pthread_attr_setstack(&attributes, amid->stack,
				     sizeof(amid->stack)));
	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_create(&threads[i], i ? NULL : &attributes,
				      count_on_stack, (void *)i));
	see_all_run();
	for (i = 0; i < 5; i++) {
		expect_rescue(write_beside_stack);
		CHECK(!amid->before.value && !amid->after.value);
		CHECK(!amid->stack[0]);
		see_all_run();
	}
	end_counting(threads);
	return 0;
}

TEST_F(running, on_a_stack_amid_other_memory)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(amid_program, NULL));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(running, and_threads_that_come)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(refused_program, make_thread));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(1, all_refused_since_mark());
}

TEST_F(running, and_threads_that_end)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(ending_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* The stack to which it comes back is not known to be one. */
TEST_F(running, on_a_signal_stack)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(signalled_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* A mutex that is locked inside, on which a sibling begins to wait. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *lock_when_told(void *arg)
{
	while (!__atomic_load_n(&shared->order, __ATOMIC_SEQ_CST))
		;
	shared->answer = syscall(SYS_gettid);
	__atomic_store_n(&shared->order, 0, __ATOMIC_SEQ_CST);
	CHECK(!pthread_mutex_lock(&mutex));
	CHECK(!pthread_mutex_unlock(&mutex));
	return NULL;
}

static void lock_and_be_waited_for(void)
{
	long until = now_ms() + 100000;

	CHECK(!pthread_mutex_lock(&mutex));
	__atomic_store_n(&shared->order, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->order, __ATOMIC_SEQ_CST) ||
	       !waits_for_futex(shared->answer))
		CHECK(now_ms() < until);
}

static void make_robust(pthread_mutex_t *one)
{
	pthread_mutexattr_t attributes;

	CHECK(!pthread_mutexattr_init(&attributes));
	CHECK(!pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(one, &attributes));
}

static int locking_program(void *robust)
{
	pthread_t thread;
	int i;

	make_shared();
	if (robust)
		make_robust(&mutex);
	for (i = 0; i < 5; i++) {
		thread = start(lock_when_told, NULL);
		pause_ms(20);
		expect_rescue(lock_and_be_waited_for);
		CHECK(!pthread_join(thread, NULL));
		CHECK(!pthread_mutex_trylock(&mutex));
		CHECK(!pthread_mutex_unlock(&mutex));
		while (number_in("/proc/self/status", "Threads:") > 1)
			usleep(1000);
	}
	return 0;
}

TEST_F(running, and_wait_for_what_is_free_again)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(locking_program, NULL));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Nobody who held it has died. */
TEST_F(running, and_wait_for_what_is_robust_and_free_again)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(locking_program, &mutex));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/*
 * They sleep while calls are rescued, hear of all that they wait for, and of
 * nothing else.  What they have heard they know by their stacks.
 */
#define RESCUES		20

static int event_fd, event_set, data_pipe[2], listener;
static struct sockaddr_in address = { .sin_family = AF_INET };
static pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER, robust;
static pthread_cond_t turn_comes = PTHREAD_COND_INITIALIZER;
static struct page turn;

static long await_event(long heard)
{
	struct epoll_event event;
	uint64_t value;

	CHECK(epoll_wait(event_set, &event, 1, -1) == 1);
	CHECK(read(event_fd, &value, sizeof(value)) == sizeof(value));
	return heard + value;
}

static long await_data(long heard)
{
	unsigned char byte;

	CHECK(read(data_pipe[0], &byte, 1) == 1);
	CHECK(byte == heard + 1);
	return byte;
}

static long await_connection(long heard)
{
	int fd = accept(listener, NULL, NULL);

	CHECK(fd >= 0);
	CHECK(!close(fd));
	return heard + 1;
}

static long await_turn(long heard)
{
	long now;

	CHECK(!pthread_mutex_lock(&turn_mutex));
	while (turn.value == heard)
		CHECK(!pthread_cond_wait(&turn_comes, &turn_mutex));
	now = turn.value;
	CHECK(!pthread_mutex_unlock(&turn_mutex));
	return now;
}

/* Once. */
static long await_robust_lock(long heard)
{
	CHECK(!pthread_mutex_lock(&robust));
	CHECK(!pthread_mutex_unlock(&robust));
	return 1;
}

enum { EVENT, DATA, CONNECTION, TURN, ROBUST_LOCK };

static const struct sleeper {
	long (*await)(long heard);
	int system_call;
} sleepers[SLEEPERS] = {
	[EVENT] = { await_event, SYS_epoll_wait },
	[DATA] = { await_data, SYS_read },
	[CONNECTION] = { await_connection, SYS_accept },
	[TURN] = { await_turn, SYS_futex },
	[ROBUST_LOCK] = { await_robust_lock, SYS_futex },
};

static void *hear(void *arg)
{
	long i = (long)arg, heard = 0;

	__atomic_store_n(&shared->sleeping[i], syscall(SYS_gettid),
			 __ATOMIC_SEQ_CST);
	do {
		heard = sleepers[i].await(heard);
		__atomic_store_n(&shared->woken[i], heard, __ATOMIC_SEQ_CST);
	} while (i != ROBUST_LOCK);
	for (;;)
		pause();
	return NULL;
}

static void await_sleep(void)
{
	long until = now_ms() + 100000;
	int i;

	for (i = 0; i < SLEEPERS; i++)
		while (!waits_in(get(&shared->sleeping[i]),
				 sleepers[i].system_call)) {
			CHECK(now_ms() < until);
			usleep(1000);
		}
}

static void start_sleepers(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	socklen_t size = sizeof(address);
	long i;

	make_shared();
	event_fd = eventfd(0, EFD_CLOEXEC);
	event_set = epoll_create1(EPOLL_CLOEXEC);
	CHECK(!epoll_ctl(event_set, EPOLL_CTL_ADD, event_fd, &event));
	CHECK(!pipe(data_pipe));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(listener, (void *)&address, size));
	CHECK(!listen(listener, 1));
	CHECK(!getsockname(listener, (void *)&address, &size));
	make_robust(&robust);
	CHECK(!pthread_mutex_lock(&robust));
	for (i = 0; i < SLEEPERS; i++)
		start(hear, (void *)i);
}

static void await_woken(int sleeper, long heard)
{
	long until = now_ms() + 100000;

	while (get(&shared->woken[sleeper]) != heard) {
		CHECK(now_ms() < until);
		usleep(1000);
	}
}

/* What is told is no memory: it stays where it was told inside, too. */
static void tell(int times)
{
	const unsigned char byte = times;
	const uint64_t one = 1;

	CHECK(write(event_fd, &one, sizeof(one)) == sizeof(one));
	CHECK(write(data_pipe[1], &byte, 1) == 1);
}

static int told;

static void tell_and_see(void)
{
	tell(told + 1);
	await_woken(EVENT, told + 1);
	await_woken(DATA, told + 1);
}

/* New descriptors, and locks, which are memory: between calls alone. */
static void connect_and_give_turn(int times)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(!connect(fd, (void *)&address, sizeof(address)));
	CHECK(!close(fd));
	CHECK(!pthread_mutex_lock(&turn_mutex));
	turn.value++;
	CHECK(!pthread_cond_signal(&turn_comes));
	CHECK(!pthread_mutex_unlock(&turn_mutex));
	await_woken(CONNECTION, times);
	await_woken(TURN, times);
}

static int sleeping_program(void *arg)
{
	int i;

	start_sleepers();
	for (i = 1; i <= RESCUES; i++) {
		/* Those that were woken for nothing, too. */
		await_sleep();
		expect_rescue(tell_and_see);
		told = 2 * i - 1;
		tell(++told);
		connect_and_give_turn(i);
		await_woken(EVENT, told);
		await_woken(DATA, told);
	}
	CHECK(!get(&shared->woken[ROBUST_LOCK]));
	CHECK(!pthread_mutex_unlock(&robust));
	await_woken(ROBUST_LOCK, 1);
	return 0;
}

TEST_F(running, and_sleep_undisturbed)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(sleeping_program, NULL));
	EXPECT_EQ(RESCUES, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* A call inside that one has no checkpoint of its own, and is taken back with it. */
static void call_inside(void)
{
	victim(see_all_run, true);
	CHECK(false);
}

static long __noipa around(void)
{
	victim(call_inside, false);
	return 1;
}

static int nested_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	int i;

	start_counting(threads);
	for (i = 0; i < RESCUES; i++) {
		CHECK(around() == RESCUED);
		CHECK(written.value == 0);
		see_all_run();
	}
	/* Alone it has one. */
	expect_rescue(see_all_run);
	end_counting(threads);
	return 0;
}

TEST_F(running, and_a_call_inside_is_covered_by_that_around)
{
	struct rescue_point rp = {
		.function = around,
		.name = "around",
		.threads = REASSURE_THREADS_RUN,
		.watchdog_ms = 10000,
	};
	struct counters counters;

	ASSERT_EQ(0, protect(victim));
	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(nested_program, NULL));
	ASSERT_EQ(0, counters_read("around", &counters));
	EXPECT_EQ(RESCUES, counters.events[REASSURE_COUNTER_RESCUES]);
	ASSERT_EQ(0, counters_read("test", &counters));
	EXPECT_EQ(1, counters.events[REASSURE_COUNTER_CHECKPOINTS]);
	EXPECT_EQ(1, counters.events[REASSURE_COUNTER_RESCUES]);
	EXPECT_EQ(0, all_refused_since_mark());
}

/*
 * All inside in turn, and beside each other between their calls.  In private
 * memory the barrier would forget who has come.
 */
static long __noipa add_one(volatile long *sum, bool faults)
{
	*sum += 1;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 0;
}

static void *call_often(void *arg)
{
	volatile long sum = 0;
	int i;

	pthread_barrier_wait(&shared->barrier);
	for (i = 0; i < ROUNDS; i++) {
		CHECK(add_one(&sum, false) == 0);
		CHECK(add_one(&sum, true) == RESCUED);
		CHECK(sum == i + 1);
	}
	pthread_barrier_wait(&shared->barrier);
	return NULL;
}

static int calling_program(void *arg)
{
	pthread_barrierattr_t attributes;
	pthread_t threads[SIBLINGS];
	int i;

	make_shared();
	CHECK(!pthread_barrierattr_init(&attributes));
	CHECK(!pthread_barrierattr_setpshared(&attributes,
					      PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_barrier_init(&shared->barrier, &attributes,
				    SIBLINGS + 1));
	for (i = 0; i < SIBLINGS; i++)
		threads[i] = start(call_often, NULL);
	pthread_barrier_wait(&shared->barrier);
	pthread_barrier_wait(&shared->barrier);
	for (i = 0; i < SIBLINGS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return 0;
}

TEST_F(running, and_are_all_inside)
{
	ASSERT_EQ(0, protect(add_one));
	EXPECT_EQ(0, child_run(calling_program, NULL));
	EXPECT_EQ(SIBLINGS * ROUNDS,
		  events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Where nobody waits, a call may be blocked for long. */
static void sleep_inside(void)
{
	see_all_run();
	pause_ms(200);
	see_all_run();
}

static int blocked_program(void *arg)
{
	pthread_t threads[SIBLINGS];

	start_counting(threads);
	expect_rescue(sleep_inside);
	end_counting(threads);
	return 0;
}

TEST_F(running, beside_a_call_that_is_blocked)
{
	struct rescue_point rp = {
		.function = victim,
		.threads = REASSURE_THREADS_RUN,
		.watchdog_ms = is_debug_kernel() ? 150 : 50,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(blocked_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_GIVEN_UP));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* As the rescue point says at the entry. */
static void see_nobody_run(void)
{
	long before[SIBLINGS], until = now_ms() + 20;
	int i;

	for (i = 0; i < SIBLINGS; i++)
		before[i] = get(&shared->counts[i]);
	while (now_ms() < until)
		;
	for (i = 0; i < SIBLINGS; i++)
		CHECK(get(&shared->counts[i]) == before[i]);
}

static int changing_program(void *arg)
{
	const uint32_t stop = REASSURE_THREADS_STOP, run = REASSURE_THREADS_RUN;
	pthread_t threads[SIBLINGS];
	long i;

	start_counting(threads);
	for (i = 0; i < 5; i++) {
		CHECK(!rescue_point_set("test", &(struct rescue_point_change){
					.threads = &run }));
		expect_rescue(see_all_run);
		CHECK(!rescue_point_set("test", &(struct rescue_point_change){
					.threads = &stop }));
		expect_rescue(see_nobody_run);
	}
	end_counting(threads);
	return 0;
}

TEST_F(running, as_it_is_set)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = 10000 };

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(changing_program, NULL));
	EXPECT_EQ(10, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* When the call is not rescued they run on, and the program's handler does. */
static sigjmp_buf out;

static void on_fault(int sig)
{
	siglongjmp(out, 1);
}

static int handled_program(void *arg)
{
	pthread_t threads[SIBLINGS];
	long i;

	signal(SIGSEGV, on_fault);
	start_counting(threads);
	for (i = 0; i < 5; i++)
		if (!sigsetjmp(out, true)) {
			victim(see_all_run, true);
			CHECK(false);
		} else {
			see_all_run();
		}
	CHECK(written.value == 5);
	end_counting(threads);
	return 0;
}

static int once_program(void *arg)
{
	expect_rescue(NULL);
	return 0;
}

TEST_F(running, and_go_on_when_it_is_not_rescued)
{
	struct rescue_point rp = {
		.function = victim,
		.threads = REASSURE_THREADS_RUN,
		.watchdog_ms = 10000,
		.budget_rescues = 1,
		.budget_seconds = 1000,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(once_program, NULL));
	EXPECT_EQ(0, child_run(handled_program, NULL));
	EXPECT_EQ(5, refused_since_mark(REASSURE_REFUSED_BUDGET));
	EXPECT_EQ(5, all_refused_since_mark());
}

/* The rescue point goes while somebody is inside. */
static void see_it_go(void)
{
	CHECK(!rescue_point_delete("test"));
	see_all_run();
}

static int deleting_program(void *arg)
{
	pthread_t threads[SIBLINGS];

	start_counting(threads);
	CHECK(victim(see_it_go, false) == 1);
	see_all_run();
	end_counting(threads);
	return 0;
}

TEST_F(running, when_the_rescue_point_goes)
{
	ASSERT_EQ(0, protect(victim));
	EXPECT_EQ(0, child_run(deleting_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
}

TEST_HARNESS_MAIN
