// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that stay writable between calls, and what becomes writable between
 * them: whatever the program does there, the next rescue puts back what stood
 * at its entry.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/reassure_test.h"

#define PAGES	48

/* What the area must hold: one value for each page, at its first word. */
static unsigned long expected[PAGES];
static unsigned char *area;

/* What the next call does. */
static struct {
	unsigned int first, count, step;
	unsigned int depth;
	bool fault;
} call;

FIXTURE(hot_pages)
{
};

FIXTURE_SETUP(hot_pages)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(hot_pages)
{
	test_end(_metadata->passed);
}

static unsigned long *word(unsigned int page)
{
	return (unsigned long *)(area + page * PAGE_SIZE);
}

static void check_area(void)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		CHECK(*(volatile unsigned long *)word(i) == expected[i]);
}

static void __noipa use_stack(unsigned int pages)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = 1;
	if (pages)
		use_stack(pages - 1);
	frame[1] = frame[0];
}

/* Writes to some pages and to the stack below; faults when it shall. */
static long __noipa victim(volatile unsigned long *caller)
{
	unsigned int i, page;

	++*caller;
	use_stack(call.depth);
	for (i = 0; i < call.count; i++) {
		page = (call.first + i * call.step) % PAGES;
		++*word(page);
	}
	if (call.fault)
		touch_read(BAD_ADDRESS);
	return 1;
}

/* Calls it with some pages of live stack between. */
static long __noipa call_deep(volatile unsigned long *caller, unsigned int pages)
{
	volatile unsigned long frame[PAGE_SIZE / sizeof(long)];
	unsigned int i;
	long ret;

	frame[7] = pages;
	for (i = 9; i < 12; i++)
		frame[i] = *caller + i;
	if (pages)
		ret = call_deep(caller, pages - 1);
	else
		ret = victim(caller);
	barrier();
	CHECK(frame[7] == pages);
	return ret;
}

static void call_victim(unsigned int pages)
{
	volatile unsigned long frame = 5;
	unsigned int i;

	if (call_deep(&frame, pages) == RESCUED) {
		CHECK(call.fault && frame == 5);
	} else {
		CHECK(!call.fault && frame == 6);
		for (i = 0; i < call.count; i++)
			expected[(call.first + i * call.step) % PAGES]++;
	}
}

static void fork_and_write(void)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		++*word(0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && !status);
}

/* Somewhere else, by moving the pages; they may be in several mappings. */
static void move_area(void)
{
	unsigned char *to = mmap(NULL, PAGES * PAGE_SIZE, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	CHECK(to != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		CHECK(mremap(word(i), PAGE_SIZE, PAGE_SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED,
			     to + i * PAGE_SIZE) == to + i * PAGE_SIZE);
	area = to;
}

/* Replaces a page by a fresh one. */
static void replace(unsigned int page)
{
	CHECK(mmap(word(page), PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      word(page));
	expected[page] = 0;
}

/* By one that is not covered, for a call; what it held is lost. */
static void replace_by_shared(unsigned int page)
{
	CHECK(mmap(word(page), PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      word(page));
	*word(page) = 1000;
	call.first = page;
	call.count = 1;
	call.fault = true;
	CHECK(victim(&(unsigned long){ 0 }) == RESCUED);
	/* Shared memory is left as the call left it. */
	CHECK(*word(page) == 1001);
	replace(page);
}

static void change_something(void)
{
	unsigned int page = rand() % PAGES;

	switch (rand() % 12) {
	case 0:
		fork_and_write();
		break;
	case 1:
		move_area();
		break;
	case 2:
		CHECK(!madvise(word(page), PAGE_SIZE, MADV_DONTNEED));
		expected[page] = 0;
		break;
	case 3:
		CHECK(!mprotect(area, PAGES * PAGE_SIZE, PROT_READ));
		CHECK(!mprotect(area, PAGES * PAGE_SIZE,
				PROT_READ | PROT_WRITE));
		break;
	case 4:
		replace(page);
		break;
	case 5:
		replace_by_shared(page);
		break;
	case 6:
		use_stack(rand() % 8);
		break;
	default:
		expected[page] = ++*word(page);
	}
}

static int random_program(void *arg)
{
	const unsigned int *seed = arg;
	unsigned int rounds = is_debug_kernel() ? 300 :
			      getenv("REASSURE_SHORT") ? 1000 : 4000;
	unsigned int i;

	srand(*seed);
	area = private_memory(PAGES * PAGE_SIZE);
	for (i = 0; i < rounds; i++) {
		while (!(rand() % 3))
			change_something();
		/* Often the same pages, so that some are hot. */
		call.first = rand() % 4 ? 0 : rand() % PAGES;
		call.count = rand() % 8;
		call.step = rand() % 8 ? 1 : 5;
		call.depth = rand() % 8 ? 0 : rand() % 6;
		call.fault = !(rand() % 3);
		call_victim(rand() % 4 ? 0 : rand() % 5);
		check_area();
	}
	return 0;
}

TEST_F_TIMEOUT(hot_pages, after_random_changes, 300)
{
	unsigned int seed = time(NULL);

	if (getenv("REASSURE_SEED"))
		seed = strtoul(getenv("REASSURE_SEED"), NULL, 0);
	printf("# REASSURE_SEED=%u\n", seed);
	fflush(stdout);
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(random_program, &seed));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Pages that one call in many writes, and that hold what was written. */
static int rare_program(void *arg)
{
	unsigned int i;

	area = private_memory(PAGES * PAGE_SIZE);
	for (i = 0; i < 1200; i++) {
		call.first = 0;
		call.count = i % 100 ? 2 : PAGES;
		call.step = 1;
		call.fault = i % 100 == 50 || i % 300 == 200;
		call_victim(0);
		check_area();
	}
	return 0;
}

TEST_F(hot_pages, that_become_cold)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(rare_program, NULL));
	/* Had all stayed hot, it would be 1200 times PAGES. */
	EXPECT_GT(1200 * PAGES / 4,
		  events_since_mark(REASSURE_COUNTER_PAGES_SAVED));
}

/* However much memory there is, an entry looks only at what changed. */
static int steady_program(void *arg)
{
	unsigned char *much = private_memory(64 << 20);
	unsigned int i;

	memset(much, 1, 64 << 20);
	area = private_memory(PAGES * PAGE_SIZE);
	for (i = 0; i < 100; i++) {
		call.count = PAGES;
		call.step = 1;
		call.fault = i == 99;
		call_victim(0);
		check_area();
	}
	return 0;
}

TEST_F(hot_pages, in_much_memory)
{
	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(steady_program, NULL));
	EXPECT_LE(100 * (PAGES - 1),
		  events_since_mark(REASSURE_COUNTER_PAGES_SAVED));
	EXPECT_GT(100 * (PAGES + 20),
		  events_since_mark(REASSURE_COUNTER_PAGES_SAVED));
}

#define INSTANCE	"/sys/kernel/tracing/instances/reassure/"

/* Where a program has come to. */
static struct {
	uint32_t ready, go_on, steady, watched, done, end;
} *stage;

/* The same pages are written all the time. */
static int watched_program(void *arg)
{
	unsigned int i;

	area = private_memory(PAGES * PAGE_SIZE);
	call.count = PAGES;
	call.step = 1;
	for (i = 0; i < 1200; i++) {
		if (i == 600) {
			meet_signal(&stage->ready);
			meet_await(&stage->go_on);
		}
		/* What was trimmed while nobody called is there again. */
		if (i == 900) {
			meet_signal(&stage->steady);
			meet_await(&stage->watched);
		}
		call_victim(0);
	}
	meet_signal(&stage->done);
	meet_await(&stage->end);
	return 0;
}

static void trace_allocations(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", pid);
	write_text(INSTANCE "set_event_pid", text);
	write_text(INSTANCE "events/kmem/kmalloc/enable", "1");
	write_text(INSTANCE "events/kmem/kmem_cache_alloc/enable", "1");
	write_text(INSTANCE "events/kmem/mm_page_alloc/enable", "1");
}

/* The kernel allocates for each return that is probed. */
static bool is_of_a_probe(const char *line)
{
	return strstr(line, "probe") || strstr(line, "return_instance");
}

static int count_allocations(bool of_probes)
{
	FILE *trace = fopen(INSTANCE "trace", "re");
	char line[512];
	int count = 0;

	if (!trace)
		return -1;
	while (fgets(line, sizeof(line), trace)) {
		if (!strstr(line, "alloc:") || is_of_a_probe(line) != of_probes)
			continue;
		if (!of_probes && count < 10)
			printf("# %s", line);
		count++;
	}
	fclose(trace);
	return count;
}

/* By the trace of it, so not in kernels that allocate to check themselves. */
TEST_F(hot_pages, that_are_steady_need_no_memory)
{
	int others, of_probes;
	pid_t child;

	ASSERT_EQ(0, mkdir(INSTANCE, 0700));
	stage = shared_memory(PAGE_SIZE);
	ASSERT_EQ(0, rescue_point_protect(victim));
	child = child_start(watched_program, NULL);
	meet_await(&stage->ready);
	write_text(INSTANCE "tracing_on", "0");
	trace_allocations(child);
	meet_signal(&stage->go_on);
	meet_await(&stage->steady);
	write_text(INSTANCE "tracing_on", "1");
	meet_signal(&stage->watched);
	meet_await(&stage->done);
	write_text(INSTANCE "tracing_on", "0");
	meet_signal(&stage->end);
	EXPECT_EQ(0, child_wait(child));
	of_probes = count_allocations(true);
	others = count_allocations(false);
	write_text(INSTANCE "events/enable", "0");
	rmdir(INSTANCE);
	printf("# in 300 calls %d allocations for probes, %d others\n",
	       of_probes, others);
	fflush(stdout);
	if (!is_debug_kernel() && !getenv("REASSURE_VERIFY")) {
		/* One for each: it does see them. */
		EXPECT_LE(300, of_probes);
		EXPECT_EQ(0, others);
	}
}

TEST_HARNESS_MAIN
