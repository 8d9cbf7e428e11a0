// SPDX-License-Identifier: GPL-2.0
/*
 * What forcing a signal changes in a process is put back by a rescue, and
 * signals that wait are not lost.
 */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

static int written = 1;

static long __noipa victim(void)
{
	written = 2;
	touch_read(BAD_ADDRESS);
	return 1;
}

FIXTURE(signals)
{
};

FIXTURE_SETUP(signals)
{
	ASSERT_EQ(0, test_begin());
	ASSERT_EQ(0, rescue_point_protect(victim));
}

FIXTURE_TEARDOWN(signals)
{
	test_end(_metadata->passed);
}

static void check_rescue(void)
{
	CHECK(victim() == RESCUED);
	CHECK(written == 1);
}

static void block(int sig)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, sig);
	CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
}

static bool is_blocked(int sig)
{
	sigset_t mask;

	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	return sigismember(&mask, sig);
}

static bool is_pending(int sig)
{
	sigset_t mask;

	CHECK(!sigpending(&mask));
	return sigismember(&mask, sig);
}

static int blocked_program(void *arg)
{
	int i;

	for (i = 0; i < 3; i++) {
		block(SIGSEGV);
		check_rescue();
		CHECK(is_blocked(SIGSEGV));
		CHECK(!is_pending(SIGSEGV));
	}
	return 0;
}

TEST_F(signals, blocked_stays_blocked)
{
	EXPECT_EQ(0, child_run(blocked_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int ignored_program(void *arg)
{
	struct sigaction action;
	int i;

	CHECK(signal(SIGSEGV, SIG_IGN) != SIG_ERR);
	for (i = 0; i < 3; i++) {
		check_rescue();
		CHECK(!sigaction(SIGSEGV, NULL, &action));
		CHECK(action.sa_handler == SIG_IGN);
	}
	/* And is ignored. */
	raise(SIGSEGV);
	return 0;
}

TEST_F(signals, ignored_stays_ignored)
{
	EXPECT_EQ(0, child_run(ignored_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

static int handled;

static void handler(int sig, siginfo_t *info, void *context)
{
	handled++;
}

static int handler_program(void *arg)
{
	struct sigaction set = {
		.sa_sigaction = handler,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_RESETHAND,
	};
	struct sigaction got;

	sigaddset(&set.sa_mask, SIGUSR2);
	CHECK(!sigaction(SIGSEGV, &set, NULL));
	check_rescue();
	block(SIGSEGV);
	check_rescue();
	CHECK(!sigaction(SIGSEGV, NULL, &got));
	CHECK(got.sa_sigaction == handler);
	CHECK((got.sa_flags & (SA_SIGINFO | SA_RESTART | SA_RESETHAND)) ==
	      (SA_SIGINFO | SA_RESTART | SA_RESETHAND));
	CHECK(sigismember(&got.sa_mask, SIGUSR2));
	CHECK(!handled);
	return 0;
}

TEST_F(signals, handler_stays)
{
	EXPECT_EQ(0, child_run(handler_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* The call itself changes handlers; they are put back, too. */
static long __noipa changing_victim(void)
{
	signal(SIGSEGV, SIG_IGN);
	signal(SIGABRT, SIG_IGN);
	touch_read(BAD_ADDRESS);
	return 1;
}

static int changing_program(void *arg)
{
	struct sigaction action;

	CHECK(changing_victim() == RESCUED);
	CHECK(!sigaction(SIGSEGV, NULL, &action));
	CHECK(action.sa_handler == SIG_DFL);
	CHECK(!sigaction(SIGABRT, NULL, &action));
	CHECK(action.sa_handler == SIG_DFL);
	return 0;
}

TEST_F(signals, actions_are_as_at_entry)
{
	struct rescue_point rp = {
		.function = changing_victim,
		.name = "changing",
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(changing_program, NULL));
}

/* Messages that wait for the whole process are nobody's to take. */
static int waiting_program(void *arg)
{
	pid_t self = getpid();
	int i;

	block(SIGSEGV);
	block(SIGABRT);
	block(SIGUSR1);
	CHECK(!kill(self, SIGSEGV));
	CHECK(!kill(self, SIGABRT));
	CHECK(!kill(self, SIGUSR1));
	for (i = 0; i < 3; i++) {
		check_rescue();
		CHECK(is_pending(SIGSEGV));
		CHECK(is_pending(SIGABRT));
		CHECK(is_pending(SIGUSR1));
	}
	return 0;
}

TEST_F(signals, messages_still_wait)
{
	EXPECT_EQ(0, child_run(waiting_program, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* A message that arrives during the call is delivered once, afterwards. */
static long __noipa messaged_victim(void)
{
	written = 2;
	block(SIGUSR1);
	kill(getpid(), SIGUSR1);
	touch_read(BAD_ADDRESS);
	return 1;
}

static int messaged_program(void *arg)
{
	struct sigaction action = { .sa_sigaction = handler };

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	CHECK(messaged_victim() == RESCUED);
	CHECK(written == 1);
	CHECK(handled == 1);
	CHECK(!is_pending(SIGUSR1));
	return 0;
}

TEST_F(signals, message_inside_is_delivered)
{
	struct rescue_point rp = {
		.function = messaged_victim,
		.name = "messaged",
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(0, child_run(messaged_program, NULL));
}

/* The first process of a container cannot be killed from inside. */
static int container_init(void *arg)
{
	int status, i;
	pid_t child;

	CHECK(getpid() == 1);
	for (i = 0; i < 3; i++) {
		check_rescue();
		child = fork();
		CHECK(child >= 0);
		if (!child) {
			kill(1, SIGSEGV);
			kill(1, SIGTERM);
			kill(1, SIGKILL);
			syscall(SYS_tgkill, 1, 1, SIGSEGV);
			_exit(7);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
		raise(SIGSEGV);
		raise(SIGABRT);
	}
	return 0;
}

static int container(void *arg)
{
	CHECK(!unshare(CLONE_NEWPID));
	return child_run(container_init, NULL);
}

TEST_F(signals, init_of_a_container_stays_immune)
{
	if (access("/proc/self/ns/pid", F_OK))
		SKIP(return, "no PID namespaces");
	EXPECT_EQ(0, child_run(container, NULL));
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_RESCUES));
}

/* Without a rescue its own fault kills it, as ever. */
static int dying_init(void *arg)
{
	touch_read(BAD_ADDRESS);
	return 0;
}

static int dying_container(void *arg)
{
	CHECK(!unshare(CLONE_NEWPID));
	return child_run(dying_init, NULL) == -SIGSEGV ? 0 : 1;
}

TEST_F(signals, init_of_a_container_dies_of_a_fault)
{
	EXPECT_EQ(0, child_run(dying_container, NULL));
}

TEST_HARNESS_MAIN
