// SPDX-License-Identifier: GPL-2.0
/*
 * What happens from outside to a process that is inside a rescue point: it is
 * stopped, frozen, traced, dumped, or killed for a system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define DEADLINE_MS	1000
/* Surely more than that. */
#define LONG_S		2

#define CGROUP		"/sys/fs/cgroup/reassure-outside/"
#define CORE		"/tmp/reassure-core"
#define MARK_SIZE	64

/* Of the stack pointer, in the kernel's struct user. */
#define SP_OFFSET	(19 * 8)

static int written = 1;
/* Outside of what is covered. */
static uint32_t *inside_now, *go_on;

FIXTURE(outside)
{
};

FIXTURE_SETUP(outside)
{
	ASSERT_EQ(0, test_begin());
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
}

FIXTURE_TEARDOWN(outside)
{
	munmap(inside_now, PAGE_SIZE);
	test_end(_metadata->passed);
}

static long __noipa victim(void (*inside)(void))
{
	written = 2;
	inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

static void nothing(void)
{
}

/* Ways of being inside, until the other side goes on. */
static void run_on(void)
{
	meet_signal(inside_now);
	while (!__atomic_load_n(go_on, __ATOMIC_SEQ_CST))
		;
}

static void sleep_on(void)
{
	meet_signal(inside_now);
	meet_await(go_on);
}

static void wait_forever(void)
{
	meet_signal(inside_now);
	for (;;)
		pause();
}

static int program(void *inside)
{
	CHECK(victim(inside) == RESCUED);
	CHECK(written == 1);
	return 0;
}

static int twice_program(void *inside)
{
	program(inside);
	return program(inside);
}

/* Whether /proc/PID/stat has @state for @pid, or will soon. */
static bool comes_to_state(pid_t pid, char state)
{
	char path[40], text[512], *end;
	int i;

	sprintf(path, "/proc/%d/stat", pid);
	for (i = 0; i < 1000; i++) {
		if (read_text(path, text, sizeof(text)))
			return false;
		end = strrchr(text, ')');
		if (end && end[2] == state)
			return true;
		usleep(10000);
	}
	return false;
}

/* A process that others hold while it is inside. */
FIXTURE(held)
{
};

FIXTURE_VARIANT(held)
{
	void (*inside)(void);
};

FIXTURE_VARIANT_ADD(held, while_it_runs)
{
	.inside = run_on,
};

FIXTURE_VARIANT_ADD(held, while_it_waits)
{
	.inside = sleep_on,
};

FIXTURE_SETUP(held)
{
	ASSERT_EQ(0, test_begin());
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(held)
{
	munmap(inside_now, PAGE_SIZE);
	test_end(_metadata->passed);
}

static bool stop(pid_t child)
{
	int status;

	return !kill(child, SIGSTOP) &&
	       waitpid(child, &status, WUNTRACED) == child &&
	       WIFSTOPPED(status);
}

TEST_F(held, stopped)
{
	pid_t child = child_start(twice_program, variant->inside);

	meet_await(inside_now);
	ASSERT_TRUE(stop(child));
	meet_signal(go_on);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, kill(child, SIGCONT));
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

TEST_F(held, stopped_and_killed)
{
	pid_t child = child_start(program, variant->inside);

	meet_await(inside_now);
	ASSERT_TRUE(stop(child));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

/* The rescue point goes while the process cannot do anything about it. */
TEST_F(held, stopped_and_not_protected_any_more)
{
	pid_t child = child_start(program, variant->inside);

	meet_await(inside_now);
	ASSERT_TRUE(stop(child));
	EXPECT_EQ(0, rescue_point_delete("test"));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
	meet_signal(go_on);
	EXPECT_EQ(0, kill(child, SIGCONT));
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static bool set_frozen(bool frozen)
{
	int i;

	if (write_text(CGROUP "cgroup.freeze", frozen ? "1" : "0"))
		return false;
	for (i = 0; i < 1000; i++) {
		if (file_has(CGROUP "cgroup.events",
			     frozen ? "frozen 1" : "frozen 0"))
			return true;
		usleep(10000);
	}
	return false;
}

static bool move_to_cgroup(pid_t pid)
{
	char text[20];

	sprintf(text, "%d", pid);
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

TEST_F(held, frozen)
{
	pid_t child = child_start(twice_program, variant->inside);

	meet_await(inside_now);
	ASSERT_TRUE(move_to_cgroup(child));
	EXPECT_TRUE(set_frozen(true));
	meet_signal(go_on);
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_TRUE(set_frozen(false));
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_TRUE(remove_cgroup());
}

TEST_F(held, frozen_and_killed)
{
	pid_t child = child_start(program, variant->inside);

	meet_await(inside_now);
	ASSERT_TRUE(move_to_cgroup(child));
	EXPECT_TRUE(set_frozen(true));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_TRUE(remove_cgroup());
}

/* A debugger comes, looks around and goes. */
TEST_F(held, looked_at_by_a_debugger)
{
	pid_t child = child_start(twice_program, variant->inside);
	unsigned long sp;
	int status;

	meet_await(inside_now);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, NULL, NULL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, child, NULL, NULL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSTOPPED(status));
	errno = 0;
	sp = ptrace(PTRACE_PEEKUSER, child, SP_OFFSET, NULL);
	EXPECT_EQ(0, errno);
	ptrace(PTRACE_PEEKDATA, child, sp, NULL);
	EXPECT_EQ(0, errno);
	EXPECT_EQ(2, (int)ptrace(PTRACE_PEEKDATA, child, &written, NULL));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, child, NULL, NULL));
	meet_signal(go_on);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* It stays: then it sees the fault, and nobody else. */
TEST_F(held, traced_when_it_faults)
{
	pid_t child = child_start(program, variant->inside);
	int status;

	meet_await(inside_now);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, NULL, NULL));
	meet_signal(go_on);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(SIGSEGV, WSTOPSIG(status));
	errno = 0;
	EXPECT_EQ(2, (int)ptrace(PTRACE_PEEKDATA, child, &written, NULL));
	EXPECT_EQ(0, errno);
	EXPECT_EQ(0, ptrace(PTRACE_CONT, child, NULL, SIGSEGV));
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_TRACED));
}

/* The tracer kills it in the middle. */
TEST_F(held, killed_by_a_debugger)
{
	pid_t child = child_start(program, variant->inside);

	meet_await(inside_now);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_EXITKILL));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, child, NULL, NULL));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

/* Instruction by instruction through entry and return. */
static long __noipa stepped(void)
{
	written = 2;
	return 3;
}

static int stepped_program(void *arg)
{
	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	CHECK(!raise(SIGSTOP));
	CHECK(stepped() == 3);
	CHECK(written == 2);
	written = 1;
	CHECK(!raise(SIGSTOP));
	CHECK(victim(sleep_on) == RESCUED);
	return 0;
}

TEST_F(outside, stepped_through)
{
	const struct rescue_point rp = { .function = stepped, .name = "step" };
	int status, stops = 0;
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, rescue_point_add(&rp));
	meet_signal(go_on);
	child = child_start(stepped_program, NULL);
	for (;;) {
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP && ++stops == 2)
			break;
		ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, child, NULL, NULL));
	}
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_COMMITS));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child, NULL, NULL));
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, rescue_point_delete("step"));
}

/*
 * The deadline comes meanwhile.  A frozen process is rolled back where it is, a
 * stopped one when it goes on.
 */
static void meet_deadline(struct __test_metadata *_metadata, bool frozen,
			  bool deleted)
{
	struct rescue_point rp = {
		.function = victim,
		.deadline_ms = DEADLINE_MS,
	};
	pid_t child;

	ASSERT_EQ(0, rescue_point_add(&rp));
	child = child_start(program, wait_forever);
	meet_await(inside_now);
	if (frozen) {
		ASSERT_TRUE(move_to_cgroup(child));
		ASSERT_TRUE(set_frozen(true));
	} else {
		ASSERT_TRUE(stop(child));
	}
	sleep(LONG_S);
	if (deleted)
		ASSERT_EQ(0, rescue_points_flush());
	EXPECT_TRUE(frozen ? set_frozen(false) : !kill(child, SIGCONT));
	if (deleted)
		EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(deleted ? -SIGKILL : 0, child_wait(child));
	EXPECT_EQ(!deleted, events_since_mark(REASSURE_COUNTER_DEADLINES));
	EXPECT_TRUE(!frozen || remove_cgroup());
}

TEST_F(outside, stopped_beyond_the_deadline)
{
	meet_deadline(_metadata, false, false);
}

TEST_F(outside, frozen_beyond_the_deadline)
{
	meet_deadline(_metadata, true, false);
}

/* Who deletes it must not wait for SIGCONT. */
TEST_F(outside, stopped_beyond_the_deadline_and_not_protected_any_more)
{
	meet_deadline(_metadata, false, true);
}

/* A fault that nobody serves, of a process that was inside once. */
static int waiting_for_a_page_program(void *arg)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .len = PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd;

	program(nothing);
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	CHECK(fd >= 0 && !ioctl(fd, UFFDIO_API, &api));
	range.range.start = (unsigned long)private_memory(PAGE_SIZE);
	CHECK(!ioctl(fd, UFFDIO_REGISTER, &range));
	meet_signal(inside_now);
	touch_read((void *)range.range.start);
	return 1;
}

TEST_F(outside, waits_for_a_page_when_all_rescue_points_go)
{
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(waiting_for_a_page_program, NULL);
	meet_await(inside_now);
	EXPECT_TRUE(comes_to_state(child, 'S'));
	usleep(100000);
	/* And others may come. */
	ASSERT_EQ(0, rescue_points_flush());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, nothing));
	EXPECT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, child_wait(child));
}

/* Core dumps: they show the process at the fault, and the call is over. */
static unsigned char mark[MARK_SIZE];

/* In no file. */
static void make_mark(unsigned char *bytes)
{
	int i;

	for (i = 0; i < MARK_SIZE; i++)
		bytes[i] = (i * 7 + 13) ^ 0xa5;
}

static void write_mark(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &limit);
	make_mark(mark);
}

static void write_mark_and_wait(void)
{
	write_mark();
	wait_forever();
}

static bool core_has_mark(void)
{
	int fd = open(CORE, O_RDONLY | O_CLOEXEC);
	unsigned char wanted[MARK_SIZE];
	void *start = MAP_FAILED;
	struct stat st;
	bool found;

	unlink(CORE);
	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 4)
		start = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (start == MAP_FAILED)
		return false;
	make_mark(wanted);
	found = !memcmp(start, "\177ELF", 4) &&
		memmem(start, st.st_size, wanted, MARK_SIZE);
	munmap(start, st.st_size);
	return found;
}

static void set_core_pattern(char *before, size_t size)
{
	CHECK(!read_text("/proc/sys/kernel/core_pattern", before, size));
	CHECK(!write_text("/proc/sys/kernel/core_pattern", CORE));
	unlink(CORE);
}

static int no_rescue_program(void *inside)
{
	victim(inside);
	return 1;
}

TEST_F(outside, dumped_at_a_fault)
{
	struct rescue_point rp = {
		.function = victim,
		.signals = SIGNAL_BIT(SIGFPE),
	};
	char before[256];

	ASSERT_EQ(0, rescue_point_add(&rp));
	set_core_pattern(before, sizeof(before));
	EXPECT_EQ(-SIGSEGV, child_run(no_rescue_program, write_mark));
	EXPECT_TRUE(core_has_mark());
	EXPECT_EQ(0, write_text("/proc/sys/kernel/core_pattern", before));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SIGNAL));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

TEST_F(outside, dumped_on_demand)
{
	char before[256];
	pid_t child;

	ASSERT_EQ(0, rescue_point_protect(victim));
	set_core_pattern(before, sizeof(before));
	child = child_start(no_rescue_program, write_mark_and_wait);
	meet_await(inside_now);
	EXPECT_TRUE(comes_to_state(child, 'S'));
	EXPECT_EQ(0, kill(child, SIGQUIT));
	EXPECT_EQ(-SIGQUIT, child_wait(child));
	EXPECT_TRUE(core_has_mark());
	EXPECT_EQ(0, write_text("/proc/sys/kernel/core_pattern", before));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
}

/* System calls that seccomp does not allow. */
static void call_forbidden(void)
{
	syscall(SYS_getppid);
}

static int filtered_program(void *action)
{
	forbid_system_call(SYS_getppid, (unsigned long)action);
	CHECK(victim(call_forbidden) == RESCUED);
	CHECK(written == 1);
	return 0;
}

/* A death sentence is not for this module to lift, whatever is asked for. */
TEST_F(outside, killed_for_a_system_call)
{
	struct rescue_point rp = {
		.function = victim,
		.signals = DEFAULT_SIGNALS | SIGNAL_BIT(SIGSYS),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSYS, child_run(filtered_program,
				     (void *)(long)SECCOMP_RET_KILL_PROCESS));
	EXPECT_EQ(-SIGSYS, child_run(filtered_program,
				     (void *)(long)SECCOMP_RET_KILL_THREAD));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, events_awaited(REASSURE_COUNTER_ABANDONED, 2));
}

TEST_F(outside, trapped_for_a_system_call)
{
	struct rescue_point rp = {
		.function = victim,
		.signals = SIGNAL_BIT(SIGSYS),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(filtered_program,
			       (void *)(long)SECCOMP_RET_TRAP));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	ASSERT_EQ(0, rescue_point_delete("test"));
	/* By default it is not a fault. */
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSYS, child_run(filtered_program,
				     (void *)(long)SECCOMP_RET_TRAP));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_SIGNAL));
}

/* A process made inside that has the same memory, and is no thread. */
static int exit_at_once(void *arg)
{
	_exit(0);
}

static int stay(void *arg)
{
	meet_await(go_on);
	_exit(0);
}

static pid_t share_memory(int (*body)(void *arg))
{
	static char stack[65536];
	pid_t pid = clone(body, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	CHECK(pid > 0);
	return pid;
}

static void have_memory_shared(void)
{
	CHECK(waitpid(share_memory(exit_at_once), NULL, 0) > 0);
}

static void leave_memory_shared(void)
{
	share_memory(stay);
}

TEST_F(outside, another_has_had_its_memory)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, have_memory_shared));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* What it removes nobody sets aside. */
static unsigned char *discarded;

static int discard_and_exit(void *arg)
{
	_exit(madvise(discarded, PAGE_SIZE, MADV_DONTNEED));
}

static void have_memory_discarded(void)
{
	CHECK(waitpid(share_memory(discard_and_exit), NULL, 0) > 0);
	touch_write(discarded);
}

static int discarding_program(void *arg)
{
	discarded = private_memory(PAGE_SIZE);
	memory_fill(discarded, PAGE_SIZE, 1);
	victim(have_memory_discarded);
	return 1;
}

TEST_F(outside, another_has_discarded_its_memory)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(discarding_program, NULL));
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
}

TEST_F(outside, another_has_its_memory)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(-SIGSEGV, child_run(no_rescue_program, leave_memory_shared));
	meet_signal(go_on);
	EXPECT_EQ(1, refused_since_mark(REASSURE_REFUSED_THREADS));
}

/*
 * Programs that gain privileges when they are executed: copies of this one,
 * which a user without any starts.
 */
#define COPY		"/tmp/reassure-outside"
#define COPY_RUNS	"REASSURE_OUTSIDE_COPY"
#define NOBODY		65534

/* Before the harness begins. */
static __attribute__((constructor)) void run_as_copy(void)
{
	if (getenv(COPY_RUNS))
		_exit(program(nothing));
}

/* With the rescue point at the same place. */
static bool make_copy(struct rescue_point *rp)
{
	char command[80], path[4096];

	sprintf(command, "cp /proc/%d/exe " COPY, getpid());
	rp->path = COPY;
	return !system(command) && !chmod(COPY, 0755) &&
	       !function_place(victim, path, sizeof(path), &rp->offset) &&
	       !rescue_point_add(rp);
}

static int execute_copy(void *arg)
{
	char *const environment[] = { COPY_RUNS "=1", NULL };
	char *const arguments[] = { COPY, NULL };
	uid_t user = (unsigned long)arg;

	CHECK(!user || (!setgid(user) && !setuid(user)));
	execve(COPY, arguments, environment);
	return 1;
}

static int run_copy(uid_t user, mode_t mode)
{
	CHECK(!chmod(COPY, mode));
	return child_run(execute_copy, (void *)(unsigned long)user);
}

TEST_F(outside, gains_privileges)
{
	struct rescue_point rp = { };

	ASSERT_TRUE(make_copy(&rp));
	EXPECT_EQ(0, run_copy(NOBODY, 0755));
	EXPECT_EQ(-SIGSEGV, run_copy(NOBODY, 04755));
	EXPECT_EQ(-SIGSEGV, run_copy(NOBODY, 02755));
	/* Who has them already does not gain any. */
	EXPECT_EQ(0, run_copy(0, 04755));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(2, refused_since_mark(REASSURE_REFUSED_SETUID));
	EXPECT_EQ(2, all_refused_since_mark());
	unlink(COPY);
}

TEST_F(outside, gains_privileges_and_may)
{
	struct rescue_point rp = { .allow_setuid = true };

	ASSERT_TRUE(make_copy(&rp));
	EXPECT_EQ(0, run_copy(NOBODY, 04755));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	unlink(COPY);
}

/* What others spent must not make its functions return unexecuted. */
TEST_F(outside, gains_privileges_and_is_not_skipped)
{
	struct rescue_point rp = {
		.budget_rescues = 1,
		.budget_seconds = 3600,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
	};

	ASSERT_TRUE(make_copy(&rp));
	EXPECT_EQ(0, run_copy(NOBODY, 0755));
	EXPECT_EQ(0, run_copy(NOBODY, 0755));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
	EXPECT_EQ(-SIGSEGV, run_copy(NOBODY, 04755));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
	unlink(COPY);
}

TEST_HARNESS_MAIN
