// SPDX-License-Identifier: GPL-2.0
/*
 * What is not rescued dies, or is handled, exactly as without the module:
 * of its own signal, with its own code and address; and is counted by reason.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

/* An exit status that only handlers use. */
#define HANDLED		42

static int written = 1;

static long __noipa victim(void (*inside)(void))
{
	written = 2;
	if (inside)
		inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

static int dying_program(void *inside)
{
	CHECK(victim(inside) == RESCUED);
	CHECK(written == 1);
	return 0;
}

/* What a handler is told, for the parent. */
static siginfo_t *seen;

static void handler(int sig, siginfo_t *info, void *context)
{
	*seen = *info;
	_exit(HANDLED);
}

static void handle(int sig)
{
	struct sigaction action = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO,
	};

	CHECK(!sigaction(sig, &action, NULL));
}

static int handling_program(void *inside)
{
	handle(SIGSEGV);
	return dying_program(inside);
}

FIXTURE(refused)
{
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, test_begin());
	seen = shared_memory(PAGE_SIZE);
}

FIXTURE_TEARDOWN(refused)
{
	test_end(_metadata->passed);
}

/* The signal of the fault in victim(), unchanged. */
#define EXPECT_ORIGINAL_SIGNAL() do {				\
	EXPECT_EQ(SIGSEGV, seen->si_signo);			\
	EXPECT_EQ(SEGV_MAPERR, seen->si_code);			\
	EXPECT_EQ(BAD_ADDRESS, seen->si_addr);			\
} while (0)

/* One fault, for one reason, and no rescue since. */
#define EXPECT_REFUSED(reason) do {				\
	EXPECT_EQ(1, refused_since_mark(reason));		\
	EXPECT_EQ(1, all_refused_since_mark());			\
} while (0)

static unsigned char *poisoned;

static void touch_poisoned(void)
{
	touch_read(poisoned);
}

static void ignore(int sig)
{
}

/* False when this kernel cannot pretend that memory is broken. */
static bool poison(void)
{
	bool done;

	poisoned = private_memory(PAGE_SIZE);
	*poisoned = 1;
	/* 6.12 tells at once. */
	signal(SIGBUS, ignore);
	done = !madvise(poisoned, PAGE_SIZE, MADV_HWPOISON);
	signal(SIGBUS, SIG_DFL);
	return done;
}

static int poisoned_program(void *arg)
{
	if (!poison())
		return 3;
	handle(SIGBUS);
	victim(touch_poisoned);
	return 1;
}

/* What it held is lost, and no rescue brings it back. */
TEST_F(refused, broken_memory)
{
	int ended;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ended = child_run(poisoned_program, NULL);
	if (ended == 3)
		SKIP(return, "this kernel cannot pretend that memory is broken");
	EXPECT_EQ(HANDLED, ended);
	EXPECT_EQ(SIGBUS, seen->si_signo);
	EXPECT_EQ(BUS_MCEERR_AR, seen->si_code);
	EXPECT_REFUSED(REASSURE_REFUSED_HARDWARE);
}

/* Nor does a rescue point that covers such memory rescue less. */
static int poisoned_and_rescued_program(void *arg)
{
	if (!poison())
		return 3;
	return dying_program(NULL);
}

TEST_F(refused, not_for_broken_memory_elsewhere)
{
	int ended;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ended = child_run(poisoned_and_rescued_program, NULL);
	if (ended == 3)
		SKIP(return, "this kernel cannot pretend that memory is broken");
	EXPECT_EQ(0, ended);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static uint32_t *inside_now, *go_on;

static void wait_inside(void)
{
	meet_signal(inside_now);
	meet_await(go_on);
}

static void make_meeting(void)
{
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
}

/*
 * Memory that the call has written to breaks before the fault: what was kept of
 * it cannot be put back.
 */
static void write_and_wait(void)
{
	*poisoned = 2;
	wait_inside();
}

static int broken_inside_program(void *arg)
{
	handle(SIGSEGV);
	victim(write_and_wait);
	return 1;
}

/* False when this kernel cannot pretend that. */
static bool break_page(pid_t pid, const void *address)
{
	char path[64], place[32];
	uint64_t entry;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(pread(pagemap, &entry, sizeof(entry),
		    (unsigned long)address / PAGE_SIZE * sizeof(entry)) ==
	      sizeof(entry));
	close(pagemap);
	/* The lower bits are the number of the page. */
	snprintf(place, sizeof(place), "0x%llx",
		 (unsigned long long)(entry & ((1ULL << 55) - 1)) * PAGE_SIZE);
	return !write_text("/sys/devices/system/memory/hard_offline_page",
			   place);
}

TEST_F(refused, memory_that_breaks_inside)
{
	bool broken;
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	make_meeting();
	poisoned = private_memory(PAGE_SIZE);
	*poisoned = 1;
	child = child_start(broken_inside_program, NULL);
	meet_await(inside_now);
	broken = break_page(child, poisoned);
	meet_signal(go_on);
	EXPECT_EQ(HANDLED, child_wait(child));
	if (!broken)
		SKIP(return, "this kernel cannot pretend that memory is broken");
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_REFUSED(REASSURE_REFUSED_UNREADABLE);
}

static unsigned char *many;

static void write_many(void)
{
	memset(many, 2, 64 * PAGE_SIZE);
}

static int writing_program(void *inside)
{
	int i;

	many = private_memory(64 * PAGE_SIZE);
	memset(many, 1, 64 * PAGE_SIZE);
	CHECK(victim(inside) == RESCUED);
	for (i = 0; i < 64 * PAGE_SIZE; i++)
		CHECK(many[i] == 1);
	return 0;
}

static int fresh_program(void *arg)
{
	many = private_memory(64 * PAGE_SIZE);
	/* So that there is a page table, and in the log an entry for each. */
	touch_write(many);
	touch_write(many + 63 * PAGE_SIZE);
	CHECK(victim(write_many) == RESCUED);
	CHECK(memory_holds(many + PAGE_SIZE, 62 * PAGE_SIZE, 0));
	return 0;
}

/* Sets a parameter of the module; its old value is kept in @old. */
static void set_limit(const char *name, const char *value, char *old)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/reassure/parameters/%s", name);
	CHECK(!read_text(path, old, 32));
	CHECK(!write_text(path, value));
}

static void test_limit(struct __test_metadata *_metadata, const char *name)
{
	char old[32], set[32];
	int round;

	ASSERT_EQ(0, rescue_point_protect(victim));
	set_limit(name, "60", old);
	/* What is held is given back. */
	for (round = 1; round <= 3; round++) {
		EXPECT_EQ(0, child_run(writing_program, NULL));
		EXPECT_EQ(-SIGSEGV, child_run(writing_program, write_many));
		EXPECT_EQ(round, refused_since_mark(REASSURE_REFUSED_LIMIT));
	}
	EXPECT_EQ(3, all_refused_since_mark());
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
	set_limit(name, old, set);
	EXPECT_EQ(0, child_run(writing_program, write_many));
	EXPECT_EQ(4, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(refused, limit_of_a_call)
{
	test_limit(_metadata, "log_pages");
}

TEST_F(refused, limit_of_all_calls)
{
	test_limit(_metadata, "log_pages_total");
}

/*
 * What a call touches first has no content to keep, and takes more room where
 * it is than in the log.
 */
TEST_F(refused, limit_is_not_for_fresh_pages)
{
	char old[32], set[32];

	ASSERT_EQ(0, rescue_point_protect(victim));
	set_limit("log_pages", "60", old);
	EXPECT_EQ(0, child_run(fresh_program, NULL));
	set_limit("log_pages", old, set);
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int budget_program(void *arg)
{
	CHECK(victim(NULL) == RESCUED);
	CHECK(victim(NULL) == RESCUED);
	victim(NULL);
	return 1;
}

TEST_F(refused, budget)
{
	struct rescue_point rp = {
		.function = victim,
		.name = "with-budget",
		.budget_rescues = 2,
		.budget_seconds = 3600,
	};
	char line[1024];
	int log;

	ASSERT_EQ(0, rescue_point_add(&rp));
	log = kernel_log_open();
	EXPECT_EQ(-SIGSEGV, child_run(budget_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_REFUSED(REASSURE_REFUSED_BUDGET);
	/* The administrator is told what to do. */
	ASSERT_TRUE(kernel_log_has(log, "not rescued", line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "with-budget"));
	EXPECT_NE(NULL, strstr(line, "--budget"));

	/* It is the rescue point's, not the process's. */
	EXPECT_EQ(HANDLED, child_run(handling_program, NULL));
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_BUDGET));
}

static int recovering_program(void *arg)
{
	CHECK(victim(NULL) == RESCUED);
	usleep(1200000);
	CHECK(victim(NULL) == RESCUED);
	return 0;
}

TEST_F(refused, budget_of_a_second_comes_back)
{
	struct rescue_point rp = {
		.function = victim,
		.budget_rescues = 1,
		.budget_seconds = 1,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(recovering_program, NULL));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Threads. */
static void *wait_forever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static void *end_at_once(void *arg)
{
	return NULL;
}

static void start_thread(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, wait_forever, NULL));
}

static void start_and_join_thread(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, end_at_once, NULL));
	CHECK(!pthread_join(thread, NULL));
}

TEST_F(refused, thread_made_inside)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(HANDLED, child_run(handling_program, start_thread));
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_REFUSED(REASSURE_REFUSED_THREADS);
}

TEST_F(refused, thread_made_and_ended_inside)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, start_and_join_thread));
	EXPECT_EQ(1, all_refused_since_mark());
}

/* Of which only its making tells: it writes to what has been written already. */
static _Alignas(16) char thread_stack[2 * PAGE_SIZE];
static volatile pid_t thread_id;

static int end_unseen(void *arg)
{
	thread_stack[PAGE_SIZE] = 2;
	return 0;
}

static void start_and_await_unseen(void)
{
	int flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	memset(thread_stack, 1, sizeof(thread_stack));
	thread_id = 1;
	CHECK(clone(end_unseen, thread_stack + sizeof(thread_stack), flags,
		    NULL, &thread_id, NULL, &thread_id) > 0);
	while (thread_id)
		sched_yield();
	/* It has still to leave the kernel. */
	usleep(100000);
}

TEST_F(refused, thread_made_and_ended_unseen)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(HANDLED, child_run(handling_program, start_and_await_unseen));
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_REFUSED(REASSURE_REFUSED_THREADS);
}

static int formerly_threaded_program(void *arg)
{
	start_and_join_thread();
	/* It has still to leave the kernel. */
	usleep(100000);
	CHECK(victim(NULL) == RESCUED);
	CHECK(written == 1);
	return 0;
}

TEST_F(refused, not_for_a_thread_that_has_ended)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(formerly_threaded_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int vfork_program(void *arg)
{
	pid_t child;
	int status;

	child = vfork();
	if (!child) {
		victim(NULL);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	/* What the child wrote is there; alone again, it is rescued. */
	CHECK(written == 2);
	written = 1;
	CHECK(victim(NULL) == RESCUED);
	CHECK(written == 1);
	return 0;
}

TEST_F(refused, vfork)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(vfork_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_REFUSED(REASSURE_REFUSED_THREADS);
}

/*
 * As popen() and system() do.  The other one has given up the memory when it
 * executes its program, and has done so for certain when it has ended.
 */
static void spawn(void)
{
	static char *const arguments[] = { "true", NULL };
	pid_t child;

	CHECK(!posix_spawn(&child, "/bin/true", NULL, NULL, arguments, NULL));
	CHECK(waitpid(child, NULL, 0) == child);
}

TEST_F(refused, not_when_another_program_was_spawned)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(dying_program, spawn));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Signals. */
TEST_F(refused, signal_not_named)
{
	struct rescue_point rp = {
		.function = victim,
		.signals = SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGABRT),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, NULL));
	EXPECT_EQ(HANDLED, child_run(handling_program, NULL));
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SIGNAL));
	EXPECT_EQ(2, all_refused_since_mark());
}

static void breakpoint(void)
{
	asm volatile("int3");
}

TEST_F(refused, trap_by_default)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGTRAP, child_run(dying_program, breakpoint));
	EXPECT_REFUSED(REASSURE_REFUSED_SIGNAL);
}

TEST_F(refused, handled_and_to_be_left)
{
	struct rescue_point rp = {
		.function = victim,
		.handled = REASSURE_HANDLED_LEAVE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(HANDLED, child_run(handling_program, NULL));
	EXPECT_ORIGINAL_SIGNAL();
	EXPECT_REFUSED(REASSURE_REFUSED_HANDLED);
	/* Without a handler there is nobody to leave it to. */
	EXPECT_EQ(0, child_run(dying_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A runtime that uses the signal in normal work, and goes on inside. */
static char *guard_page;

static void open_guard_page(int sig, siginfo_t *info, void *context)
{
	CHECK(info->si_addr == guard_page && info->si_code == SEGV_ACCERR);
	CHECK(!mprotect(guard_page, PAGE_SIZE, PROT_READ | PROT_WRITE));
}

static long __noipa runtime(void)
{
	written = 3;
	touch_write(guard_page);
	return 5;
}

static int runtime_program(void *arg)
{
	struct sigaction action = {
		.sa_sigaction = open_guard_page,
		.sa_flags = SA_SIGINFO,
	};
	int i;

	CHECK(!sigaction(SIGSEGV, &action, NULL));
	guard_page = private_memory(PAGE_SIZE);
	for (i = 0; i < 5; i++) {
		written = 1;
		CHECK(!mprotect(guard_page, PAGE_SIZE, PROT_READ));
		CHECK(runtime() == 5);
		CHECK(written == 3);
	}
	return 0;
}

TEST_F(refused, handled_and_goes_on)
{
	struct rescue_point rp = {
		.function = runtime,
		.handled = REASSURE_HANDLED_LEAVE,
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(runtime_program, NULL));
	EXPECT_EQ(5, refused_since_mark(REASSURE_REFUSED_HANDLED));
	EXPECT_EQ(5, events_since_mark(REASSURE_COUNTER_COMMITS));
}

/* Tracers see everything. */
static int traced_program(void *arg)
{
	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	victim(NULL);
	return 1;
}

TEST_F(refused, traced)
{
	siginfo_t info;
	pid_t child;
	int status;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(traced_program, NULL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSEGV, WSTOPSIG(status));
	EXPECT_EQ(0, ptrace(PTRACE_GETSIGINFO, child, NULL, &info));
	EXPECT_EQ(SEGV_MAPERR, info.si_code);
	EXPECT_EQ(BAD_ADDRESS, info.si_addr);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, child, NULL, SIGSEGV));
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_REFUSED(REASSURE_REFUSED_TRACED);
}

/* Messages of others, and to oneself, are no faults. */
FIXTURE(message)
{
};

FIXTURE_VARIANT(message)
{
	int sig;
};

FIXTURE_VARIANT_ADD(message, segv) { .sig = SIGSEGV };
FIXTURE_VARIANT_ADD(message, bus) { .sig = SIGBUS };
FIXTURE_VARIANT_ADD(message, abrt) { .sig = SIGABRT };
FIXTURE_VARIANT_ADD(message, term) { .sig = SIGTERM };
FIXTURE_VARIANT_ADD(message, kill) { .sig = SIGKILL };

FIXTURE_SETUP(message)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
	make_meeting();
}

FIXTURE_TEARDOWN(message)
{
	test_end(_metadata->passed);
}

TEST_F(message, from_another_process_is_fatal)
{
	pid_t child = child_start(dying_program, wait_inside);

	meet_await(inside_now);
	EXPECT_EQ(0, kill(child, variant->sig));
	EXPECT_EQ(-variant->sig, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

TEST_F(message, to_one_thread_from_another_process_is_fatal)
{
	pid_t child = child_start(dying_program, wait_inside);

	meet_await(inside_now);
	EXPECT_EQ(0, syscall(SYS_tgkill, child, child, variant->sig));
	EXPECT_EQ(-variant->sig, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

static void send_to_self(int sig, int code)
{
	siginfo_t info = {
		.si_signo = sig,
		.si_code = code,
		.si_addr = BAD_ADDRESS,
	};

	syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), sig, &info);
}

static void raise_segv(void)
{
	raise(SIGSEGV);
}

static void queue_segv(void)
{
	send_to_self(SIGSEGV, SI_QUEUE);
}

/* A process may send itself any code: even so it is its own message. */
static void forge_fault(void)
{
	send_to_self(SIGSEGV, SEGV_MAPERR);
}

TEST_F(refused, message_to_oneself)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, raise_segv));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, queue_segv));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/*
 * The kernel lets a thread forge a fault at itself; whether it is rescued
 * does not matter, but nothing may break.
 */
TEST_F(refused, or_rescued_when_forged)
{
	int ended;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ended = child_run(dying_program, forge_fault);
	EXPECT_TRUE(ended == 0 || ended == -SIGSEGV);
}

/* The same signal waits already, blocked: the kernel loses the fault's own. */
static void block_and_raise(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGSEGV);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	raise(SIGSEGV);
}

TEST_F(refused, message_of_the_same_signal_waits)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(dying_program, block_and_raise));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Others write to, or read from, the memory of the call. */
static unsigned char *page;

static void overwrite_and_wait(void)
{
	memset(page, 1, PAGE_SIZE);
	wait_inside();
}

static int overwritten_program(void *inside)
{
	CHECK(victim(inside) == RESCUED);
	CHECK(page[0] == 0x42 && page[PAGE_SIZE] == 0x42);
	return 0;
}

static unsigned char *two_pages(void)
{
	unsigned char *start = private_memory(2 * PAGE_SIZE);

	memset(start, 0x42, 2 * PAGE_SIZE);
	return start;
}

TEST_F(refused, written_by_another_process)
{
	char byte = 7;
	struct iovec local = { &byte, 1 };
	struct iovec remote;
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	page = two_pages();
	make_meeting();
	child = child_start(overwritten_program, overwrite_and_wait);
	meet_await(inside_now);
	remote.iov_base = page + PAGE_SIZE;
	remote.iov_len = 1;
	EXPECT_EQ(1, process_vm_writev(child, &local, 1, &remote, 1, 0));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_REFUSED(REASSURE_REFUSED_FOREIGN);
}

TEST_F(refused, written_through_proc)
{
	char path[64];
	pid_t child;
	int mem;

	ASSERT_EQ(0, rescue_point_protect(victim));
	page = two_pages();
	make_meeting();
	child = child_start(overwritten_program, overwrite_and_wait);
	meet_await(inside_now);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	mem = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, mem);
	EXPECT_EQ(1, pwrite(mem, "x", 1, (off_t)(page + PAGE_SIZE)));
	close(mem);
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_REFUSED(REASSURE_REFUSED_FOREIGN);
}

/* Like a debugger or a profiler. */
TEST_F(refused, not_when_only_read_by_another_process)
{
	unsigned char bytes[2] = { 0, 0 };
	struct iovec local = { bytes, 2 };
	struct iovec remote[2];
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	page = two_pages();
	make_meeting();
	child = child_start(overwritten_program, overwrite_and_wait);
	meet_await(inside_now);
	remote[0].iov_base = page;
	remote[0].iov_len = 1;
	remote[1].iov_base = page + PAGE_SIZE;
	remote[1].iov_len = 1;
	EXPECT_EQ(2, process_vm_readv(child, &local, 1, remote, 2, 0));
	EXPECT_EQ(1, bytes[0]);
	EXPECT_EQ(0x42, bytes[1]);
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_HARNESS_MAIN
