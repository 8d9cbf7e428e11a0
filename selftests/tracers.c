// SPDX-License-Identifier: GPL-2.0
/*
 * Other people's probes on the same functions and on the same stack see what
 * they would see anyway, and nobody is confused.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define TRACING	"/sys/kernel/tracing/"
#define GROUP	"reassure_test"
#define CALLS	10

static int written = 1;

static long __noipa inner(bool fault)
{
	written++;
	if (fault)
		touch_read(BAD_ADDRESS);
	return 3;
}

static long __noipa victim(bool fault)
{
	long ret = inner(false) + inner(fault);

	barrier();
	return ret;
}

static long __noipa outer(bool fault)
{
	long ret = victim(fault);

	barrier();
	return ret;
}

static int program(void *arg)
{
	int i;

	for (i = 0; i < CALLS; i++) {
		written = 1;
		CHECK(outer(true) == RESCUED);
		CHECK(written == 1);
		CHECK(outer(false) == 6);
		CHECK(written == 3);
	}
	return 0;
}

static int enable(const char *value)
{
	return write_text(TRACING "events/" GROUP "/enable", value);
}

/* How often an event is in the trace. */
static int hits(const char *event)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[1024], word[64];
	int count = 0;

	snprintf(word, sizeof(word), " %s: ", event);
	while (trace && fgets(line, sizeof(line), trace))
		count += !!strstr(line, word);
	if (trace)
		fclose(trace);
	return count;
}

static void empty(const char *path)
{
	close(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static void remove_probes(void)
{
	enable("0");
	empty(TRACING "uprobe_events");
	empty(TRACING "trace");
}

FIXTURE(tracers)
{
};

FIXTURE_SETUP(tracers)
{
	ASSERT_EQ(0, test_begin());
	remove_probes();
}

FIXTURE_TEARDOWN(tracers)
{
	remove_probes();
	test_end(_metadata->passed);
}

static int probe_all(void)
{
	static const struct {
		const char *event;
		char type;
		const void *function;
	} probes[] = {
		{ "outer_returns", 'r', outer },
		{ "victim_enters", 'p', victim },
		{ "victim_returns", 'r', victim },
		{ "inner_enters", 'p', inner },
		{ "inner_returns", 'r', inner },
	};
	char path[4096], lines[16384];
	uint64_t offset;
	size_t length = 0, i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		ret = function_place(probes[i].function, path, sizeof(path),
				     &offset);
		if (ret)
			return ret;
		length += snprintf(lines + length, sizeof(lines) - length,
				   "%c:" GROUP "/%s %s:0x%llx\n", probes[i].type,
				   probes[i].event, path,
				   (unsigned long long)offset);
	}
	return write_text(TRACING "uprobe_events", lines) ?: enable("1");
}

static void check_hits(struct __test_metadata *_metadata)
{
	EXPECT_EQ(2 * CALLS, hits("outer_returns"));
	EXPECT_EQ(2 * CALLS, hits("victim_enters"));
	EXPECT_EQ(2 * CALLS, hits("victim_returns"));
	EXPECT_EQ(4 * CALLS, hits("inner_enters"));
	/* The calls that were taken back did not return. */
	EXPECT_EQ(3 * CALLS, hits("inner_returns"));
}

TEST_F(tracers, who_came_first)
{
	ASSERT_EQ(0, probe_all());
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(CALLS, events_since_mark(REASSURE_COUNTER_RESCUES));
	check_hits(_metadata);
}

TEST_F(tracers, who_came_later)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	ASSERT_EQ(0, probe_all());
	EXPECT_EQ(0, child_run(program, NULL));
	EXPECT_EQ(CALLS, events_since_mark(REASSURE_COUNTER_RESCUES));
	check_hits(_metadata);
}

/* A tracer that starts and stops while calls are under way. */
static uint32_t *stop;

static int program_until_stopped(void *arg)
{
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE))
		program(arg);
	return 0;
}

TEST_F(tracers, who_come_and_go)
{
	pid_t child;
	int i;

	ASSERT_EQ(0, probe_all());
	ASSERT_EQ(0, rescue_point_protect(victim));
	stop = shared_memory(PAGE_SIZE);
	child = child_start(program_until_stopped, NULL);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, enable(i % 2 ? "1" : "0"));
		usleep(100000);
	}
	meet_signal(stop);
	EXPECT_EQ(0, child_wait(child));
	EXPECT_EQ(0, all_refused_since_mark());
}

/*
 * The kernel has 64 return probes for a thread, a tracer's included.  Beyond them
 * no checkpoint can be opened, and the one that is open covers the call.
 */
#define RETURN_PROBES	64
#define GUARDED_AT	10

static int deepest, reached;

static long guarded(int depth);

/* Returns at which depth a call was rescued. */
static long __noipa traced(int depth)
{
	long ret;

	reached++;
	if (depth == GUARDED_AT || depth == deepest)
		ret = guarded(depth);
	else
		ret = traced(depth + 1);
	barrier();
	return ret == RESCUED ? depth : ret;
}

static long __noipa guarded(int depth)
{
	long ret;

	if (depth == deepest)
		touch_read(BAD_ADDRESS);
	ret = traced(depth + 1);
	barrier();
	return ret;
}

static int deep_program(void *arg)
{
	int i, rescued_at = (long)arg;

	for (i = 0; i < CALLS; i++) {
		reached = 0;
		CHECK(traced(1) == rescued_at);
		CHECK(reached == rescued_at);
	}
	return 0;
}

FIXTURE(depth)
{
};

FIXTURE_VARIANT(depth)
{
	int deepest;
	bool exhausted;
};

/* With one for the call at GUARDED_AT, that at the bottom gets the last one. */
FIXTURE_VARIANT_ADD(depth, in_reach) {
	.deepest = RETURN_PROBES - 2,
};

FIXTURE_VARIANT_ADD(depth, out_of_reach) {
	.deepest = RETURN_PROBES - 1,
	.exhausted = true,
};

FIXTURE_VARIANT_ADD(depth, far_out_of_reach) {
	.deepest = RETURN_PROBES + 10,
	.exhausted = true,
};

FIXTURE_SETUP(depth)
{
	ASSERT_EQ(0, test_begin());
	remove_probes();
}

FIXTURE_TEARDOWN(depth)
{
	remove_probes();
	test_end(_metadata->passed);
}

static int probe_returns(const void *function)
{
	char path[4096], line[8192];
	uint64_t offset;
	int ret = function_place(function, path, sizeof(path), &offset);

	if (ret)
		return ret;
	snprintf(line, sizeof(line), "r:" GROUP "/returns %s:0x%llx\n", path,
		 (unsigned long long)offset);
	return write_text(TRACING "uprobe_events", line) ?: enable("1");
}

TEST_F(depth, is_used_up)
{
	/* Exits that are probed need no return probe. */
	bool covered = variant->exhausted && !getenv("REASSURE_EXITS");
	int rescued_at = covered ? GUARDED_AT : variant->deepest;

	deepest = variant->deepest;
	ASSERT_EQ(0, probe_returns(traced));
	ASSERT_EQ(0, rescue_point_protect(guarded));
	EXPECT_EQ(0, child_run(deep_program, (void *)(long)rescued_at));
	EXPECT_EQ(CALLS, events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ((covered ? 1 : 2) * CALLS,
		  events_since_mark(REASSURE_COUNTER_CHECKPOINTS));
	EXPECT_EQ(0, all_refused_since_mark());
	/* The tracer sees those return that did. */
	if (!getenv("REASSURE_EXITS"))
		EXPECT_EQ(rescued_at * CALLS, hits("returns"));
}

TEST_HARNESS_MAIN
