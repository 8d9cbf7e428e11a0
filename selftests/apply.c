// SPDX-License-Identifier: GPL-2.0
/*
 * Many rescue points come, change, move and go in one step, or nothing does.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/netlink.h"
#include "lib/reassure_test.h"

#define WORKERS		4

static const int64_t one = 1, two = 2, three = 3;

/* Functions that fault, each with its own code. */
static volatile long sink;

static long __noipa first(bool faults)
{
	sink = 1;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 11;
}

static long __noipa second(bool faults)
{
	sink = 2;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 12;
}

static long __noipa third(bool faults)
{
	sink = 3;
	if (faults)
		touch_read(BAD_ADDRESS);
	return 13;
}

/* An instruction that the kernel does not probe: it is not valid. */
typeof(void (void)) not_to_be_probed;

asm(".pushsection .text\n\t"
	".globl not_to_be_probed\n\t"
	".type not_to_be_probed, @function\n"
	"not_to_be_probed:\n\t"
	".byte 0x06\n\t"
	"ret\n\t"
	".size not_to_be_probed, . - not_to_be_probed\n\t"
	".popsection\n");

FIXTURE(apply)
{
};

FIXTURE_SETUP(apply)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(apply)
{
	test_end(_metadata->passed);
}

/* What a call that faults returns in a new process; negative when it dies. */
static int call(void *arg)
{
	long (*function)(bool) = arg;

	return function(true);
}

static int outcome(long (*function)(bool))
{
	return child_run(call, function);
}

/* Whether each of the functions gives what is wanted. */
static bool outcomes_are(int a, int b, int c)
{
	int outcomes[] = { outcome(first), outcome(second), outcome(third) };

	if (outcomes[0] == a && outcomes[1] == b && outcomes[2] == c)
		return true;
	printf("# %d %d %d instead of %d %d %d\n", outcomes[0], outcomes[1],
	       outcomes[2], a, b, c);
	fflush(stdout);
	return false;
}

static bool is_shown(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), REASSURE_SYSFS "/rescue_points/%s", name);
	return !access(path, F_OK);
}

static uint64_t rescues_of(const char *name)
{
	struct counters counters = {};

	counters_read(name, &counters);
	return counters.events[REASSURE_COUNTER_RESCUES];
}

TEST_F(apply, adds_changes_and_deletes_at_once)
{
	const struct rescue_point before[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = second, .name = "b", .value = &two },
	};
	const struct rescue_point after[] = {
		{ .function = third, .name = "c", .value = &three },
		{ .function = first, .name = "a", .value = &two },
	};
	size_t which;

	ASSERT_EQ(0, rescue_points_apply(before, 2, false, &which));
	EXPECT_TRUE(outcomes_are(1, 2, -SIGSEGV));
	/* The same once more is nothing. */
	ASSERT_EQ(0, rescue_points_apply(before, 2, true, &which));
	EXPECT_EQ(1, rescues_of("a"));
	EXPECT_TRUE(outcomes_are(1, 2, -SIGSEGV));
	/* What is not named stays. */
	ASSERT_EQ(0, rescue_points_apply(after, 2, false, &which));
	EXPECT_TRUE(outcomes_are(2, 2, 3));
	EXPECT_EQ(3, rescues_of("a"));
	EXPECT_EQ(3, rescues_of("b"));
	ASSERT_EQ(0, rescue_points_apply(after, 2, true, &which));
	EXPECT_TRUE(outcomes_are(2, -SIGSEGV, 3));
	EXPECT_FALSE(is_shown("b"));
	EXPECT_EQ(4, rescues_of("a"));
	ASSERT_EQ(0, rescue_points_apply(NULL, 0, false, &which));
	EXPECT_TRUE(outcomes_are(2, -SIGSEGV, 3));
	ASSERT_EQ(0, rescue_points_apply(NULL, 0, true, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
	EXPECT_FALSE(is_shown("a"));
}

/* A place that is free only when another has moved. */
TEST_F(apply, lets_two_change_places)
{
	const struct rescue_point before[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = second, .name = "b", .value = &two },
	};
	const struct rescue_point after[] = {
		{ .function = second, .name = "a", .value = &one },
		{ .function = first, .name = "b", .value = &two },
	};
	const struct rescue_point renamed[] = {
		{ .function = second, .name = "c", .value = &three },
		{ .function = first, .name = "b", .value = &two },
	};
	size_t which;

	ASSERT_EQ(0, rescue_points_apply(before, 2, false, &which));
	EXPECT_TRUE(outcomes_are(1, 2, -SIGSEGV));
	ASSERT_EQ(0, rescue_points_apply(after, 2, false, &which));
	EXPECT_TRUE(outcomes_are(2, 1, -SIGSEGV));
	EXPECT_EQ(2, rescues_of("a"));
	/* The place of one that goes. */
	EXPECT_EQ(-EEXIST, rescue_points_apply(renamed, 2, false, &which));
	EXPECT_EQ(0, which);
	ASSERT_EQ(0, rescue_points_apply(renamed, 2, true, &which));
	EXPECT_TRUE(outcomes_are(2, 3, -SIGSEGV));
	EXPECT_FALSE(is_shown("a"));
	EXPECT_EQ(1, rescues_of("c"));
	EXPECT_EQ(3, rescues_of("b"));
}

/* Rescues that were made count in the new limit, moved or not. */
TEST_F(apply, remembers_the_budget)
{
	struct rescue_point rps[] = {
		{ .function = first, .name = "a", .value = &one,
		  .budget_rescues = 2, .budget_seconds = 3600 },
		{ .function = second, .name = "b", .value = &two,
		  .budget_rescues = 2, .budget_seconds = 3600 },
	};
	size_t which;

	ASSERT_EQ(0, rescue_points_apply(rps, 2, false, &which));
	EXPECT_TRUE(outcomes_are(1, 2, -SIGSEGV));
	rps[0].budget_rescues = 3;
	rps[1].function = third;
	ASSERT_EQ(0, rescue_points_apply(rps, 2, false, &which));
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, 2));
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, -SIGSEGV));
	rps[1].budget_rescues = 4;
	rps[1].function = second;
	ASSERT_EQ(0, rescue_points_apply(rps, 2, false, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, 2, -SIGSEGV));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, 2, -SIGSEGV));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
}

/* The last of them cannot be; what came before it must be undone. */
/* That of everybody, and one that nobody is in. */
static const char *const root[] = { "/", NULL };
static const char *const nobody[] = { "/reassure-test-nobody", NULL };

TEST_F(apply, means_cgroups)
{
	struct rescue_point rps[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = second, .name = "a", .value = &two },
	};
	size_t which;

	rps[0].cgroups = nobody;
	ASSERT_EQ(0, rescue_points_apply(rps, 1, false, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
	/* Settings alone, with others and with none. */
	rps[0].cgroups = root;
	ASSERT_EQ(0, rescue_points_apply(rps, 1, false, &which));
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, -SIGSEGV));
	rps[0].cgroups = NULL;
	ASSERT_EQ(0, rescue_points_apply(rps, 1, false, &which));
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, -SIGSEGV));
	rps[0].cgroups = nobody;
	ASSERT_EQ(0, rescue_points_apply(rps, 1, false, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
	/* Nothing is taken from a message that fails. */
	rps[0].cgroups = root;
	rps[1].cgroups = root;
	EXPECT_EQ(-EEXIST, rescue_points_apply(rps, 2, false, &which));
	rps[1].name = "b";
	rps[1].function = (void *)not_to_be_probed;
	EXPECT_NE(0, rescue_points_apply(rps, 2, false, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
	/* At another place. */
	rps[1].name = "a";
	rps[1].function = second;
	ASSERT_EQ(0, rescue_points_apply(rps + 1, 1, false, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, 2, -SIGSEGV));
	rps[0].cgroups = nobody;
	ASSERT_EQ(0, rescue_points_apply(rps, 1, true, &which));
	EXPECT_TRUE(outcomes_are(-SIGSEGV, -SIGSEGV, -SIGSEGV));
}

TEST_F(apply, changes_nothing_when_one_fails)
{
	const struct rescue_point before[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = second, .name = "b", .value = &two },
	};
	const struct rescue_point no_probe[] = {
		{ .function = third, .name = "c", .value = &three },
		{ .function = first, .name = "a", .value = &two },
		{ .function = not_to_be_probed, .name = "d" },
	};
	const struct rescue_point taken[] = {
		{ .function = third, .name = "a", .value = &three },
		{ .function = second, .name = "c", .value = &three },
	};
	const struct rescue_point same_place[] = {
		{ .function = third, .name = "c", .value = &three },
		{ .function = third, .name = "d", .value = &three },
	};
	const struct rescue_point same_name[] = {
		{ .function = third, .name = "c", .value = &three },
		{ .function = first, .name = "c", .value = &three },
	};
	const struct rescue_point no_file[] = {
		{ .function = third, .name = "c", .value = &three },
		{ .path = "/bin/true", .offset = 1ULL << 40, .name = "d" },
	};
	const struct {
		const struct rescue_point *rps;
		size_t count;
		int error;
	} bad[] = {
		{ no_probe, 3, 0 },
		{ taken, 2, -EEXIST },
		{ same_place, 2, -EEXIST },
		{ same_name, 2, -EEXIST },
		{ no_file, 2, -ERANGE },
	};
	size_t i, which;
	int ret;

	ASSERT_EQ(0, rescue_points_apply(before, 2, false, &which));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = rescue_points_apply(bad[i].rps, bad[i].count, false,
					  &which);
		if (bad[i].error)
			EXPECT_EQ(bad[i].error, ret);
		EXPECT_GT(0, ret);
		EXPECT_EQ(bad[i].count - 1, which);
		EXPECT_NE(0, strlen(rescue_point_error()));
		EXPECT_TRUE(outcomes_are(1, 2, -SIGSEGV));
		EXPECT_EQ(i + 1, rescues_of("a"));
		EXPECT_FALSE(is_shown("c"));
		EXPECT_FALSE(is_shown("d"));
	}
	/* What failed has left nothing behind that is in the way. */
	ASSERT_EQ(0, rescue_points_apply(no_probe, 2, true, &which));
	EXPECT_TRUE(outcomes_are(2, -SIGSEGV, 3));
}

FIXTURE(apply_alone)
{
};

FIXTURE_SETUP(apply_alone)
{
	ASSERT_EQ(0, test_begin_alone());
}

FIXTURE_TEARDOWN(apply_alone)
{
	test_end_alone(_metadata->passed);
}

static bool is_hooked(void)
{
	return file_has("/sys/kernel/tracing/enabled_functions",
			"handle_mm_fault ");
}

/* The hooks of the first rescue point go when there is none after all. */
TEST_F(apply_alone, leaves_nothing_behind)
{
	const struct rescue_point rps[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = not_to_be_probed, .name = "d" },
	};
	size_t which;

	ASSERT_EQ(0, rescue_points_apply(NULL, 0, true, &which));
	EXPECT_FALSE(is_hooked());
	EXPECT_NE(0, rescue_points_apply(rps, 2, true, &which));
	EXPECT_EQ(1, which);
	EXPECT_FALSE(is_shown("a"));
	EXPECT_FALSE(is_hooked());
	ASSERT_EQ(0, rescue_points_apply(rps, 1, true, &which));
	EXPECT_TRUE(is_hooked());
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, -SIGSEGV));
	ASSERT_EQ(0, rescue_points_apply(NULL, 0, true, &which));
	EXPECT_FALSE(is_hooked());
}

struct nonsense {
	const char *what;
	void (*fill)(struct nl_msg *msg);
	const char *text;
};

static void not_a_nest(struct nl_msg *msg)
{
	nla_put_u32(msg, REASSURE_A_RESCUE_POINT, 1);
}

static void empty_nest(struct nl_msg *msg)
{
	nla_nest_end_keep_empty(msg, nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
						    NLA_F_NESTED));
}

static void nest_in_nest(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
					     NLA_F_NESTED);

	nla_put_string(msg, REASSURE_A_NAME, "c");
	not_a_nest(msg);
	nla_nest_end(msg, nest);
}

static void signals_of_none(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
					     NLA_F_NESTED);

	nla_put_string(msg, REASSURE_A_NAME, "c");
	nla_put_s32(msg, REASSURE_A_FILE_FD, 0);
	nla_put_u64(msg, REASSURE_A_OFFSET, 0);
	nla_put_u64(msg, REASSURE_A_SIGNALS, 0);
	nla_nest_end(msg, nest);
}

static void descriptor_of_none(struct nl_msg *msg)
{
	struct nlattr *nest = nla_nest_start(msg, REASSURE_A_RESCUE_POINT |
					     NLA_F_NESTED);

	nla_put_string(msg, REASSURE_A_NAME, "c");
	nla_put_s32(msg, REASSURE_A_FILE_FD, 999);
	nla_put_u64(msg, REASSURE_A_OFFSET, 0);
	nla_nest_end(msg, nest);
}

static void name_outside(struct nl_msg *msg)
{
	nla_put_string(msg, REASSURE_A_NAME, "c");
}

static void too_many(struct nl_msg *msg)
{
	int i;

	for (i = 0; i <= REASSURE_APPLY_MAX; i++)
		empty_nest(msg);
}

static const struct nonsense nonsense[] = {
	{ "no nest", not_a_nest, "" },
	{ "an empty nest", empty_nest, "the name is missing" },
	{ "a nest in a nest", nest_in_nest, "" },
	{ "no signals", signals_of_none, "signal" },
	{ "no descriptor", descriptor_of_none, "descriptor" },
	{ "a name outside", name_outside, "" },
	{ "too many", too_many, "too many rescue points" },
};

TEST_F(apply, refuses_nonsense)
{
	const struct rescue_point rp = {
		.function = first, .name = "a", .value = &one,
	};
	struct channel channel;
	struct answer answer;
	struct nl_msg *msg;
	size_t i, which;

	ASSERT_EQ(0, rescue_points_apply(&rp, 1, false, &which));
	ASSERT_EQ(0, channel_open(&channel));
	for (i = 0; i < ARRAY_SIZE(nonsense); i++) {
		msg = channel_message(&channel, REASSURE_CMD_APPLY, NLM_F_ACK);
		/* It would delete all that there is. */
		nla_put_flag(msg, REASSURE_A_PRUNE);
		nonsense[i].fill(msg);
		channel_send(&channel, msg, &answer);
		EXPECT_GT(0, answer.error) {
			TH_LOG("%s", nonsense[i].what);
		}
		EXPECT_NE(NULL, strstr(answer.text, nonsense[i].text)) {
			TH_LOG("%s: '%s'", nonsense[i].what, answer.text);
		}
		EXPECT_TRUE(is_shown("a"));
		EXPECT_FALSE(is_shown("c"));
	}
	channel_close(&channel);
	EXPECT_TRUE(outcomes_are(1, -SIGSEGV, -SIGSEGV));
}

static uint32_t *end, *calls;

/* Every call comes back with a value of one of the rescue points that it had. */
static int worker(void *arg)
{
	long ret;

	while (!__atomic_load_n(end, __ATOMIC_SEQ_CST)) {
		ret = first(true);
		CHECK(ret == one || ret == two);
		ret = second(true);
		CHECK(ret == one || ret == two);
		ret = third(false);
		CHECK(ret == 13);
		__atomic_add_fetch(calls, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* Settings that change leave no call without its rescue point. */
TEST_F_TIMEOUT(apply, leaves_what_stays_under_protection, 300)
{
	struct rescue_point rps[] = {
		{ .function = first, .name = "a", .value = &one },
		{ .function = second, .name = "b", .value = &one },
		{ .function = third, .name = "c" },
	};
	int i, rounds = getenv("REASSURE_SHORT") ? 30 : 300;
	pid_t workers[WORKERS];
	size_t which;

	end = shared_memory(PAGE_SIZE);
	calls = end + 1;
	ASSERT_EQ(0, rescue_points_apply(rps, 2, false, &which));
	for (i = 0; i < WORKERS; i++)
		workers[i] = child_start(worker, NULL);
	for (i = 0; i < rounds; i++) {
		rps[i % 2].value = i & 2 ? &one : &two;
		rps[2].function = i & 4 ? (void *)third : (void *)call;
		ASSERT_EQ(0, rescue_points_apply(rps, 2 + i % 2, true, &which));
	}
	while (__atomic_load_n(calls, __ATOMIC_SEQ_CST) < 3 * WORKERS)
		usleep(1000);
	meet_signal(end);
	for (i = 0; i < WORKERS; i++)
		EXPECT_EQ(0, child_wait(workers[i]));
}

TEST_HARNESS_MAIN
