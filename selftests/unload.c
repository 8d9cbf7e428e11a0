// SPDX-License-Identifier: GPL-2.0
/*
 * The module goes while programs are inside rescue points: they go on
 * without it.  It comes back, and works.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define AREA_SIZE	(8 * PAGE_SIZE)
#define LONG_MS		5000
/* No test waits for so long. */
#define NEVER_MS	60000

static unsigned char *area;
static uint32_t *inside_now, *go_on;

static long __noipa victim(void (*inside)(void), bool fault)
{
	memset(area, 2, AREA_SIZE);
	if (inside)
		inside();
	if (fault)
		touch_read(BAD_ADDRESS);
	return 5;
}

static bool area_holds(int value)
{
	return memory_holds(area, AREA_SIZE, value);
}

FIXTURE(unload)
{
};

FIXTURE_SETUP(unload)
{
	ASSERT_EQ(0, test_begin_alone());
	/* The module's file. */
	ASSERT_NE(NULL, getenv("REASSURE_KO"));
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 16;
	area = private_memory(AREA_SIZE);
	memset(area, 1, AREA_SIZE);
}

FIXTURE_TEARDOWN(unload)
{
	int ret = module_load();

	EXPECT_TRUE(!ret || ret == -EEXIST);
	test_end_alone(_metadata->passed);
}

static long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static long time_unload(int (*unload)(void), int expected)
{
	long begin = now_ms();
	int ret = unload();

	return ret == expected ? now_ms() - begin : -1;
}

/*
 * Unloads, or tries to, while others sleep for as long as the test likes.  That is
 * within a second; emulated processors that others use, too, may take longer, but
 * not many times what they take with no program attached.
 */
static void unload_at_once(struct __test_metadata *_metadata,
			   int (*unload)(void), int expected)
{
	long took = time_unload(unload, expected), idle;

	ASSERT_LE(0, took);
	TH_LOG("rmmod took %ld ms", took);
	EXPECT_GT(NEVER_MS, took);
	if (took < LONG_MS || is_debug_kernel())
		return;
	ASSERT_EQ(0, expected);
	ASSERT_EQ(0, module_load());
	idle = time_unload(module_unload, 0);
	TH_LOG("and with no program attached %ld ms", idle);
	EXPECT_LE(took, 10 * idle);
}

/* Sleeps in the kernel. */
static void sleep_inside(void)
{
	meet_signal(&inside_now[0]);
	meet_await(go_on);
}

/* Runs, and has page faults. */
static void work_inside(void)
{
	meet_signal(&inside_now[1]);
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE)) {
		memset(area, 2, AREA_SIZE);
		free(malloc(200000));
	}
}

static int inside_program(void *inside)
{
	/* It has been rescued before. */
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(area_holds(1));
	CHECK(victim(inside, false) == 5);
	CHECK(area_holds(2));
	/* The return probes that are left behind do no harm. */
	CHECK(victim(NULL, false) == 5);
	return 0;
}

static int calling_program(void *arg)
{
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE)) {
		memset(area, 1, AREA_SIZE);
		CHECK(victim(NULL, false) == 5);
		CHECK(area_holds(2));
		meet_signal(&inside_now[2]);
	}
	return 0;
}

static int faulting_program(void *arg)
{
	meet_signal(&inside_now[3]);
	for (;;) {
		CHECK(victim(NULL, true) == RESCUED);
		CHECK(area_holds(1));
	}
	return 0;
}

static int faulting_later_program(void *arg)
{
	victim(sleep_inside, true);
	return 0;
}

TEST_F(unload, while_programs_are_inside)
{
	pid_t asleep, working, calling, faulting, doomed;
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	doomed = child_start(faulting_later_program, NULL);
	meet_await(&inside_now[0]);
	inside_now[0] = 0;
	asleep = child_start(inside_program, sleep_inside);
	working = child_start(inside_program, work_inside);
	calling = child_start(calling_program, NULL);
	faulting = child_start(faulting_program, NULL);
	for (i = 0; i < 4; i++)
		meet_await(&inside_now[i]);
	usleep(100000);
	unload_at_once(_metadata, module_unload, 0);
	EXPECT_NE(0, access(REASSURE_SYSFS, F_OK));
	/* This one is unprotected now. */
	EXPECT_EQ(-SIGSEGV, child_wait(faulting));
	usleep(100000);
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(asleep));
	EXPECT_EQ(0, child_wait(working));
	EXPECT_EQ(0, child_wait(calling));
	EXPECT_EQ(-SIGSEGV, child_wait(doomed));
}

/*
 * Threads that stand still while another is inside: one that ran, one whose system
 * call waits at a page, and one that wants to be inside, or has just been.
 */
static struct {
	long spun, called, read;
} *others;

static int pipe_ends[2];
static struct {
	_Alignas(PAGE_SIZE) char data[PAGE_SIZE];
} input;

static long get(const long *number)
{
	return __atomic_load_n(number, __ATOMIC_SEQ_CST);
}

static void count(long *number)
{
	__atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
}

static void *spin(void *arg)
{
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE))
		count(&others->spun);
	return NULL;
}

static void *read_input(void *arg)
{
	CHECK(read(pipe_ends[0], input.data, 4) == 4);
	CHECK(!memcmp(input.data, "data", 4));
	count(&others->read);
	return NULL;
}

static long __noipa other_victim(void)
{
	return 7;
}

static void *call_often(void *arg)
{
	while (!__atomic_load_n(go_on, __ATOMIC_ACQUIRE)) {
		CHECK(other_victim() == 7);
		count(&others->called);
	}
	return NULL;
}

static void let_others_wait(void)
{
	CHECK(write(pipe_ends[1], "data", 4) == 4);
	usleep(100000);
	sleep_inside();
}

static int parking_program(void *arg)
{
	void *(*const bodies[])(void *) = { spin, read_input, call_often };
	pthread_t threads[3];
	int i;

	CHECK(!pipe(pipe_ends));
	input.data[0] = 1;
	for (i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, bodies[i], NULL));
	usleep(100000);
	CHECK(victim(let_others_wait, false) == 5);
	for (i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	return 0;
}

static void await_more_than(const long *number, long value)
{
	int ms;

	for (ms = 0; ms < 60000 && get(number) <= value; ms++)
		usleep(1000);
}

TEST_F(unload, while_threads_stand_still)
{
	struct rescue_point rp = { .function = victim, .watchdog_ms = NEVER_MS };
	struct rescue_point other = {
		.function = other_victim,
		.name = "other",
		.watchdog_ms = NEVER_MS,
	};
	long spun, called;
	pid_t child;

	others = shared_memory(sizeof(*others));
	ASSERT_EQ(0, rescue_point_add(&rp));
	ASSERT_EQ(0, rescue_point_add(&other));
	child = child_start(parking_program, NULL);
	meet_await(&inside_now[0]);
	spun = get(&others->spun);
	called = get(&others->called);
	usleep(300000);
	EXPECT_EQ(spun, get(&others->spun));
	EXPECT_EQ(called, get(&others->called));
	EXPECT_EQ(0, get(&others->read));
	unload_at_once(_metadata, module_unload, 0);
	EXPECT_NE(0, access(REASSURE_SYSFS, F_OK));
	/* All of them go on, though the call has not ended. */
	await_more_than(&others->spun, spun);
	await_more_than(&others->called, called);
	await_more_than(&others->read, 0);
	EXPECT_LT(spun, get(&others->spun));
	EXPECT_LT(called, get(&others->called));
	EXPECT_EQ(1, get(&others->read));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
}

static int rescued_program(void *arg)
{
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(area_holds(1));
	return 0;
}

TEST_F(unload, and_load_again_and_again)
{
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, rescue_point_protect(victim));
		EXPECT_EQ(0, child_run(rescued_program, NULL));
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(-SIGSEGV, child_run(rescued_program, NULL));
		ASSERT_EQ(0, module_load());
		counters_mark();
		EXPECT_EQ(0, access(REASSURE_SYSFS "/rescue_points", F_OK));
	}
}

/* Protected, unprotected and protected again in one process. */
static int long_lived_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		CHECK(victim(sleep_inside, true) == RESCUED);
		CHECK(area_holds(1));
		/* The parent changes things, then lets us go on. */
		__atomic_store_n(go_on, 0, __ATOMIC_RELEASE);
		meet_signal(&inside_now[1]);
		meet_await(go_on);
		__atomic_store_n(go_on, 0, __ATOMIC_RELEASE);
	}
	return 0;
}

TEST_F(unload, in_the_life_of_one_process)
{
	pid_t child;
	int i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(long_lived_program, NULL);
	for (i = 0; i < 3; i++) {
		meet_await(&inside_now[0]);
		inside_now[0] = 0;
		meet_signal(go_on);
		meet_await(&inside_now[1]);
		inside_now[1] = 0;
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load());
		ASSERT_EQ(0, rescue_point_protect(victim));
		meet_signal(go_on);
	}
	EXPECT_EQ(0, child_wait(child));
}

/*
 * The page of the stack that holds the return address of a call goes, and
 * comes back when the test says so: who looks at it waits until then.
 */
static struct {
	uint32_t asked, answer;
	unsigned char page[PAGE_SIZE];
} *slow;

static int slow_fd;

static int answering_program(void *arg)
{
	struct uffd_msg message;
	struct uffdio_copy copy = {
		.src = (unsigned long)slow->page,
		.len = PAGE_SIZE,
	};

	CHECK(read(slow_fd, &message, sizeof(message)) == sizeof(message));
	CHECK(message.event == UFFD_EVENT_PAGEFAULT);
	meet_signal(&slow->asked);
	meet_await(&slow->answer);
	copy.dst = message.arg.pagefault.address & -PAGE_SIZE;
	CHECK(!ioctl(slow_fd, UFFDIO_COPY, &copy));
	return 0;
}

static void take_page(unsigned char *page)
{
	struct uffdio_register range = {
		.range = { (unsigned long)page, PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	memcpy(slow->page, page, PAGE_SIZE);
	CHECK(!ioctl(slow_fd, UFFDIO_REGISTER, &range));
	CHECK(!madvise(page, PAGE_SIZE, MADV_DONTNEED));
}

static void (*inside_inner)(void);

static long __noipa inner(void)
{
	if (inside_inner)
		inside_inner();
	return 6;
}

static long __noipa outer(bool fault)
{
	unsigned long slot = (unsigned long)__builtin_frame_address(0) + 8;
	char between[3 * PAGE_SIZE];

	/* The frames of what is called from here are in other pages. */
	asm volatile("" : : "r" (between) : "memory");
	take_page((unsigned char *)(slot & -PAGE_SIZE));
	if (fault)
		touch_read(BAD_ADDRESS);
	return inner();
}

static void open_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };

	slow_fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	CHECK(slow_fd >= 0);
	CHECK(!ioctl(slow_fd, UFFDIO_API, &api));
}

static pid_t start_answering(void)
{
	open_userfaultfd();
	return child_start(answering_program, NULL);
}

static int sleeping_program(void *arg)
{
	pid_t answering = start_answering();

	CHECK(outer(false) == 6);
	CHECK(!child_wait(answering));
	return 0;
}

static void fetch(void)
{
	take_page(area);
	touch_read(area);
}

static int fetching_program(void *later)
{
	pid_t answering = start_answering();

	inside_inner = later ? NULL : fetch;
	CHECK(inner() == 6);
	if (later)
		fetch();
	CHECK(!child_wait(answering));
	return 0;
}

/* Whether @pid comes to sleep in the handler of a probe at an entry. */
static bool sleeps_in_handler(pid_t pid)
{
	char path[64], stack[4096];
	int ms;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	/* It may not have come there yet. */
	for (ms = 0; ms < 10000; ms += 10) {
		if (!read_text(path, stack, sizeof(stack)) &&
		    strstr(stack, " on_entry+"))
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * Until the page comes, which may be never, the module is in use, and who
 * unloads it need not wait to be told so.
 */
static void unload_while_asleep(struct __test_metadata *_metadata,
				int (*program)(void *arg), void *arg,
				bool in_handler)
{
	struct rescue_point second = {
		.function = inner,
		.name = "inner",
		.probe_exits = true,
	};
	pid_t sleeping;

	slow = shared_memory(sizeof(*slow));
	ASSERT_EQ(0, rescue_point_protect(outer));
	ASSERT_EQ(0, rescue_point_add(&second));
	sleeping = child_start(program, arg);
	meet_await(&slow->asked);
	if (in_handler)
		EXPECT_TRUE(sleeps_in_handler(sleeping));
	unload_at_once(_metadata, module_unload_now, -EWOULDBLOCK);
	EXPECT_EQ(0, access(REASSURE_SYSFS, F_OK));
	meet_signal(&slow->answer);
	EXPECT_EQ(0, child_wait(sleeping));
	EXPECT_EQ(0, module_unload());
	EXPECT_NE(0, access(REASSURE_SYSFS, F_OK));
}

TEST_F(unload, not_while_a_page_fault_sleeps)
{
	unload_while_asleep(_metadata, fetching_program, NULL, false);
}

/* Of a process that has no call open. */
TEST_F(unload, not_while_a_page_fault_between_calls_sleeps)
{
	unload_while_asleep(_metadata, fetching_program, "later", false);
}

TEST_F(unload, not_while_a_probe_handler_sleeps)
{
	unload_while_asleep(_metadata, sleeping_program, NULL, true);
}

static int deleting_program(void *name)
{
	return rescue_point_delete(name) ? 1 : 0;
}

static int inner_program(void *arg)
{
	inside_inner = sleep_inside;
	CHECK(inner() == 6);
	return 0;
}

/*
 * Calls are committed before the breakpoint goes, for which the kernel waits
 * until no handler runs there.
 */
TEST_F(unload, not_and_a_call_is_committed_at_once)
{
	struct rescue_point second = {
		.function = inner,
		.name = "inner",
		.probe_exits = true,
	};
	pid_t inside, sleeping, deleting;

	slow = shared_memory(sizeof(*slow));
	ASSERT_EQ(0, rescue_point_protect(outer));
	ASSERT_EQ(0, rescue_point_add(&second));
	inside = child_start(inner_program, NULL);
	meet_await(&inside_now[0]);
	sleeping = child_start(sleeping_program, NULL);
	meet_await(&slow->asked);
	EXPECT_TRUE(sleeps_in_handler(sleeping));
	deleting = child_start(deleting_program, "inner");
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_COMMITS, 1));
	sleep(1);
	EXPECT_EQ(0, waitpid(deleting, NULL, WNOHANG));
	meet_signal(&slow->answer);
	EXPECT_EQ(0, child_wait(deleting));
	EXPECT_EQ(0, child_wait(sleeping));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(inside));
}

static int faulting_on_a_taken_stack(void *arg)
{
	open_userfaultfd();
	outer(true);
	return 0;
}

/* Nobody brings the page, and the signal comes all the same. */
TEST_F(unload, and_a_fault_does_not_wait_for_a_page)
{
	slow = shared_memory(sizeof(*slow));
	ASSERT_EQ(0, rescue_point_protect(outer));
	EXPECT_EQ(-SIGSEGV, child_run(faulting_on_a_taken_stack, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_USERFAULTFD));
	EXPECT_EQ(0, module_unload());
}

TEST_HARNESS_MAIN
