// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue points that are meant for some cgroups only: processes elsewhere are
 * as if there were none, wherever they come from or go to.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"
#include "lib/victim.h"

#define MOUNT	"/sys/fs/cgroup"
#define TOP	"/reassure-test"
#define A	TOP "/a"
#define BELOW_A	A "/below"
#define LIKE_A	TOP "/ab"

#define PATHS(...)	((const char *const[]){ __VA_ARGS__, NULL })

/* The innermost first. */
static const char *const cgroups[] = { BELOW_A, A, LIKE_A, TOP };

static uint32_t *inside_now, *go_on;

static int make_cgroup(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), MOUNT "%s", cgroup);
	return mkdir(path, 0755) ? -errno : 0;
}

/* Who was there may not be quite gone. */
static void remove_cgroup(const char *cgroup)
{
	char path[256];

	snprintf(path, sizeof(path), MOUNT "%s", cgroup);
	while (rmdir(path) && errno == EBUSY)
		usleep(1000);
}

static int move(pid_t process, const char *cgroup)
{
	char path[256], number[16];

	snprintf(path, sizeof(path), MOUNT "%s/cgroup.procs", cgroup);
	snprintf(number, sizeof(number), "%d", process);
	return write_text(path, number);
}

/* With all that is in them. */
static void remove_cgroups(void)
{
	int i;

	if (!access(MOUNT TOP, F_OK))
		write_text(MOUNT TOP "/cgroup.kill", "1");
	for (i = 0; i < 4; i++)
		remove_cgroup(cgroups[i]);
}

FIXTURE(cgroups)
{
};

FIXTURE_SETUP(cgroups)
{
	bool made = true;
	int i;

	ASSERT_EQ(0, test_begin());
	inside_now = shared_memory(PAGE_SIZE);
	go_on = inside_now + 1;
	/* Those of a test that had to be killed. */
	remove_cgroups();
	for (i = 3; i >= 0; i--)
		made &= !make_cgroup(cgroups[i]);
	if (!made)
		remove_cgroups();
	ASSERT_TRUE(made);
}

FIXTURE_TEARDOWN(cgroups)
{
	remove_cgroups();
	test_end(_metadata->passed);
}

static int add(const char *const *paths)
{
	const struct rescue_point rp = {
		.function = victim,
		.cgroups = paths,
	};

	return rescue_point_add(&rp);
}

static int rescued_in(void *arg)
{
	CHECK(!move(0, arg));
	CHECK(victim(NULL, true) == RESCUED);
	CHECK(written.value == 0);
	return 0;
}

static int dying_in(void *arg)
{
	CHECK(!move(0, arg));
	CHECK(victim(NULL, false) == 1);
	victim(NULL, true);
	return 0;
}

/* One process each. */
#define EXPECT_MEANT(cgroup) EXPECT_EQ(0, child_run(rescued_in, cgroup))
#define EXPECT_NOT_MEANT(cgroup) EXPECT_EQ(-SIGSEGV, child_run(dying_in, cgroup))

TEST_F(cgroups, subtree)
{
	ASSERT_EQ(0, add(PATHS(A)));
	EXPECT_MEANT(A);
	EXPECT_MEANT(BELOW_A);
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_NOT_MEANT(LIKE_A);
	EXPECT_NOT_MEANT(TOP);
	EXPECT_NOT_MEANT("");
	/* What is known of a cgroup holds. */
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
	EXPECT_EQ(3, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(cgroups, several)
{
	ASSERT_EQ(0, add(PATHS("/reassure-test-2", BELOW_A, LIKE_A)));
	EXPECT_MEANT(BELOW_A);
	EXPECT_MEANT(LIKE_A);
	EXPECT_NOT_MEANT(A);
	EXPECT_NOT_MEANT(TOP);
}

TEST_F(cgroups, root)
{
	ASSERT_EQ(0, add(PATHS("/")));
	EXPECT_MEANT("");
	EXPECT_MEANT(BELOW_A);
}

static int walking_program(void *arg)
{
	CHECK(!move(0, LIKE_A));
	CHECK(victim(NULL, false) == 1);
	CHECK(events_since_mark(REASSURE_COUNTER_CHECKPOINTS) == 0);
	CHECK(!move(0, A));
	expect_rescue(NULL);
	CHECK(!move(0, BELOW_A));
	expect_rescue(NULL);
	CHECK(!move(0, LIKE_A));
	CHECK(victim(NULL, false) == 1);
	victim(NULL, true);
	return 0;
}

static void walk(struct __test_metadata *_metadata, bool probe_exits)
{
	const struct rescue_point rp = {
		.function = victim,
		.probe_exits = probe_exits,
		.cgroups = PATHS(A),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(walking_program, NULL));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(2, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F(cgroups, moved_in_and_out)
{
	walk(_metadata, false);
}

TEST_F(cgroups, moved_in_and_out_with_exits)
{
	walk(_metadata, true);
}

static void wait_inside(void)
{
	meet_signal(inside_now);
	meet_await(go_on);
}

static int moved_inside_program(void *arg)
{
	CHECK(!move(0, A));
	expect_rescue(wait_inside);
	victim(NULL, true);
	return 0;
}

TEST_F(cgroups, moved_out_inside)
{
	pid_t child;

	ASSERT_EQ(0, add(PATHS(A)));
	child = child_start(moved_inside_program, NULL);
	meet_await(inside_now);
	ASSERT_EQ(0, move(child, LIKE_A));
	meet_signal(go_on);
	EXPECT_EQ(-SIGSEGV, child_wait(child));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

static long __noipa around(void)
{
	return victim(NULL, true);
}

static int moved_between_program(void *arg)
{
	CHECK(!move(0, A));
	/* The inner call is not covered by itself. */
	CHECK(around() == -1);
	CHECK(written.value == 0);
	return 0;
}

/* It is not meant for the call inside, but the one around is. */
TEST_F(cgroups, call_inside)
{
	const int64_t value = -1;
	const struct rescue_point outer = {
		.function = around,
		.name = "outer",
		.value = &value,
	};

	ASSERT_EQ(0, add(PATHS(LIKE_A)));
	ASSERT_EQ(0, rescue_point_add(&outer));
	EXPECT_EQ(0, child_run(moved_between_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
}

static jmp_buf out;

static void jump_out(void)
{
	longjmp(out, 1);
}

static int leaving_program(void *arg)
{
	volatile int i;

	CHECK(!move(0, A));
	/* Both from the same place, with the same stack pointer. */
	for (i = 0; i < 2; i++) {
		if (i)
			CHECK(!move(0, LIKE_A));
		if (!setjmp(out))
			victim(i ? NULL : jump_out, true);
	}
	return 0;
}

static void leave(struct __test_metadata *_metadata, bool probe_exits)
{
	const struct rescue_point rp = {
		.function = victim,
		.probe_exits = probe_exits,
		.cgroups = PATHS(A),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_EQ(-SIGSEGV, child_run(leaving_program, NULL));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(1, events_awaited(REASSURE_COUNTER_ABANDONED, 1));
	EXPECT_EQ(0, events_since_mark(REASSURE_COUNTER_RESCUES));
	/* The fault was in no call. */
	EXPECT_EQ(0, all_refused_since_mark());
}

/* The call that was left is not there any more when it is not meant. */
TEST_F(cgroups, left_and_moved_out)
{
	leave(_metadata, false);
}

TEST_F(cgroups, left_and_moved_out_with_exits)
{
	leave(_metadata, true);
}

static int skipped_in(void *arg)
{
	CHECK(!move(0, arg));
	CHECK(victim(NULL, false) == RESCUED);
	return 0;
}

static int returning_in(void *arg)
{
	CHECK(!move(0, arg));
	CHECK(victim(NULL, false) == 1);
	return 0;
}

TEST_F(cgroups, skipped_only_where_meant)
{
	const struct rescue_point rp = {
		.function = victim,
		.budget_rescues = 1,
		.budget_seconds = 3600,
		.exhausted = REASSURE_EXHAUSTED_SKIP,
		.cgroups = PATHS(A),
	};

	ASSERT_EQ(0, rescue_point_add(&rp));
	EXPECT_MEANT(A);
	EXPECT_EQ(0, child_run(skipped_in, A));
	EXPECT_EQ(0, child_run(returning_in, LIKE_A));
	EXPECT_EQ(1, events_since_mark(REASSURE_COUNTER_SKIPPED));
}

/* The cgroup is let go, and is meant again when it is made again. */
TEST_F(cgroups, removed_and_made_again)
{
	ASSERT_EQ(0, add(PATHS(BELOW_A)));
	EXPECT_MEANT(BELOW_A);
	EXPECT_NOT_MEANT(A);
	remove_cgroup(BELOW_A);
	/* It takes its time; a test that hangs is killed. */
	while (number_in(MOUNT A "/cgroup.stat", "nr_dying_descendants") > 0)
		usleep(1000);
	EXPECT_EQ(0, number_in(MOUNT A "/cgroup.stat", "nr_dying_descendants"));
	EXPECT_NOT_MEANT(A);
	ASSERT_EQ(0, make_cgroup(BELOW_A));
	EXPECT_MEANT(BELOW_A);
	EXPECT_NOT_MEANT(A);
}

TEST_F(cgroups, changed)
{
	const struct rescue_point_change to_like_a = { .cgroups = PATHS(LIKE_A) };
	const struct rescue_point_change to_all = { .all_cgroups = true };
	const struct rescue_point_change to_a = { .cgroups = PATHS(A) };

	ASSERT_EQ(0, add(PATHS(A)));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
	ASSERT_EQ(0, rescue_point_set("test", &to_like_a));
	EXPECT_MEANT(LIKE_A);
	EXPECT_NOT_MEANT(A);
	ASSERT_EQ(0, rescue_point_set("test", &to_all));
	EXPECT_MEANT(TOP);
	EXPECT_MEANT("");
	ASSERT_EQ(0, rescue_point_set("test", &to_a));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT("");
}

TEST_F(cgroups, kept)
{
	const struct rescue_point place = { .function = victim };
	const struct rescue_point_change other = { .signals = DEFAULT_SIGNALS };
	const struct rescue_point_change wrong[] = {
		{ .cgroups = PATHS(LIKE_A, "reassure-test") },
		{ .cgroups = PATHS(LIKE_A), .all_cgroups = true },
		{ .all_cgroups = true, .unlimited = true,
		  .exhausted = &(uint32_t){ REASSURE_EXHAUSTED_SKIP } },
	};
	int i;

	ASSERT_EQ(0, add(PATHS(A)));
	ASSERT_EQ(0, rescue_point_set("test", &other));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EINVAL, rescue_point_set("test", &wrong[i]));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
	ASSERT_EQ(0, rescue_point_rebind(&place));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
	/* What is freed now was not before. */
	ASSERT_EQ(0, rescue_point_set("test", &other));
	EXPECT_MEANT(A);
	EXPECT_NOT_MEANT(LIKE_A);
}

static int container(void *arg)
{
	char line[256];

	CHECK(!move(0, A));
	CHECK(!unshare(CLONE_NEWCGROUP));
	CHECK(!read_text("/proc/self/cgroup", line, sizeof(line)));
	CHECK(!strcmp(line, "0::/\n"));
	CHECK(victim(NULL, true) == RESCUED);
	return 0;
}

/* It is known by its path from outside. */
TEST_F(cgroups, namespace)
{
	ASSERT_EQ(0, add(PATHS(A)));
	EXPECT_EQ(0, child_run(container, NULL));
}

static sigjmp_buf handled;

static void on_fault(int signal)
{
	siglongjmp(handled, 1);
}

/* What a faulting call returns, or 0 where it is not meant. */
static long try(void)
{
	return sigsetjmp(handled, 1) ? 0 : victim(NULL, true);
}

struct place {
	const char *cgroup;
	int64_t value;
};

static const struct place places[] = { { A, -1 }, { LIKE_A, -2 } };

static int trying_program(void *arg)
{
	const struct place *place = arg;
	long result;

	CHECK(!move(0, place->cgroup));
	CHECK(signal(SIGSEGV, on_fault) != SIG_ERR);
	while (!__atomic_load_n(go_on, __ATOMIC_RELAXED)) {
		result = try();
		CHECK(!result || result == place->value);
		if (result)
			__atomic_add_fetch(inside_now, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* What is returned, and for whom, changes at once. */
TEST_F(cgroups, changed_with_the_value)
{
	const struct rescue_point rp = {
		.function = victim,
		.value = &places[0].value,
		.cgroups = PATHS(A),
	};
	const unsigned long changes = number_from_environment("CHANGES", 400);
	unsigned long i;
	pid_t children[2];

	ASSERT_EQ(0, rescue_point_add(&rp));
	for (i = 0; i < 2; i++)
		children[i] = child_start(trying_program, (void *)&places[i]);
	for (i = 0; i < changes; i++) {
		const struct rescue_point_change change = {
			.value = &places[i & 1].value,
			.cgroups = PATHS(places[i & 1].cgroup),
		};

		EXPECT_EQ(0, rescue_point_set("test", &change));
		/* Let one in. */
		usleep(500);
	}
	EXPECT_LT(0, __atomic_load_n(inside_now, __ATOMIC_RELAXED));
	__atomic_store_n(go_on, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, child_wait(children[i]));
}

TEST_HARNESS_MAIN
