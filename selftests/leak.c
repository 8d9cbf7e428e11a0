// SPDX-License-Identifier: GPL-2.0
/*
 * Many calls, half of which are rescued, cost no memory that stays: neither
 * the program's nor the kernel's.
 */
#include <fcntl.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "lib/reassure_test.h"

#define PAGES		8
#define REPORTS		5

/* What else goes on in a machine moves these a little. */
#define RESIDENT_KB	300
#define SLAB_KB		3000
#define FREE_KB		24000

static unsigned char *area;
static long checksum;

/* Allocates, maps and writes; gives back what it should when it returns. */
static long __noipa victim(bool fault)
{
	char *block = malloc(200), *large = malloc(200000);
	char *mapped = private_memory(3 * PAGE_SIZE);
	int i;

	for (i = 0; i < PAGES; i++)
		area[i * PAGE_SIZE]++;
	memset(block, 1, 200);
	large[100000] = 1;
	mapped[PAGE_SIZE] = 1;
	checksum++;
	if (fault)
		touch_read(BAD_ADDRESS);
	munmap(mapped, 3 * PAGE_SIZE);
	free(large);
	free(block);
	return 1;
}

/* With the mapping that the C library makes for its last words. */
static long __noipa aborting_victim(bool fault)
{
	char *block = malloc(40), *again = block;

	area[0]++;
	checksum++;
	asm("" : "+r" (again));
	free(block);
	if (fault)
		free(again);
	return 1;
}

struct sizes {
	long resident_kb, mappings, slab_kb, free_kb;
};

static long field(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtol(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static long count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	long count = 0;
	int c;

	while (file && (c = getc(file)) != EOF)
		count += c == '\n';
	if (file)
		fclose(file);
	return count;
}

static void measure(struct sizes *sizes)
{
	/* What the kernel frees in its own time. */
	usleep(300000);
	write_text("/proc/sys/vm/drop_caches", "3");
	sizes->resident_kb = field("/proc/self/status", "RssAnon:");
	sizes->mappings = count_lines("/proc/self/maps");
	sizes->slab_kb = field("/proc/meminfo", "Slab:");
	sizes->free_kb = field("/proc/meminfo", "MemFree:");
	CHECK(sizes->resident_kb > 0 && sizes->mappings > 0 &&
	      sizes->slab_kb > 0 && sizes->free_kb > 0);
}

struct load {
	long (*victim)(bool fault);
	long calls;
};

static void call(const struct load *load, long calls)
{
	long i;

	for (i = 0; i < calls; i += 2) {
		CHECK(load->victim(true) == RESCUED);
		CHECK(load->victim(false) == 1);
	}
}

static int loaded_program(void *arg)
{
	const struct load *load = arg;
	struct sizes before, after;
	int part;

	/* The C library's last words are not for here. */
	if (load->victim == aborting_victim)
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	area = private_memory(PAGES * PAGE_SIZE);
	/* First all that is made once and stays. */
	call(load, 200);
	checksum = 0;
	measure(&before);
	for (part = 1; part <= REPORTS; part++) {
		call(load, load->calls / REPORTS);
		printf("# %ld calls\n", part * (load->calls / REPORTS));
		fflush(stdout);
	}
	measure(&after);
	printf("# resident %ld kB, then %ld; mappings %ld, then %ld; slab %ld kB, then %ld; free %ld kB, then %ld\n",
	       before.resident_kb, after.resident_kb, before.mappings,
	       after.mappings, before.slab_kb, after.slab_kb, before.free_kb,
	       after.free_kb);
	fflush(stdout);
	CHECK(checksum == load->calls / 2);
	CHECK(after.resident_kb <= before.resident_kb + RESIDENT_KB);
	CHECK(after.mappings == before.mappings);
	CHECK(after.slab_kb <= before.slab_kb + SLAB_KB);
	CHECK(after.free_kb >= before.free_kb - FREE_KB);
	return 0;
}

FIXTURE(leak)
{
};

FIXTURE_SETUP(leak)
{
	ASSERT_EQ(0, test_begin());
}

FIXTURE_TEARDOWN(leak)
{
	test_end(_metadata->passed);
}

TEST_F_TIMEOUT(leak, none_after_many_rescues, 280)
{
	struct load load = {
		.victim = victim,
		.calls = is_debug_kernel() ? 4000 : 100000,
	};

	ASSERT_EQ(0, rescue_point_protect(victim));
	EXPECT_EQ(0, child_run(loaded_program, &load));
	EXPECT_EQ(load.calls / 2 + 100,
		  events_since_mark(REASSURE_COUNTER_RESCUES));
	EXPECT_EQ(load.calls / 2 + 100,
		  events_since_mark(REASSURE_COUNTER_COMMITS));
	EXPECT_EQ(0, all_refused_since_mark());
}

TEST_F_TIMEOUT(leak, none_after_many_aborts, 180)
{
	struct load load = {
		.victim = aborting_victim,
		.calls = is_debug_kernel() ? 1000 : 4000,
	};

	ASSERT_EQ(0, rescue_point_protect(aborting_victim));
	EXPECT_EQ(0, child_run(loaded_program, &load));
	EXPECT_EQ(0, all_refused_since_mark());
}

/* Processes that come, are rescued and go. */
static int short_lived_program(void *arg)
{
	area = private_memory(PAGES * PAGE_SIZE);
	CHECK(victim(true) == RESCUED);
	if (arg)
		victim(true);
	return 0;
}

TEST_F_TIMEOUT(leak, none_after_many_processes, 120)
{
	long slab, free, count = is_debug_kernel() ? 100 : 500;
	struct sizes before, after;
	long i;

	ASSERT_EQ(0, rescue_point_protect(victim));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, child_run(short_lived_program, NULL));
	measure(&before);
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, child_run(short_lived_program, (void *)(i % 2)));
	measure(&after);
	slab = after.slab_kb - before.slab_kb;
	free = before.free_kb - after.free_kb;
	EXPECT_GE(SLAB_KB, slab);
	EXPECT_GE(FREE_KB, free);
}

TEST_HARNESS_MAIN
