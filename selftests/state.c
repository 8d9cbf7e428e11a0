// SPDX-License-Identifier: GPL-2.0
/*
 * Each kind of process state beside memory, registers and open files: what a
 * rescue puts back, what keeps a call from being rescued, and what is left as
 * the call made it.  The table is in Documentation/checkpoint.rst.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include <asm/prctl.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

static int written = 1;

static long __noipa victim(void (*inside)(void))
{
	written = 2;
	inside();
	touch_read(BAD_ADDRESS);
	return 1;
}

/**
 * struct row - one row of the table
 * @before: before the call
 * @inside: what the call does
 * @after: checks what there is after a rescue; NULL when there is none
 */
struct row {
	void (*before)(void);
	void (*inside)(void);
	void (*after)(void);
};

/* Exit status of what the kernel does not have. */
#define MISSING	3

/* The process that makes the call. */
static pid_t caller;

static int row_program(void *arg)
{
	const struct row *row = arg;
	int i;

	caller = getpid();
	for (i = 0; i < 2; i++) {
		if (row->before)
			row->before();
		CHECK(victim(row->inside) == RESCUED);
		CHECK(written == 1);
		row->after();
	}
	return 0;
}

static int refused_program(void *arg)
{
	const struct row *row = arg;

	caller = getpid();
	if (row->before)
		row->before();
	victim(row->inside);
	return 0;
}

FIXTURE(state)
{
};

FIXTURE_SETUP(state)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(state)
{
	test_end(_metadata->passed);
}

/* Restored or left, as the check says. */
#define RESCUES(name, before, inside, after)			\
TEST_F(state, name)						\
{								\
	struct row row = { before, inside, after };		\
								\
	EXPECT_EQ(0, child_run(row_program, &row));		\
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES)); \
	EXPECT_EQ(0, all_refused_since_mark());			\
}

static void test_refused(struct __test_metadata *_metadata, struct row *row,
			 enum reassure_refusal reason)
{
	int ended = child_run(refused_program, row);

	if (ended == MISSING)
		SKIP(return, "this kernel does not have it");
	EXPECT_EQ(-SIGSEGV, ended);
	EXPECT_EQ(1, refused_since_mark(reason));
	EXPECT_EQ(1, all_refused_since_mark());
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
}

#define REFUSES(name, before, inside, reason)			\
TEST_F(state, name)						\
{								\
	struct row row = { before, inside };			\
								\
	test_refused(_metadata, &row, reason);			\
}

#define REFUSES_STATE(name, before, inside)			\
	REFUSES(name, before, inside, REASSURE_REFUSED_STATE)
#define REFUSES_DESCRIPTOR(name, before, inside)		\
	REFUSES(name, before, inside, REASSURE_REFUSED_DESCRIPTOR)

/* What the kernel says to a system call that it does not have. */
static int missing_error(void)
{
	syscall(100000);
	return errno;
}

/* Where a kernel may lack something. */
static long want(long ret)
{
	int error = errno;

	if (ret < 0 && error == missing_error())
		_exit(MISSING);
	errno = error;
	CHECK(ret >= 0);
	return ret;
}

/* Signals. */
static volatile int handled;

static void count(int sig)
{
	handled++;
}

static __sighandler_t handler_of(int sig)
{
	struct sigaction action;

	CHECK(!sigaction(sig, NULL, &action));
	return action.sa_handler;
}

static void set_handler(int sig, __sighandler_t handler, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	CHECK(!sigaction(sig, &action, NULL));
}

static void handlers_before(void)
{
	set_handler(SIGUSR1, count, SA_RESTART);
	set_handler(SIGUSR2, SIG_IGN, 0);
	set_handler(SIGTERM, SIG_DFL, 0);
	set_handler(SIGRTMAX, SIG_DFL, 0);
}

static void change_handlers(void)
{
	set_handler(SIGUSR1, SIG_DFL, 0);
	set_handler(SIGUSR2, count, 0);
	set_handler(SIGTERM, SIG_IGN, 0);
	set_handler(SIGRTMAX, count, 0);
	raise(SIGUSR2);
}

static void handlers_after(void)
{
	CHECK(handler_of(SIGUSR1) == count);
	CHECK(handler_of(SIGUSR2) == SIG_IGN);
	CHECK(handler_of(SIGTERM) == SIG_DFL);
	CHECK(handler_of(SIGRTMAX) == SIG_DFL);
}

RESCUES(signal_handlers, handlers_before, change_handlers, handlers_after)

static void once_before(void)
{
	set_handler(SIGUSR1, count, SA_RESETHAND);
}

static void raise_once(void)
{
	raise(SIGUSR1);
	CHECK(handler_of(SIGUSR1) == SIG_DFL);
}

static void once_after(void)
{
	CHECK(handler_of(SIGUSR1) == count);
}

RESCUES(signal_handler_for_once, once_before, raise_once, once_after)

static void change_mask(void)
{
	sigset_t mask;

	sigfillset(&mask);
	CHECK(!sigprocmask(SIG_SETMASK, &mask, NULL));
}

static void mask_after(void)
{
	sigset_t mask;
	int sig;

	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	for (sig = 1; sig < 64; sig++)
		CHECK(!sigismember(&mask, sig));
}

RESCUES(signal_mask, NULL, change_mask, mask_after)

/* Inside sigsuspend() another mask is in force until it returns. */
static void fault_in_handler(int sig)
{
	touch_read(BAD_ADDRESS);
}

static void suspending_before(void)
{
	set_handler(SIGUSR1, fault_in_handler, 0);
}

static void suspend(void)
{
	sigset_t mask, none;

	sigemptyset(&none);
	sigfillset(&mask);
	sigdelset(&mask, SIGUSR1);
	sigdelset(&mask, SIGSEGV);
	CHECK(!sigprocmask(SIG_SETMASK, &mask, NULL));
	sigaddset(&mask, SIGUSR1);
	CHECK(!sigprocmask(SIG_SETMASK, &mask, NULL));
	raise(SIGUSR1);
	sigdelset(&mask, SIGUSR1);
	sigsuspend(&mask);
}

RESCUES(signal_mask_of_sigsuspend, suspending_before, suspend, mask_after)

static char stacks[2][65536];

static void altstack_before(void)
{
	stack_t stack = { .ss_sp = stacks[0], .ss_size = sizeof(stacks[0]) };

	CHECK(!sigaltstack(&stack, NULL));
}

static void change_altstack(void)
{
	stack_t stack = { .ss_sp = stacks[1], .ss_size = sizeof(stacks[1]) };

	CHECK(!sigaltstack(&stack, NULL));
}

static void disable_altstack(void)
{
	stack_t stack = { .ss_flags = SS_DISABLE };

	CHECK(!sigaltstack(&stack, NULL));
}

static void altstack_after(void)
{
	stack_t stack;

	CHECK(!sigaltstack(NULL, &stack));
	CHECK(stack.ss_sp == stacks[0] && !stack.ss_flags);
	CHECK(stack.ss_size == sizeof(stacks[0]));
}

RESCUES(signal_stack, altstack_before, change_altstack, altstack_after)
RESCUES(signal_stack_disabled, altstack_before, disable_altstack,
	altstack_after)

static bool is_pending(int sig)
{
	sigset_t mask;

	CHECK(!sigpending(&mask));
	return sigismember(&mask, sig);
}

static void block(int sig)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, sig);
	CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
}

static void blocked_before(void)
{
	block(SIGUSR1);
	block(SIGUSR2);
}

static void send_to_itself(void)
{
	raise(SIGUSR1);
	kill(getpid(), SIGUSR2);
}

static void pending_after(void)
{
	struct timespec none = { 0 };
	siginfo_t info;
	sigset_t mask;

	CHECK(is_pending(SIGUSR1) && is_pending(SIGUSR2));
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(sigtimedwait(&mask, &info, &none) == SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid());
	sigaddset(&mask, SIGUSR2);
	CHECK(sigtimedwait(&mask, &info, &none) == SIGUSR2);
	CHECK(info.si_code == SI_USER);
}

RESCUES(signals_pending_are_left, blocked_before, send_to_itself, pending_after)

/* Directories and the mask of new files. */
static char here[4096];

static void cwd_before(void)
{
	CHECK(!chdir("/usr"));
	CHECK(getcwd(here, sizeof(here)));
}

static void change_dir(void)
{
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	CHECK(!chdir("/"));
	CHECK(!fchdir(fd));
	CHECK(!chdir("/proc"));
}

static void fail_to_change_dir(void)
{
	CHECK(chdir("/no such directory") < 0);
}

static void cwd_after(void)
{
	char now[4096];

	CHECK(getcwd(now, sizeof(now)));
	CHECK(!strcmp(now, here));
	CHECK(!access("bin", F_OK));
}

RESCUES(directory, cwd_before, change_dir, cwd_after)
RESCUES(directory_unchanged, cwd_before, fail_to_change_dir, cwd_after)

static void umask_before(void)
{
	umask(027);
}

static void change_umask(void)
{
	umask(0);
	CHECK(umask(0777) == 0);
}

static void umask_after(void)
{
	CHECK(umask(0) == 027);
}

RESCUES(umask, umask_before, change_umask, umask_after)

static int wait_for_ever(void *arg)
{
	die_with_parent(caller);
	for (;;)
		pause();
	return 0;
}

static char clone_stack[65536];

static void share_directory(void)
{
	CHECK(clone(wait_for_ever, clone_stack + sizeof(clone_stack),
		    CLONE_FS | SIGCHLD, NULL) > 0);
}

REFUSES_STATE(directory_shared, share_directory, change_dir)
REFUSES_STATE(umask_shared, share_directory, change_umask)
REFUSES_STATE(directory_shared_inside, NULL, share_directory)

static void change_root(void)
{
	CHECK(!chroot("/tmp"));
}

REFUSES_STATE(root, NULL, change_root)

/* Credentials. */
static void become_user(void)
{
	CHECK(!syscall(SYS_setresuid, 1, 1, 1));
}

static void become_user_for_a_while(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		CHECK(!syscall(SYS_setresuid, -1, 1, -1));
		CHECK(!syscall(SYS_setresuid, -1, 0, -1));
	}
}

static void change_groups(void)
{
	gid_t group = 7;

	CHECK(!setgroups(1, &group));
}

static void change_group(void)
{
	CHECK(!syscall(SYS_setgid, 9));
}

static void change_fsuid(void)
{
	setfsuid(5);
}

static void drop_capability(void)
{
	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT));
}

static void set_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	CHECK(!syscall(SYS_capget, &header, data));
	data[0].effective &= ~(1 << CAP_NET_RAW);
	CHECK(!syscall(SYS_capset, &header, data));
}

static void ask_credentials(void)
{
	CHECK(setfsuid(-1) == 0);
	CHECK(getuid() == 0);
	CHECK(setgroups(70000, NULL) < 0);
	CHECK(prctl(PR_GET_SECUREBITS) >= 0);
}

static void nothing(void)
{
}

REFUSES_STATE(user, NULL, become_user)
REFUSES_STATE(user_for_a_while, NULL, become_user_for_a_while)
REFUSES_STATE(group, NULL, change_group)
REFUSES_STATE(groups, NULL, change_groups)
REFUSES_STATE(user_of_file_system, NULL, change_fsuid)
REFUSES_STATE(capability_bound, NULL, drop_capability)
REFUSES_STATE(capabilities, NULL, set_capabilities)
RESCUES(credentials_unchanged, NULL, ask_credentials, nothing)

/* Others at the same address: the kernel frees those of the entry. */
static void own_credentials(void)
{
	CHECK(!syscall(SYS_setresgid, -1, 1, -1));
	CHECK(!syscall(SYS_setresgid, -1, 0, -1));
}

static void let_go_of_credentials(void)
{
	CHECK(!syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
}

static void change_group_twice(void)
{
	CHECK(!syscall(SYS_setresgid, -1, 1, -1));
	let_go_of_credentials();
	CHECK(!syscall(SYS_setresgid, -1, 2, -1));
}

static int ruleset;

static void ruleset_before(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_CHAR,
	};

	ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	/* It may be switched off, too. */
	if (ruleset < 0)
		_exit(MISSING);
	own_credentials();
}

static void restrict_itself(void)
{
	CHECK(!syscall(SYS_landlock_restrict_self, ruleset, 0));
}

static void restrict_itself_twice(void)
{
	restrict_itself();
	let_go_of_credentials();
	restrict_itself();
}

static void test_same_address(struct __test_metadata *_metadata,
			      struct row *row)
{
	int i, ended;

	for (i = 0; i < 20; i++) {
		ended = child_run(refused_program, row);
		if (ended == MISSING)
			SKIP(return, "this kernel does not have it");
		EXPECT_EQ(-SIGSEGV, ended);
	}
	EXPECT_EQ(20, refused_since_mark(REASSURE_REFUSED_STATE));
	EXPECT_EQ(20, all_refused_since_mark());
}

TEST_F(state, credentials_at_the_same_address)
{
	struct row row = { own_credentials, change_group_twice };

	test_same_address(_metadata, &row);
}

TEST_F(state, restricted_at_the_same_address)
{
	struct row row = { ruleset_before, restrict_itself_twice };

	test_same_address(_metadata, &row);
}

static void add_rule(void)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = LANDLOCK_ACCESS_FS_MAKE_CHAR,
		.parent_fd = open("/tmp", O_PATH | O_DIRECTORY),
	};

	CHECK(!syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &attr, 0));
}

REFUSES_STATE(restricted_by_itself, ruleset_before, restrict_itself)
REFUSES_DESCRIPTOR(restriction_added, ruleset_before, add_rule)

static void join_session(void)
{
	want(syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL));
}

#define USER_KEYRING	(-4)

/* One that the credentials do not name. */
static void add_key(void)
{
	want(syscall(SYS_add_key, "user", "reassure", "x", 1, USER_KEYRING));
}

static void ask_key(void)
{
	/* Nobody has it; only the attempt counts. */
	CHECK(syscall(SYS_request_key, "user", "none", NULL, 0) < 0);
}

REFUSES_STATE(keyring, NULL, join_session)
REFUSES_STATE(key_added, NULL, add_key)
REFUSES_STATE(key_asked_for, NULL, ask_key)

/* Limits. */
static void set_limit(void)
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_CORE, &limit));
	CHECK(!setrlimit(RLIMIT_CORE, &limit));
}

static void set_limit_by_old_call(void)
{
	struct rlimit limit;

	CHECK(!getrlimit(RLIMIT_CORE, &limit));
	CHECK(!syscall(SYS_setrlimit, RLIMIT_CORE, &limit));
}

static pid_t other;

static void make_other(void)
{
	other = child_start(wait_for_ever, NULL);
}

static void set_limit_of_other(void)
{
	struct rlimit limit = { 0, 0 }, now;

	CHECK(!prlimit(other, RLIMIT_CORE, &limit, NULL));
	CHECK(!prlimit(0, RLIMIT_CORE, NULL, &now));
	CHECK(!getrlimit(RLIMIT_NOFILE, &now));
}

static void end_other(void)
{
	CHECK(!kill(other, SIGKILL));
	CHECK(child_wait(other) == -SIGKILL);
}

REFUSES_STATE(limit, NULL, set_limit)
REFUSES_STATE(limit_by_old_call, NULL, set_limit_by_old_call)
RESCUES(limit_of_another_is_left, make_other, set_limit_of_other, end_other)

/* Locks of all memory, which say what becomes of later mappings, too. */
static void lock_later_memory(void)
{
	CHECK(!mlockall(MCL_FUTURE | MCL_ONFAULT));
}

static void unlock_all_memory(void)
{
	CHECK(!munlockall());
}

REFUSES_STATE(memory_locked, NULL, lock_later_memory)
REFUSES_STATE(memory_unlocked, lock_later_memory, unlock_all_memory)

/* Timers. */
static void set_alarm(void)
{
	alarm(1000);
}

static void set_interval(void)
{
	struct itimerval value = { .it_value.tv_sec = 1000 };

	CHECK(!setitimer(ITIMER_PROF, &value, NULL));
}

static timer_t timer;

static void make_timer(void)
{
	CHECK(!timer_create(CLOCK_MONOTONIC, NULL, &timer));
}

static void set_timer(void)
{
	struct itimerspec value = { .it_value.tv_sec = 1000 };

	CHECK(!timer_settime(timer, 0, &value, NULL));
}

static void delete_timer(void)
{
	CHECK(!timer_delete(timer));
}

static void timer_before(void)
{
	make_timer();
	set_timer();
	set_alarm();
}

static void ask_timers(void)
{
	struct itimerspec value;
	struct itimerval interval;

	CHECK(!timer_gettime(timer, &value));
	CHECK(!getitimer(ITIMER_REAL, &interval));
}

static void timer_after(void)
{
	struct itimerspec value;

	CHECK(!timer_gettime(timer, &value));
	CHECK(value.it_value.tv_sec > 0);
	CHECK(alarm(0) > 0);
	delete_timer();
}

REFUSES_STATE(alarm, NULL, set_alarm)
REFUSES_STATE(interval, NULL, set_interval)
REFUSES_STATE(timer_made, NULL, make_timer)
REFUSES_STATE(timer_set, make_timer, set_timer)
REFUSES_STATE(timer_deleted, make_timer, delete_timer)
RESCUES(timers_run_on, timer_before, ask_timers, timer_after)

/* Sessions and process groups. */
static void make_session(void)
{
	CHECK(setsid() > 0);
}

static void change_group_of_processes(void)
{
	CHECK(!setpgid(0, 0));
}

static void change_group_of_other(void)
{
	CHECK(!setpgid(other, other));
}

static void group_of_other_after(void)
{
	CHECK(getpgid(other) == other);
	end_other();
}

REFUSES_STATE(session, NULL, make_session)
REFUSES_STATE(process_group, NULL, change_group_of_processes)
RESCUES(process_group_of_another_is_left, make_other, change_group_of_other,
	group_of_other_after)

/* Namespaces, personality, prctl(). */
static void leave_namespace(void)
{
	CHECK(!unshare(CLONE_NEWUTS));
}

static int namespace_fd;

static void namespace_before(void)
{
	namespace_fd = open("/proc/self/ns/uts", O_RDONLY);
	CHECK(namespace_fd >= 0);
}

static void enter_namespace(void)
{
	CHECK(!setns(namespace_fd, 0));
}

static void change_personality(void)
{
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
}

static void ask_personality(void)
{
	CHECK(personality(-1) >= 0);
}

static void set_death_signal(void)
{
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
}

static void set_dumpable(void)
{
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
}

static void set_no_new_privileges(void)
{
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void ask_prctl(void)
{
	int value;

	CHECK(prctl(PR_GET_DUMPABLE) >= 0);
	CHECK(!prctl(PR_GET_PDEATHSIG, &value));
	CHECK(!prctl(PR_SET_NAME, "renamed"));
}

static void name_after(void)
{
	char name[16];

	CHECK(!prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "renamed"));
}

static void set_seccomp(void)
{
	CHECK(!prctl(PR_SET_SECCOMP, 1));
	/* What is allowed still. */
	write(-1, "", 0);
}

static void allow_seccomp(void)
{
	unsigned int action = 0x7fff0000 /* SECCOMP_RET_ALLOW */;

	want(syscall(SYS_seccomp, 2 /* GET_ACTION_AVAIL */, 0, &action));
}

static void forbid_cpuid(void)
{
	/* Fails where the processor cannot do it. */
	syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
}

REFUSES_STATE(namespace_left, NULL, leave_namespace)
REFUSES_STATE(namespace_entered, namespace_before, enter_namespace)
REFUSES_STATE(personality, NULL, change_personality)
RESCUES(personality_unchanged, NULL, ask_personality, nothing)
REFUSES_STATE(death_signal, NULL, set_death_signal)
REFUSES_STATE(dumpable, NULL, set_dumpable)
REFUSES_STATE(no_new_privileges, NULL, set_no_new_privileges)
REFUSES_STATE(seccomp, NULL, allow_seccomp)
REFUSES_STATE(seccomp_by_prctl, NULL, set_seccomp)
REFUSES_STATE(arch_prctl, NULL, forbid_cpuid)
RESCUES(name_is_left, NULL, ask_prctl, name_after)

/* What the kernel knows of a thread. */
static void set_robust_list(void)
{
	void *head;
	size_t size;

	want(syscall(SYS_get_robust_list, 0, &head, &size));
	CHECK(!syscall(SYS_set_robust_list, head, size));
}

static int cleared;

static void set_tid_address(void)
{
	CHECK(syscall(SYS_set_tid_address, &cleared) > 0);
}

static void set_rseq(void)
{
	/* It has one; only the attempt counts. */
	CHECK(syscall(SYS_rseq, NULL, 32, 0, 0) < 0);
}

static void set_trace(void)
{
	ptrace(PTRACE_ATTACH, other, 0, 0);
}

static void set_ldt(void)
{
	char entry[16] = { 0 };

	syscall(SYS_modify_ldt, 1, entry, sizeof(entry));
}

static void set_ports(void)
{
	want(syscall(SYS_ioperm, 0x80, 1, 0));
}

static void allocate_key(void)
{
	syscall(SYS_pkey_alloc, 0, 0);
}

REFUSES_STATE(robust_list, NULL, set_robust_list)
REFUSES_STATE(tid_address, NULL, set_tid_address)
REFUSES_STATE(rseq, NULL, set_rseq)
REFUSES_STATE(tracing, make_other, set_trace)
REFUSES_STATE(segments, NULL, set_ldt)
REFUSES_STATE(ports, NULL, set_ports)
REFUSES_STATE(protection_key, NULL, allocate_key)

/* A lock whose owner the kernel keeps, with one who waits for it. */
static pthread_mutex_t *mutex;

static void mutex_before(void)
{
	pthread_mutexattr_t attr;

	mutex = shared_memory(PAGE_SIZE);
	CHECK(!pthread_mutexattr_init(&attr));
	CHECK(!pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	/* So that the one who waits does not mind when the owner dies. */
	CHECK(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	if (pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT))
		_exit(MISSING);
	CHECK(!pthread_mutex_init(mutex, &attr));
}

static int lock_mutex(void *arg)
{
	return pthread_mutex_lock(mutex);
}

static void lock_with_waiter(void)
{
	int *word = &mutex->__data.__lock;

	CHECK(!pthread_mutex_lock(mutex));
	other = child_start(lock_mutex, NULL);
	/* FUTEX_WAITERS */
	while (!(*(volatile int *)word & 0x80000000))
		usleep(1000);
	/* Until it sleeps in the kernel. */
	for (;;) {
		char path[64], text[512], *state;

		snprintf(path, sizeof(path), "/proc/%d/stat", other);
		CHECK(!read_text(path, text, sizeof(text)));
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			break;
		usleep(1000);
	}
}

REFUSES_STATE(futex_with_priority_inheritance, mutex_before, lock_with_waiter)

/* One for which nobody waits, when the kernel is asked for it. */
static uint32_t pi_futex;

static void lock_pi_futex(void)
{
	CHECK(!want(syscall(SYS_futex, &pi_futex,
			    FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, NULL)));
	CHECK(!syscall(SYS_futex, &pi_futex,
		       FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG));
}

REFUSES_STATE(futex_with_priority_inheritance_alone, NULL, lock_pi_futex)

/* Scheduling is left: what others see of it is not undone either. */
static void schedule_before(void)
{
	CHECK(!setpriority(PRIO_PROCESS, 0, 1));
}

static void schedule_otherwise(void)
{
	struct sched_param param = { 0 };
	cpu_set_t set;

	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
	CHECK(!sched_setscheduler(0, SCHED_BATCH, &param));
}

static void schedule_after(void)
{
	struct sched_param param = { 0 };

	CHECK(getpriority(PRIO_PROCESS, 0) == 5);
	CHECK(sched_getscheduler(0) == SCHED_BATCH);
	CHECK(!sched_setscheduler(0, SCHED_OTHER, &param));
}

RESCUES(scheduling_is_left, schedule_before, schedule_otherwise, schedule_after)

/* Asynchronous I/O. */
static aio_context_t context;

static void set_up_aio(void)
{
	context = 0;
	want(syscall(SYS_io_setup, 4, &context));
}

static void destroy_aio(void)
{
	CHECK(!syscall(SYS_io_destroy, context));
}

static void submit_aio(void)
{
	CHECK(syscall(SYS_io_submit, context, 0, NULL) == 0);
}

static void set_up_ring(void)
{
	struct io_uring_params params = { 0 };

	want(syscall(SYS_io_uring_setup, 4, &params));
}

static int ring;

static void ring_before(void)
{
	struct io_uring_params params = { 0 };

	ring = want(syscall(SYS_io_uring_setup, 4, &params));
}

static void enter_ring(void)
{
	CHECK(syscall(SYS_io_uring_enter, ring, 0, 0, 0, NULL, 0) >= 0);
}

static void register_in_ring(void)
{
	CHECK(syscall(SYS_io_uring_register, ring, 3, NULL, 0) < 0);
}

REFUSES_DESCRIPTOR(aio_set_up, NULL, set_up_aio)
REFUSES_DESCRIPTOR(aio_destroyed, set_up_aio, destroy_aio)
REFUSES_DESCRIPTOR(aio_submitted, set_up_aio, submit_aio)
REFUSES_DESCRIPTOR(io_uring_set_up, NULL, set_up_ring)
REFUSES_DESCRIPTOR(io_uring_entered, ring_before, enter_ring)
REFUSES_DESCRIPTOR(io_uring_registered, ring_before, register_in_ring)

/* What descriptors of the entry stand for. */
static int fd;

static void timer_fd_before(void)
{
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK(fd >= 0);
}

static void set_timer_fd(void)
{
	struct itimerspec value = { .it_value.tv_sec = 1000 };

	CHECK(!timerfd_settime(fd, 0, &value, NULL));
}

static void set_timer_fd_of_its_own(void)
{
	timer_fd_before();
	set_timer_fd();
}

static void signal_fd_before(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	fd = signalfd(-1, &mask, 0);
	CHECK(fd >= 0);
}

static void set_signal_fd(void)
{
	sigset_t mask;

	sigfillset(&mask);
	CHECK(signalfd(fd, &mask, 0) == fd);
}

static void inotify_before(void)
{
	fd = inotify_init();
	CHECK(fd >= 0);
}

static void watch(void)
{
	CHECK(inotify_add_watch(fd, "/tmp", IN_CREATE) > 0);
}

static void inotify_with_watch_before(void)
{
	inotify_before();
	watch();
}

static void unwatch(void)
{
	CHECK(!inotify_rm_watch(fd, 1));
}

static void file_before(void)
{
	char path[] = "/tmp/stateXXXXXX";

	fd = mkstemp(path);
	CHECK(fd >= 0 && !unlink(path));
}

static void set_flock(void)
{
	CHECK(!flock(fd, LOCK_EX));
}

static void set_flock_by_copy(void)
{
	CHECK(!flock(dup(fd), LOCK_EX));
}

static void set_lock(int command)
{
	struct flock flock = { .l_type = F_WRLCK, .l_len = 1 };

	CHECK(!fcntl(fd, command, &flock));
}

static void set_posix_lock(void)
{
	set_lock(F_SETLK);
}

static void set_description_lock(void)
{
	set_lock(F_OFD_SETLK);
}

static void set_posix_lock_of_its_own(void)
{
	file_before();
	set_lock(F_SETLK);
}

static void set_locks_of_its_own(void)
{
	file_before();
	set_flock();
	set_description_lock();
}

static void ask_lock(void)
{
	struct flock flock = { .l_type = F_WRLCK, .l_len = 1 };

	CHECK(!fcntl(fd, F_GETLK, &flock));
}

static void set_lease(void)
{
	CHECK(!fcntl(fd, F_SETLEASE, F_WRLCK));
}

static void set_owner(void)
{
	CHECK(!fcntl(fd, F_SETOWN, getpid()));
}

static void socket_before(void)
{
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(fd >= 0);
}

static void set_async(void)
{
	CHECK(!fcntl(fd, F_SETFL, O_ASYNC));
}

static void set_async_by_ioctl(void)
{
	int one = 1;

	CHECK(!ioctl(fd, FIOASYNC, &one));
}

static void queue_before(void)
{
	fd = want(syscall(SYS_mq_open, "reassure", O_CREAT | O_RDWR, 0600,
			  NULL));
}

static void set_queue(void)
{
	struct mq_attr attr = { .mq_flags = O_NONBLOCK };

	CHECK(!mq_setattr(fd, &attr, NULL));
}

static void queue_after(void)
{
	struct mq_attr attr;

	CHECK(!mq_getattr(fd, &attr) && !attr.mq_flags);
	CHECK(!syscall(SYS_mq_unlink, "reassure") && !close(fd));
}

static void seal_before(void)
{
	fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	CHECK(fd >= 0);
}

static void seal(void)
{
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
}

REFUSES_DESCRIPTOR(timer_descriptor, timer_fd_before, set_timer_fd)
RESCUES(timer_descriptor_of_its_own, NULL, set_timer_fd_of_its_own, nothing)
REFUSES_DESCRIPTOR(signal_descriptor, signal_fd_before, set_signal_fd)
REFUSES_DESCRIPTOR(inotify_watch, inotify_before, watch)
REFUSES_DESCRIPTOR(inotify_unwatch, inotify_with_watch_before, unwatch)
REFUSES_DESCRIPTOR(flock, file_before, set_flock)
REFUSES_DESCRIPTOR(flock_by_copy, file_before, set_flock_by_copy)
REFUSES_DESCRIPTOR(posix_lock, file_before, set_posix_lock)
REFUSES_DESCRIPTOR(posix_lock_of_its_own, NULL, set_posix_lock_of_its_own)
REFUSES_DESCRIPTOR(description_lock, file_before, set_description_lock)
RESCUES(locks_of_its_own_files, NULL, set_locks_of_its_own, nothing)
RESCUES(lock_asked, file_before, ask_lock, nothing)
REFUSES_DESCRIPTOR(lease, file_before, set_lease)
REFUSES_DESCRIPTOR(owner_of_descriptor, socket_before, set_owner)
REFUSES_DESCRIPTOR(async_notification, socket_before, set_async)
REFUSES_DESCRIPTOR(async_notification_by_ioctl, socket_before,
		   set_async_by_ioctl)
RESCUES(flags_of_a_queue, queue_before, set_queue, queue_after)
REFUSES_DESCRIPTOR(seals, seal_before, seal)

/* What left the process is left. */
static int pair[2], semaphore;
static char path[64];

static void world_before(void)
{
	int file;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK(write(pair[1], "abcdef", 6) == 6);
	strcpy(path, "/tmp/stateXXXXXX");
	file = mkstemp(path);
	CHECK(file >= 0 && !close(file));
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	CHECK(semaphore >= 0);
}

static void change_world(void)
{
	struct sembuf up = { .sem_op = 3 };
	char bytes[3];
	int file;

	CHECK(read(pair[0], bytes, 3) == 3);
	CHECK(write(pair[0], "xyz", 3) == 3);
	file = open(path, O_WRONLY);
	CHECK(write(file, "written", 7) == 7);
	CHECK(!semop(semaphore, &up, 1));
	CHECK(!fchmod(file, 0640));
}

static void world_after(void)
{
	struct stat stat;
	char bytes[8];

	CHECK(read(pair[0], bytes, 8) == 3 && !memcmp(bytes, "def", 3));
	CHECK(read(pair[1], bytes, 8) == 3 && !memcmp(bytes, "xyz", 3));
	CHECK(!read_text(path, bytes, sizeof(bytes)));
	CHECK(!strcmp(bytes, "written"));
	CHECK(!lstat(path, &stat) && (stat.st_mode & 07777) == 0640);
	CHECK(semctl(semaphore, 0, GETVAL) == 3);
	CHECK(!semctl(semaphore, 0, IPC_RMID));
	CHECK(!unlink(path) && !close(pair[0]) && !close(pair[1]));
}

RESCUES(what_left_is_left, world_before, change_world, world_after)

/* A descriptor is the other's when it is sent. */
static void pair_before(void)
{
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

/* A message with a byte and a descriptor. */
struct envelope {
	struct iovec bytes;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message;
	char byte;
};

static void envelope_make(struct envelope *envelope)
{
	memset(envelope, 0, sizeof(*envelope));
	envelope->bytes.iov_base = &envelope->byte;
	envelope->bytes.iov_len = 1;
	envelope->message.msg_iov = &envelope->bytes;
	envelope->message.msg_iovlen = 1;
	envelope->message.msg_control = &envelope->control;
	envelope->message.msg_controllen = sizeof(envelope->control);
}

static void send_descriptor(void)
{
	struct envelope envelope;
	struct cmsghdr *header = &envelope.control.header;

	file_before();
	CHECK(write(fd, "sent", 4) == 4);
	envelope_make(&envelope);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK(sendmsg(pair[0], &envelope.message, 0) == 1);
}

static void received_after(void)
{
	struct envelope envelope;
	char bytes[4];
	int file;

	envelope_make(&envelope);
	CHECK(recvmsg(pair[1], &envelope.message, 0) == 1);
	memcpy(&file, CMSG_DATA(&envelope.control.header), sizeof(file));
	CHECK(pread(file, bytes, 4, 0) == 4 && !memcmp(bytes, "sent", 4));
	CHECK(!close(file) && !close(pair[0]) && !close(pair[1]));
}

RESCUES(descriptor_sent_is_left, pair_before, send_descriptor, received_after)

/* What only makes something faster. */
static void pipe_before(void)
{
	CHECK(!pipe(pair));
	file_before();
}

#define HINT	2UL /* RWH_WRITE_LIFE_SHORT */

static void ask_for_speed(void)
{
	uint64_t hint = HINT;

	CHECK(fcntl(pair[1], F_SETPIPE_SZ, 4 * PAGE_SIZE) == 4 * PAGE_SIZE);
	CHECK(!fcntl(fd, F_SET_RW_HINT, &hint));
	want(syscall(SYS_membarrier,
		     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
}

static void speed_after(void)
{
	uint64_t hint = 0;

	CHECK(fcntl(pair[1], F_GETPIPE_SZ) == 4 * PAGE_SIZE);
	CHECK(!fcntl(fd, F_GET_RW_HINT, &hint) && hint == HINT);
	CHECK(!syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	CHECK(!close(pair[0]) && !close(pair[1]) && !close(fd));
}

RESCUES(speed_is_left, pipe_before, ask_for_speed, speed_after)

static pid_t *child_inside;

static void child_before(void)
{
	child_inside = shared_memory(PAGE_SIZE);
}

static void make_child(void)
{
	*child_inside = child_start(wait_for_ever, NULL);
}

static void child_after(void)
{
	CHECK(!kill(*child_inside, SIGKILL));
	CHECK(child_wait(*child_inside) == -SIGKILL);
}

RESCUES(children_are_left, child_before, make_child, child_after)

TEST_HARNESS_MAIN
